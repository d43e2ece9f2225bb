"""Several instances of the app on one storage, their workers killed at random: each target is written exactly once."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Client, until
from simulator.ports import chosen
from simulator.stack import Stack

# A claim that runs out soon, so that the sweep at the end may take over what a dead worker holds.
_SETTINGS = {"CMK_SHARE": "100", "CMK_WRITES_PER_HOUR": "1000000", "CMK_CLAIM": "15"}
_BATCH = 50


def test_two_instances_write_each_target_once(tmp_path: Path) -> None:
    """Small enough for every run."""
    _survive(tmp_path, instances=2, targets=60, seconds=8)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_four_instances_write_each_of_500_targets_once(tmp_path: Path) -> None:
    """The whole bar: random kills for two minutes."""
    _survive(tmp_path, instances=4, targets=500, seconds=120)


def _survive(folder: Path, instances: int, targets: int, seconds: float) -> None:
    seed = int(os.environ.get("CMK_SEED", time.time_ns() % 10**6))
    print(f"CMK_SEED={seed}")  # noqa: T201 - shown by pytest when the test fails
    with Stack(chosen("random"), folder / "local", _SETTINGS, hold_seconds=3, hosts=instances) as stack:
        azure = Client(stack.facts)
        vaults = [_seeded(azure, number) for number in range(targets)]
        waves = [vaults[at : at + _BATCH] for at in range(0, targets, _BATCH)]
        deaths = 0
        for number in _kill_at_random(stack, instances, seconds, len(waves), random.Random(seed)):
            if number < len(waves):
                _send(azure, waves[number], number)
            deaths = number
        until(lambda: _revived(stack, instances) and _healed(azure, targets), "every row resolved", 240)
        states = Counter(row["state"] for row in _rows(azure))
        poison = Counter((it["source"], it["reason"]) for it in azure.app("/api/poison", limit="200")["items"])
        assert states == {"resolved": targets}, f"{states} {poison}"
        _check(azure, vaults)
        assert deaths > 0


def _kill_at_random(stack: Stack, instances: int, seconds: float, waves: int, chance: random.Random) -> Iterator[int]:
    """Kill a worker, wait a little, and so on; one number for each kill."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end or number < waves:
        yield number
        number += 1
        time.sleep(chance.uniform(0.5, 3))  # the pace of the deaths, not a wait for anything
        _revived(stack, instances)
        victim = chance.randrange(instances)
        for worker in _children(stack.facts["pids"][f"host{victim or ''}"]):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _revived(stack: Stack, instances: int) -> bool:
    """Start instances again whose host has had enough of dying workers."""
    for number in range(instances):
        if not stack.is_host_alive(number):
            stack.replace_host(number)
    return True


def _send(azure: Client, vaults: list[str], number: int) -> None:
    """Deliver a batch of events as Event Grid does: again, until it is taken."""
    events = [
        {
            "id": f"{number}-{place}",
            "topic": "/subscriptions/" + vault.split("/")[2],
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "subject": vault,
            "eventTime": "2026-11-24T00:00:00.0000000Z",
            "data": {},
            "dataVersion": "2",
        }
        for place, vault in enumerate(vaults)
    ]

    def taken() -> bool:
        with suppress(OSError):
            return azure.send_events("on_vault_write", events).status_code == 202
        return False

    until(taken, "a batch of events taken", 60)


def _healed(azure: Client, targets: int) -> bool:
    """Whether all is right; runs the sweep now and then, as the night would: a message may have killed five workers."""
    states = Counter(row["state"] for row in _rows(azure))
    if states["resolved"] == targets:
        return True
    if not set(states) & {"queued", "applying"} or time.monotonic() % 20 < 1:
        with suppress(OSError):
            azure.admin("POST", "/admin/functions/sweep", {})
        time.sleep(1)  # the sweep's own pace: asked for at most once a second
    return False


def _rows(azure: Client) -> list[dict[str, Any]]:
    found, cursor = [], ""
    with suppress(OSError):  # the instance that answers may just have died
        while True:
            part = azure.app(
                "/api/remediations", control="KV-RECOVERY", limit="200", **({"cursor": cursor} if cursor else {})
            )
            found += part["items"]
            cursor = part["next"] or ""
            if not cursor:
                return found
    return []


def _check(azure: Client, vaults: list[str]) -> None:
    journal = azure.manage("GET", "/journal")["items"]
    written = [item["path"].lower() for item in journal if item["method"] == "PATCH" and item["status"] == 200]
    assert sorted(written) == sorted(vault.lower() for vault in vaults), "each target once"
    rows = _rows(azure)
    assert {row["occurrence"] for row in rows} == {1}
    whole = [azure.app(f"/api/remediations/{row['id']}") for row in rows[:50]]
    assert all(row["history_intact"] for row in whole)


def _seeded(azure: Client, number: int) -> str:
    at = azure.facts["subscriptions"][0]
    name = f"kv-many-{number}"
    vault = f"/subscriptions/{at}/resourceGroups/rg-many/providers/Microsoft.KeyVault/vaults/{name}"
    own = {
        "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
        "enableSoftDelete": True, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
    }  # fmt: skip
    body = {"id": vault, "name": name, "location": "westeurope", "tags": {"cmk-vault": "true"}, "properties": own}
    azure.manage("POST", "/seed", {"resources": [body]})
    return vault
