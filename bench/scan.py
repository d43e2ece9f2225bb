"""The price of a scan: calls to Azure, time, CPU and memory of `cmkwarden scan` over an estate of 2,000 resources.

    python -m bench.scan

1,400 vaults and 600 workspaces in three subscriptions; 300 of the vaults hold keys that a workspace uses, half of them
with roles. Once with an Azure that answers at once, once with its quotas of reads and once with one that takes 150 ms as well.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import ROOT, Stack
from simulator.used_vault import NARROW, UsedVault, assignment

USED, BARE, PLAIN = 300, 300, 1100
THREE = ("get", "wrapKey", "unwrapKey")
SLOW = 150  # milliseconds


@dataclass(frozen=True, slots=True)
class Cost:
    """What one scan has cost."""

    code: int
    seconds: float
    cpu: float
    memory: float  # MiB at most


def main() -> None:
    """Print the table."""
    with TemporaryDirectory() as name, Stack(chosen("random"), Path(name) / "local", hosts=0) as stack:
        azure = Client(stack.facts)
        bodies = list(_estate(stack.facts))
        for start in range(0, len(bodies), 500):
            azure.manage("POST", "/seed", {"resources": bodies[start : start + 500]})
        print(f"{USED + PLAIN} vaults, {USED + BARE} workspaces, {USED} vaults with keys in use")
        _show(azure, "an Azure that answers at once")
        azure.manage("POST", "/knobs", {"throttling": True})
        _show(azure, "one that answers at once until its quotas are used up")
        azure.manage("POST", "/faults", [{"path": "", "times": 0, "delay_ms": SLOW}])
        _show(azure, f"one with quotas that takes {SLOW} ms")


def _show(azure: Client, what: str) -> None:
    azure.manage("DELETE", "/journal")
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        cost = _scan(azure.facts, report)
        counts = json.loads(report.read_text())["counts"]
    items = azure.manage("GET", "/journal")["items"]
    refused = sum(it["status"] == 429 for it in items)
    kinds: Counter[str] = Counter(_kind(str(it["path"])) for it in items if it["status"] != 429)
    print(f"\n{what}: exit {cost.code}, {counts['targets']} targets, {counts['verdicts']}")
    for kind, count in sorted(kinds.items()):
        print(f"  {kind:32} {count:6}")
    print(f"  {'calls to Azure in all':32} {sum(kinds.values()):6}, and {refused} that were told to wait")
    print(f"  {'seconds / CPU seconds':32} {cost.seconds:6.1f} / {cost.cpu:.1f}")
    print(f"  {'memory, MiB':32} {cost.memory:6.0f}", flush=True)


def _scan(facts: Mapping[str, Any], report: Path) -> Cost:
    principal = str(facts["identities"]["azure_databricks"]["principal_id"])
    own = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1",
        "CMKWARDEN_ARM_TOKEN": str(facts["owner_token"]), "CMK_DATABRICKS_PRINCIPAL_ID": principal,
        "CMK_TENANT_ID": str(facts["tenant"]),
    }  # fmt: skip
    command = [sys.executable, "-m", "cli.scan", "--arm-url", str(facts["arm"]), "--ca", str(facts["ca"]), "-o", "json"]
    command += ["--output-file", str(report)]
    began = time.monotonic()
    with subprocess.Popen(command, env=own, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    spent = time.monotonic() - began
    return Cost(process.returncode, spent, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _estate(facts: Mapping[str, Any]) -> Any:
    groups = [f"/subscriptions/{it}/resourceGroups/rg-bench" for it in facts["subscriptions"]]
    for number in range(USED):
        used = UsedVault(facts, f"kv-used-{number}", groups[number % len(groups)], rbac=number % 2 == 0)
        yield from used.bodies([used.policy(it, THREE) for it in used.identities.values()])
        if used.rbac:
            yield from (assignment(used.id, it, NARROW) for it in used.identities.values())
    for number in range(BARE):
        tags = {"data-sensitivity": "restricted"} if number % 2 else {}
        place = groups[number % len(groups)]
        yield {
            "id": f"{place}/providers/Microsoft.Databricks/workspaces/dbw-bare-{number}", "location": "westeurope",
            "sku": {"name": "premium"}, "tags": tags, "properties": {"provisioningState": "Succeeded"},
        }  # fmt: skip
    for number in range(PLAIN):
        name, place = f"kv-plain-{number}", groups[number % len(groups)]
        properties = {
            "tenantId": facts["tenant"], "enableSoftDelete": True, "enableRbacAuthorization": True,
            "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
        }  # fmt: skip
        path = f"{place}/providers/Microsoft.KeyVault/vaults/{name}"
        yield {"id": path, "location": "westeurope", "tags": {}, "properties": properties}


def _kind(path: str) -> str:
    words = path.strip("/").split("/")
    if "resourcegraph" in path.lower():
        return "Resource Graph"
    last = words[-1] if len(words) > 8 and "Microsoft.Authorization" in words else ""
    return last or ("keys" if "keys" in words else words[6])


if __name__ == "__main__":
    main()
