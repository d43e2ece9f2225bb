"""What happens when the worker or the host dies, or a function takes too long."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from simulator.host import link
from simulator.host.config import Config
from tests.simulator.host.cloud import APP_PYTHON, Cloud
from tests.simulator.host.hosting import MASTER, SYSTEM, Host, alive, write_app
from tests.simulator.host.test_host_queues import encode, of
from tests.simulator.host.waiting import until

SETTINGS = {"TIMERS_OFF": "1", "FORWARD": "forwarded-elsewhere"}


def restarted(host: Host, old: int) -> int:
    """Wait for another worker than the old one."""
    return int(until(lambda: (pid := host.status()["worker_pid"]) != old and pid, "another worker"))


def test_killed_worker(cloud: Cloud, tmp_path: Path) -> None:
    """After kill -9 calls fail, the message stays hidden for the hold, then a new worker has it."""
    with Host(cloud, tmp_path, settings=SETTINGS | {"QUEUE": "killed"}, hold=2) as host:
        cloud.messages("killed").send_message(encode("nap 1"))
        began = host.wait_note("work")[0]["at"]
        statuses: list[int] = []
        call = threading.Thread(target=lambda: statuses.append(host.ask("GET", "/api/nap?s=9").status_code))
        call.start()
        until(lambda: host.status()["in_flight"] == 2, "both calls")
        os.kill(host.worker, signal.SIGKILL)
        call.join()

        assert statuses == [500]
        assert restarted(host, host.worker)
        assert host.ask("GET", "/api/text").status_code == 200
        again = host.wait_note("work", 2)[1]
        assert again["count"] == 2
        assert again["at"] - began > 1.9
        host.wait_note("done")


def test_hold_is_renewed(cloud: Cloud, tmp_path: Path) -> None:
    """A run longer than the hold keeps its message."""
    with Host(cloud, tmp_path, settings=SETTINGS | {"QUEUE": "renewed"}, hold=1) as host:
        cloud.messages("renewed").send_message(encode("nap 1.7"))
        host.wait_note("done")
        host.stop()

        assert len(of(host, "work", "nap 1.7")) == 1
        assert cloud.messages("renewed").get_queue_properties().approximate_message_count == 0


def test_events_fail_with_the_worker(cloud: Cloud, tmp_path: Path) -> None:
    """The death of the worker is an answer 500 to Event Grid, and to HTTP without a body."""
    with Host(cloud, tmp_path, settings=SETTINGS | {"QUEUE": "events-fail"}) as host:
        died = host.ask("GET", "/api/die")
        event = host.event({"id": "d", "data": {"die": True}})

        assert (died.status_code, died.content) == (500, b"")
        assert event.status_code == 500
        assert host.wait_line("the worker ended with code 3; starting another in 0.10 s")
        assert host.wait_line("the worker ended with code 4; starting another in 0.12 s")
        assert restarted(host, host.worker)


def test_timeout(cloud: Cloud, tmp_path: Path) -> None:
    """A function that overruns takes its worker with it, children included; the next calls get a new one."""
    with Host(cloud, tmp_path, settings=SETTINGS | {"QUEUE": "timeout"}) as host:
        began = time.monotonic()
        answer = host.ask("GET", "/api/block?s=60")
        took = time.monotonic() - began

        assert answer.status_code == 500
        assert 2 <= took < 3
        assert host.wait_line("Timeout value of 2.0 s was exceeded")
        child = host.notes("blocking")[0]["child"]
        until(lambda: not alive(child), "the end of the child")
        assert host.ask("GET", "/api/text").status_code == 200


DYING = """
import os, pathlib
import azure.functions as func
if pathlib.Path('broken').exists():
    os._exit(7)
app = func.FunctionApp()

@app.route(route='x', auth_level=func.AuthLevel.ANONYMOUS)
def x(req: func.HttpRequest) -> str:
    return 'x'
"""


def test_broken_for_a_while(cloud: Cloud, tmp_path: Path) -> None:
    """A worker that cannot start is tried again until it can; calls wait for it."""
    app = write_app(tmp_path, DYING)
    with Host(cloud, tmp_path, app) as host:
        (app / "broken").touch()
        os.kill(host.worker, signal.SIGKILL)
        host.wait_line("does not start again.*code 7")
        (app / "broken").unlink()

        assert host.ask("GET", "/api/x").text == "x"


def test_too_many_deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that keeps dying ends the host."""
    monkeypatch.setattr(link, "DEATHS", 3)
    app = write_app(tmp_path, DYING)
    config = Config(app, APP_PYTHON, "127.0.0.1", 0, {}, MASTER, SYSTEM)

    async def run() -> None:
        under_test = link.Link(config, "INFO")
        assert [one["name"] for one in await under_test.start()] == ["x"]
        (app / "broken").touch()
        os.kill(under_test.pid or 0, signal.SIGKILL)
        async with asyncio.timeout(20):
            await under_test.broken.wait()
        assert under_test.pid is None
        await under_test.stop()

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_end(cloud: Cloud, tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends host, worker and children within three seconds, even while a function blocks."""
    with Host(cloud, tmp_path, settings=SETTINGS | {"QUEUE": f"end-{number.name.lower()}"}) as host:
        call = threading.Thread(target=_ignore_answer, args=(host,))
        call.start()
        child = host.wait_note("blocking")[0]["child"]
        began = time.monotonic()
        code = host.stop(number)
        took = time.monotonic() - began
        call.join()

        assert (code, took < 3) == (0, True)
        assert not alive(host.worker)
        until(lambda: not alive(child), "the end of the child")


def test_killed_host(cloud: Cloud, tmp_path: Path) -> None:
    """The worker follows a host that was killed, even while a function blocks."""
    with Host(cloud, tmp_path, settings=SETTINGS | {"QUEUE": "killed-host"}) as host:
        call = threading.Thread(target=_ignore_answer, args=(host,))
        call.start()
        child = host.wait_note("blocking")[0]["child"]
        host.stop(signal.SIGKILL)
        call.join()

        until(lambda: not alive(host.worker) and not alive(child), "the end of worker and child")


def _ignore_answer(host: Host) -> None:
    try:
        host.ask("GET", "/api/block?s=60")
    except OSError:
        return
