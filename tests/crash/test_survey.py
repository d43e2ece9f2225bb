"""A sweep on several instances: each share is done once, whoever is killed over it, and what is unreadable stays unknown."""

import json
import os
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Client, until
from simulator.ports import chosen
from simulator.stack import Stack
from tests.cli.keyboard import Keyboard
from tests.crash.test_instances import _children, _revived, _rows

INSTANCES, SUBSCRIPTIONS, VAULTS = 4, 12, 2
DANA = 3
# Nothing is written, so every row is what a look found; looks of one target coalesce as they do anywhere.
_SETTINGS = {"CMK_MODE": "observe", "CMK_GAP": "0", "CMK_RETRY_DELAY": "0"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Client]]:
    """Four instances, a dozen subscriptions, and in each some vaults without protection that nobody has heard of."""
    places = [{"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))), "name": f"Team {n}"} for n in range(SUBSCRIPTIONS)]
    folder = tmp_path_factory.mktemp("survey") / "local"
    named = ",".join(place["id"] for place in places)
    with Stack(
        chosen("random"), folder, {**_SETTINGS, "CMK_SUBSCRIPTIONS": named}, hold_seconds=3, hosts=INSTANCES,
        subscriptions=places,
    ) as stack:  # fmt: skip
        azure = Client(stack.facts)
        bodies = [_vault(azure, place["id"], number) for place in places for number in range(VAULTS)]
        azure.manage("POST", "/seed", {"resources": bodies})
        yield stack, azure


def _vault(azure: Client, subscription: str, number: int) -> dict[str, Any]:
    name = f"kv-{subscription[:8]}-{number}"
    own = {
        "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
        "enableSoftDelete": True, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
    }  # fmt: skip
    at = f"/subscriptions/{subscription}/resourceGroups/rg-swept/providers/Microsoft.KeyVault/vaults/{name}"
    return {"id": at, "name": name, "location": "westeurope", "tags": {"cmk-vault": "true"}, "properties": own}


def _begun(azure: Client) -> str:
    """Ask for a sweep until whoever answers lives."""

    def asked() -> str:
        with suppress(OSError, ValueError):
            return str(azure.call("POST", "/api/sweeps", DANA).json().get("id", ""))
        return ""

    return str(until(asked, "a sweep that has begun", 60))


def _ended(azure: Client, sweep: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        with suppress(OSError, ValueError, AssertionError):
            found: dict[str, Any] = azure.app(f"/api/sweeps/{sweep}")
            return found if found["is_over"] else None
        return None

    ended: dict[str, Any] = until(over, "the end of the sweep", 120)
    return ended


def _counted(azure: Client) -> tuple[dict[str, Any], Counter[str]]:
    """Sweep; return what became of it, and how often it listed the keys of each vault."""
    azure.manage("DELETE", "/journal")
    return _ended(azure, _begun(azure)), _lists(azure)


def _lists(azure: Client) -> Counter[str]:
    """Return how often the keys of each vault were listed."""
    paths = [it["path"].lower() for it in azure.manage("GET", "/journal")["items"] if it["status"] == 200]
    return Counter(path.rsplit("/", 2)[1] for path in paths if path.endswith("/keys"))


def _looked(sweep: dict[str, Any]) -> int:
    """Return how many looks a sweep has asked for beside what it has found."""
    return sum(share["looked"] for share in sweep["shares"])


def _is_quiet(azure: Client) -> bool:
    """Whether no keys were listed for longer than a message may wait for its look: two seconds, and two more to be seen."""
    before = _lists(azure)
    time.sleep(5)
    return _lists(azure) == before


@pytest.mark.timeout(300)
def test_four_instances_do_each_share_once(running: tuple[Stack, Client]) -> None:
    """What nobody had heard of is found, all of it; the next sweep lists the keys of each vault once, whoever does it."""
    _, azure = running
    first = _ended(azure, _begun(azure))
    until(lambda: len(_rows(azure)) == SUBSCRIPTIONS * VAULTS, "a record of every vault", 60)
    # The second one learns what keys there are, and has each vault looked at for that: let these looks come to their end.
    until(lambda: not _looked(_counted(azure)[0]), "nothing left to learn", 90)
    until(lambda: _is_quiet(azure), "an end of looks", 60)
    later = [_counted(azure) for _ in range(2)]

    assert (first["listed"], first["found"], first["unread"]) == (SUBSCRIPTIONS * VAULTS, SUBSCRIPTIONS * VAULTS, [])
    for sweep, lists in later:
        assert (sweep["found"], sweep["unread"], _looked(sweep)) == (0, [], 0)
        assert set(lists.values()) == {1}
        assert len(lists) == SUBSCRIPTIONS * VAULTS


@pytest.mark.timeout(300)
def test_what_a_killed_instance_had_others_finish(running: tuple[Stack, Client]) -> None:
    """Workers die while they sweep; every share ends, well, and the records are those of before and no others."""
    stack, azure = running
    before = {row["id"] for row in _rows(azure)}
    draw = random.Random(os.environ["CMK_SEED"])
    azure.manage("POST", "/faults", [{"path": "/keys$", "times": 1000, "delay_ms": 150}])  # or they end before they die
    sweep, died = _begun(azure), 0
    for victim in draw.sample(range(INSTANCES), 3):
        for worker in _children(stack.facts["pids"][f"host{victim or ''}"]):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                died += 1
        _revived(stack, INSTANCES)
    azure.manage("DELETE", "/faults")
    ended = _ended(azure, sweep)

    assert died >= 3
    assert [share["progress"] for share in ended["shares"]] == ["done"] * SUBSCRIPTIONS
    assert ended["listed"] == SUBSCRIPTIONS * VAULTS
    assert {row["id"] for row in _rows(azure)} == before


@pytest.mark.timeout(300)
def test_what_cannot_be_read_is_named_and_closes_nothing(running: tuple[Stack, Client], tmp_path: Path) -> None:
    """The reader may not list in one subscription, another one is throttled without end: both are named, and the exit is 4."""
    stack, azure = running
    lost, busy = azure.facts["subscriptions"][:2]
    before = {row["id"]: row["state"] for row in _rows(azure)}
    azure.manage("POST", "/faults", [
        {"path": f"/subscriptions/{lost}/.*/keys$", "times": 1000, "status": 403, "code": "AuthorizationFailed"},
        {"path": f"/subscriptions/{busy}/.*/keys$", "times": 1000, "status": 429, "code": "TooManyRequests"},
    ])  # fmt: skip
    done = Keyboard(tmp_path, azure).local("sweep", "--wait", who="Dana")
    azure.manage("DELETE", "/faults")
    sweep = azure.app("/api/sweeps")["items"][0]

    assert done.returncode == 4, done.stderr
    assert f"{busy} could not be read: TooManyRequests" in done.stderr
    assert f"the keys of {VAULTS} vaults could not be listed" in done.stderr
    assert sweep["unread"] == [busy]
    assert sweep["hidden"] == VAULTS
    problems = {share["subscription"]: share["problem"] for share in sweep["shares"]}
    assert problems[busy].startswith("TooManyRequests")
    assert {row["id"]: row["state"] for row in _rows(azure)} == before
    assert json.dumps(sweep).count('"done"') == SUBSCRIPTIONS - 1
    assert stack.dead() == ""
