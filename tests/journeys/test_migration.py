"""A workspace on its way to keys of its own, through every floor: events, approvals by people, Azure's long operations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until
from tests.migration import LAYERS, NORTH, TAGS, WEST, Plain, key_vault, plain, unchanged

ADA, AMIT, DANA = 1, 2, 3
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
THREE = {"keys": ["get", "unwrapkey", "wrapkey"]}


@pytest.fixture(autouse=True)
def log(azure: Client) -> None:
    """The Activity Log knows at once who has changed what."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})


def say(at: Plain, row: dict[str, Any], verb: str, person: int, **body: Any) -> Any:
    """Call the API as a person does: who is told that Azure is busy presses again."""

    def press() -> Any:
        answer = at.azure.call("POST", f"/api/remediations/{row['id']}/{verb}", person, body=body)
        return None if answer.status_code == 503 else [answer]

    (said,) = until(press, f"an answer to {verb}")
    return said


def approve(at: Plain, row: dict[str, Any], person: int, **changed: Any) -> Any:
    """Say yes to the plan of a row."""
    until_then = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    said = {"fingerprint": row["plan"]["fingerprint"], "comment": "seen and right", "expires": until_then, **changed}
    return say(at, row, "approve", person, **said)


def agree(at: Plain, row: dict[str, Any]) -> None:
    """Have it approved; by two, where nobody knows whose change it is."""
    said = approve(at, row, ADA).json()
    if said["state"] == "awaiting_approval":
        said = approve(at, row, AMIT).json()
    assert said["state"] in {"queued", "applying"}, said


def waits_for_a_person(at: Plain) -> dict[str, Any] | None:
    """Return the row where all is done but what only a person can do."""
    row = at.row_in("awaiting_approval", "failed", "observed")
    return (
        row
        if row and (row["state"] != "awaiting_approval" or row["decision"]["reason"] == "AwaitsConfirmation")
        else None
    )


def moved(at: Plain) -> dict[str, Any]:
    """Wait until a migration has come to where a person must restart the compute."""
    try:
        row: dict[str, Any] = until(lambda: waits_for_a_person(at), "the end of the migration", 120)
    except TimeoutError as error:
        error.add_note(at.told())
        raise
    assert row["decision"]["reason"] == "AwaitsConfirmation", at.told()
    return row


@pytest.mark.parametrize("rbac", [False, True], ids=["policies", "roles"])
def test_one_road(azure: Client, rbac: bool) -> None:
    """From the PUT of a confidential workspace to three layers on a key of its own, and nothing else changed."""
    vault, region = (NORTH, "northeurope") if rbac else (WEST, "westeurope")
    key_vault(azure, vault, rbac=rbac, region=region)
    at = plain(azure, vault, region=region)
    row = at.soon("awaiting_approval", seconds=15)
    before = at.body()
    assert (row["finding"]["reason"], row["decision"]["kind"]) == ("PlatformKey", "approval")
    agree(at, row)
    done = moved(at)
    say(at, done, "confirm", DANA, comment="all clusters, pools and warehouses restarted").raise_for_status()
    at.soon("resolved")

    keys = at.keys()
    assert set(keys) == set(LAYERS)
    ((uri, name),) = set(keys.values())
    assert uri == f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net/"
    assert at.key_versions(name) == 1
    unchanged(before, at.body())
    assert at.body()["tags"] == TAGS
    for principal in at.identities().values():
        if rbac:
            assert at.roles(principal) == [NARROW]
        else:
            assert at.permissions(principal) == THREE
    assert len(at.puts()) == 4
    shown = azure.app(f"/api/remediations/{row['id']}")
    assert (shown["history_intact"], shown["history_problem"]) == (True, "")
