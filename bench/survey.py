"""The price of looking over an estate for lost events: calls to Azure, time, CPU and memory, by how large it is.

    python -m bench.survey [N ...]

N vaults and N workspaces in three subscriptions, all as the last look has left them but for twenty: ten that are new and
ten that have changed. Asked for over the API of the real app; the kernel says what its process has cost.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from bench.local import Local, local
from shared.adapters.credentials import managed_identity
from shared.adapters.estate import TableEstate
from shared.core import ids
from shared.core.judgement import Judgement
from shared.core.parse import vault, workspace
from shared.core.survey import digest
from simulator.client import until

SIZES, NEW, CHANGED, DANA = (100, 1_000, 10_000), 10, 10, 3
_NOW = datetime.now(UTC)


def main() -> None:
    """Print a line for each size."""
    print(f"{'resources':>10} {'found':>6} {'calls':>6} {'seconds':>8} {'CPU s':>6} {'CPU s/1,000':>12} {'MiB':>5}")
    for size in [int(word) for word in sys.argv[1:]] or SIZES:
        # Nothing but the survey is to be measured: what differs is judged and written nowhere.
        with local({"CMK_MODE": "observe", "CMK_GAP": "0"}) as run:
            print(_line(run, size), flush=True)


def _line(run: Local, size: int) -> str:
    bodies = list(_estate(run.azure.facts, size))
    for start in range(0, len(bodies), 500):
        run.azure.manage("POST", "/seed", {"resources": bodies[start : start + 500]})
    _judge(run, bodies[NEW:])
    run.azure.manage("DELETE", "/journal")
    cpu, began = run.cpu(), time.perf_counter()
    sweep = run.azure.call("POST", "/api/sweeps", DANA).json()
    ended = until(lambda: _over(run, sweep["id"]), "the end of the sweep", 900)
    seconds, cpu = time.perf_counter() - began, run.cpu() - cpu
    calls = Counter(it["path"].rsplit("/", 1)[-1] for it in run.azure.manage("GET", "/journal")["items"])
    return (
        f"{len(bodies):>10} {ended['found']:>6} {calls['resources']:>6} {seconds:>8.1f} {cpu:>6.1f} "
        f"{1000 * cpu / len(bodies):>12.2f} {run.memory():>5.0f}"
    )


def _over(run: Local, sweep_id: str) -> dict[str, Any] | None:
    time.sleep(0.2)  # asking costs CPU, too
    found: dict[str, Any] = run.azure.app(f"/api/sweeps/{sweep_id}")
    return found if found["is_over"] else None


def _judge(run: Local, bodies: list[dict[str, Any]]) -> None:
    """Leave what a look at each would have left; ten of them looked different then."""
    settings = json.loads((run.folder / "local/host.json").read_text())["settings"]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[name] = settings[name]
    estate = TableEstate(
        run.azure.facts["storage"]["table"], managed_identity(run.azure.facts["identities"]["reader"]["client_id"])
    )

    def note(numbered: tuple[int, dict[str, Any]]) -> None:
        number, body = numbered
        it = (vault if "/vaults/" in body["id"] else workspace)(body)
        left = "another" if number < CHANGED else digest(it)
        estate.note(
            Judgement(str(it.id), it.id.kind, it.id.name, it.location, (), "", _NOW, "Compliant", (), digest=left)
        )

    with ThreadPoolExecutor(4) as pool:
        for done, _ in enumerate(pool.map(note, enumerate(bodies)), 1):
            if done % 5000 == 0:
                print(f"{done} of {len(bodies)} judged", file=sys.stderr)


def _estate(facts: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    tenant, places = facts["tenant"], facts["subscriptions"]
    for number in range(size):
        at = f"/subscriptions/{places[number % len(places)]}/resourceGroups/rg-bench/providers"
        name = f"kv-bench-{number}"
        yield {
            "id": f"{at}/{ids.VAULT}/{name}", "name": name, "location": "westeurope", "tags": {"cmk-vault": "true"},
            "properties": {
                "tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
                "enableRbacAuthorization": True, "enableSoftDelete": True, "enablePurgeProtection": True,
                "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
            },
        }  # fmt: skip
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
