"""Timer triggers: on time, once among hosts, late after a pause, and with a clock that can be moved."""

import json
from pathlib import Path

import pytest

from tests.simulator.host.cloud import Cloud
from tests.simulator.host.hosting import Host
from tests.simulator.host.waiting import until


def settings(site: str) -> dict[str, str]:
    """Give the toy's settings; hosts of one site share their timers."""
    return {
        "WEBSITE_SITE_NAME": site,
        "QUEUE": f"{site}-work",
        "FORWARD": f"{site}-forward",
        "YEARLY": "0 0 0 1 1 *",
    }


def test_on_time(cloud: Cloud, tmp_path: Path) -> None:
    """A timer fires with the second, another at the start, and the third when the clock is moved."""
    with Host(cloud, tmp_path, settings=settings("on-time")) as host:
        assert host.admin("POST", "stack/clock", json={"advance": 366 * 86400}).status_code == 200
        ticks = host.wait_note("tick", 3)[1:]
        yearly = host.wait_note("yearly")
        eager = host.wait_note("eager")

        assert all(tick["at"] % 1 < 0.5 for tick in ticks)
        assert [note["late"] for note in (*ticks, *yearly, *eager)] == [False] * (len(ticks) + 2)
        assert yearly[0]["status"]["Next"].endswith("-01-01T00:00:00+00:00")
        assert eager[0]["status"] == {}
        memory = until(lambda: remembered(cloud, "on-time"), "the status")
        assert memory["Last"] < memory["Next"]
        assert len(host.notes("yearly")) == 1


def remembered(cloud: Cloud, site: str) -> dict[str, str]:
    """Read what the monitor blob of the yearly timer says once it has fired."""
    blob = cloud.locks().get_blob_client(f"timers/{site}/Host.Functions.yearly/status")
    status: dict[str, str] = json.loads(blob.download_blob().readall()) if blob.exists() else {}
    return status if not status.get("Last", "0001").startswith("0001") else {}


def test_late(cloud: Cloud, tmp_path: Path) -> None:
    """A monitored timer that was missed while no host ran fires once, late, at the next start."""
    status = dict.fromkeys(("Last", "LastUpdated"), "2020-01-01T00:00:00+00:00")
    locks = cloud.locks()
    if not locks.exists():
        locks.create_container()
    blob = locks.get_blob_client("timers/late/Host.Functions.yearly/status")
    blob.upload_blob(json.dumps(status | {"Next": "2021-01-01T00:00:00+00:00"}))
    with Host(cloud, tmp_path, settings=settings("late")) as host:
        first = host.wait_note("yearly")[0]
        memory = until(lambda: (now := remembered(cloud, "late")) and now["Last"] > "2021" and now, "the status")

        assert first["late"] is True
        assert first["status"]["Last"] == "2020-01-01T00:00:00+00:00"
        assert memory
        assert len(host.notes("yearly")) == 1


def test_single(cloud: Cloud, tmp_path: Path) -> None:
    """Of two hosts one fires; when it ends, the other does."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    told = settings("single")
    with Host(cloud, tmp_path / "one", settings=told) as one:
        one.wait_note("tick")
        with Host(cloud, tmp_path / "two", settings=told) as two:
            one.wait_note("tick", len(one.notes("tick")) + 2)
            before = two.notes("tick")
            one.stop()

            assert before == []
            assert two.wait_note("tick")


@pytest.mark.parametrize("body", ["{", "[]", '{"advance": "1"}', '{"advance": -1}', '{"advance": NaN}'])
def test_bad_clock(host: Host, body: str) -> None:
    """The clock moves forward by a number of seconds, and by nothing else."""
    assert host.admin("POST", "stack/clock", data=body).status_code == 400
