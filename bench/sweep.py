"""The price of looking over an estate for lost events: calls to Azure, time, CPU and memory, by how large it is.

    python -m bench.sweep [N ...] [--throttled]

N vaults and N workspaces in a hundred subscriptions; every tenth vault holds a customer-managed key. All is as the last
look and the last sweep have left it but for twenty: ten workspaces that are new and ten that have changed. Asked for over the API of
the real app; the kernel says what its process has cost.

--throttled: one subscription instead, all vaults with keys, and Azure refuses what is over its quota (250 reads and 25
more a second). Beside the time stands what the quota itself would take.
"""

import json
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bench.local import Local, local
from shared.adapters.credentials import managed_identity
from shared.adapters.estate import TableEstate
from shared.core import ids
from shared.core.facts import Workspace
from shared.core.judgement import Judgement
from shared.core.parse import vault, workspace
from shared.core.survey import digest
from simulator.client import until

SIZES, NEW, CHANGED, DANA = (100, 1_000, 10_000), 10, 10, 3
_NOW = datetime.now(UTC)
_PLACES = [{"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))), "name": f"Team {n}"} for n in range(100)]
_BUCKET, _A_SECOND = 250, 25  # reads of a subscription by one identity (AZURE 7)


def main() -> None:
    """Print a line for each size."""
    words = sys.argv[1:]
    is_throttled = "--throttled" in words
    places, every = (_PLACES[:1], 1) if is_throttled else (_PLACES, 10)
    print(
        f"{'resources':>10} {'with keys':>9} {'found':>6} {'pages':>6} {'grants':>6} {'keys':>6} {'looks':>6} {'429':>4} "
        f"{'seconds':>8} {'quota s':>7} {'CPU s':>6} {'CPU s/1,000':>12} {'MiB':>5}"
    )
    for size in [int(word) for word in words if word.isdigit()] or SIZES:
        # Nothing but the sweep is to be measured: what differs is judged and written nowhere.
        settings = {"CMK_MODE": "observe", "CMK_GAP": "0", "CMK_LOOK_AGAIN": "0"}
        with local(settings, subscriptions=places) as run:
            print(_line(run, size, every, is_throttled=is_throttled), flush=True)


def _line(run: Local, size: int, every: int, *, is_throttled: bool) -> str:
    bodies = list(estate(run.azure.facts, size, every))
    _seed(run, bodies)
    _judge(run, [it for it in bodies if "/keys/" not in it["id"]])
    _swept(run)  # learns what keys and grants there are
    until(lambda: _is_quiet(run), "the end of the looks that follow from that", 3000)
    fresh = [it for it in bodies if "/workspaces/" in it["id"]][: NEW + CHANGED]
    _change(run, fresh)
    run.azure.manage("DELETE", "/journal")
    run.azure.manage("POST", "/knobs", {"throttling": is_throttled})
    cpu, began = run.cpu(), time.perf_counter()
    ended = _swept(run)
    seconds, cpu = time.perf_counter() - began, run.cpu() - cpu
    journal = run.azure.manage("GET", "/journal")["items"]
    calls = Counter(_sort(it["path"]) for it in journal)
    reads = calls["grants"] + calls["keys"]
    quota = max(0.0, (reads - _BUCKET) / _A_SECOND) if is_throttled else 0.0
    return (
        f"{2 * size:>10} {size // every:>9} {ended['found']:>6} {calls['pages']:>6} {calls['grants']:>6} {calls['keys']:>6} "
        f"{calls['look']:>6} {sum(it['status'] == 429 for it in journal):>4} {seconds:>8.1f} {quota:>7.1f} {cpu:>6.1f} "
        f"{1000 * cpu / (2 * size):>12.2f} {run.memory():>5.0f}"
    )


def _sort(path: str) -> str:
    if path.lower().endswith("/microsoft.resourcegraph/resources"):
        return "pages"
    if path.count("/") == 5 and "/microsoft.authorization/" in path.lower():
        return "grants"
    return "keys" if path.lower().endswith("/keys") else "look"


def _swept(run: Local) -> dict[str, Any]:
    sweep = run.azure.call("POST", "/api/sweeps", DANA).json()
    ended: dict[str, Any] = until(lambda: _over(run, sweep["id"]), "the end of the sweep", 1800)
    return ended


def _is_quiet(run: Local) -> bool:
    """Whether nothing is read any more: the looks are done."""
    before = run.azure.manage("GET", "/journal")["items"][-1:]
    time.sleep(3)
    return bool(before == run.azure.manage("GET", "/journal")["items"][-1:])


def _seed(run: Local, bodies: list[dict[str, Any]]) -> None:
    for start in range(0, len(bodies), 500):
        run.azure.manage("POST", "/seed", {"resources": bodies[start : start + 500]})


def _change(run: Local, workspaces: list[dict[str, Any]]) -> None:
    """Ten new ones, and ten that have changed, without an event."""
    fresh = [json.loads(json.dumps(it).replace("dbw-bench-", "dbw-fresh-")) for it in workspaces[:NEW]]
    _seed(run, [*fresh, *({**it, "tags": {"owner": "somebody else"}} for it in workspaces[NEW:])])


def _over(run: Local, sweep_id: str) -> dict[str, Any] | None:
    time.sleep(0.2)  # asking costs CPU, too
    found: dict[str, Any] = run.azure.app(f"/api/sweeps/{sweep_id}")
    return found if found["is_over"] else None


def _judge(run: Local, bodies: list[dict[str, Any]]) -> None:
    """Leave what a look at each would have left."""
    settings = json.loads((run.folder / "local/host.json").read_text())["settings"]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[name] = settings[name]
    estate = TableEstate(
        run.azure.facts["storage"]["table"], managed_identity(run.azure.facts["identities"]["reader"]["client_id"])
    )

    def note(body: dict[str, Any]) -> None:
        it = (vault if "/vaults/" in body["id"] else workspace)(body)
        left = Judgement(
            str(it.id), it.id.kind, it.id.name, it.location, (), "", _NOW, "Compliant", (), digest=digest(it)
        )
        if isinstance(it, Workspace) or it.tags:  # a vault for other things is not kept
            estate.note(left)

    with ThreadPoolExecutor(4) as pool:
        for done, _ in enumerate(pool.map(note, bodies), 1):
            if done % 5000 == 0:
                print(f"{done} of {len(bodies)} judged", file=sys.stderr)


def estate(facts: Mapping[str, Any], size: int, every: int) -> Iterator[dict[str, Any]]:
    """Yield `size` vaults and as many workspaces, spread over the subscriptions; every `every`-th vault holds a key."""
    tenant, places = facts["tenant"], facts["subscriptions"]
    for number in range(size):
        at = f"/subscriptions/{places[number % len(places)]}/resourceGroups/rg-bench/providers"
        name, holds = f"kv-bench-{number}", (number + number // len(places)) % every == 0
        yield {
            "id": f"{at}/{ids.VAULT}/{name}", "name": name, "location": "westeurope",
            "tags": {"cmk-vault": "true"} if holds else {},
            "properties": {
                "tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
                "enableRbacAuthorization": True, "enableSoftDelete": True, "enablePurgeProtection": True,
                "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
            },
        }  # fmt: skip
        if holds:
            yield {"id": f"{at}/{ids.VAULT}/{name}/keys/cmk", "properties": {}}
        yield {
            "id": f"{at}/{ids.WORKSPACE}/dbw-bench-{number}", "name": f"dbw-bench-{number}", "location": "westeurope",
            "sku": {"name": "premium"}, "tags": {"owner": "bench"},
            "properties": {
                "computeMode": "Hybrid", "managedResourceGroupId": f"/subscriptions/s/resourceGroups/m-{number}",
                "provisioningState": "Succeeded", "workspaceId": str(10**15 + number),
                "parameters": {"enableNoPublicIp": {"type": "Bool", "value": True}},
            },
        }  # fmt: skip


if __name__ == "__main__":
    main()
