"""What a whole look at an estate costs: Prowler, Cloud Custodian and `cmkwarden scan`, on the same local Azure.

    make clients && .venv/bin/python -m bench.beside [N ...]

N vaults and N workspaces in one subscription. All are asked the same two questions: which vaults lack purge protection, which
workspaces have a layer without a customer-managed key. Each answers from nothing, in a process of its own; the two that
do not work in processes of many pages are given what they need (Custodian its ARM source: its other one sees a thousand).
`bench.sweep` is what cmkwarden asks from the second night on: what differs, and no more.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.sweep import estate
from remediators import REMEDIATORS
from simulator.clients.stage import CLIENT_ID, INSTALLED, MANY, ROOT, Ran, Stage
from simulator.clients.vaults import TENANT

SIZES = (100, 1_000)
_LIMIT = 900.0  # seconds
_ASKED = {"KV-RECOVERY", "DBX-CMK"}
# Runs a command and leaves what the kernel says that it has cost.
_WRAP = """
import json, os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / 1024}))
sys.exit(code)
"""


def main() -> None:
    """Print a line for each of them and each size."""
    print(
        f"{'resources':>10} {'who':18} {'vaults':>7} {'workspaces':>10} {'calls':>7} {'seconds':>8} {'CPU s':>6} {'MiB':>5}"
    )
    for size in [int(word) for word in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
            _seed(stage, size)
            for name, ask in (("Prowler", _prowler), ("Cloud Custodian", _custodian), ("cmkwarden scan", _scan)):
                ran, found = ask(stage)
                cost = _cost(stage)
                print(
                    f"{2 * size:>10} {name:18} {found[0]:>7} {found[1]:>10} {ran.requests:>7} {ran.seconds:>8.1f} "
                    f"{cost['cpu']:>6.1f} {cost['memory']:>5.0f}",
                    flush=True,
                )


def _seed(stage: Stage, size: int) -> None:
    bodies = list(estate({"tenant": TENANT, "subscriptions": [MANY]}, size, 10))
    for it in bodies[::3]:
        it["properties"].pop("enablePurgeProtection", None)
    for start in range(0, len(bodies), 500):
        stage.seed(bodies[start : start + 500])


def _run(stage: Stage, command: Sequence[str], extra: Mapping[str, str]) -> Ran:
    wrapped = [sys.executable, "-c", _WRAP, str(stage.folder / "cost.json"), *command]
    return stage.run(wrapped, {"AZURE_CLIENT_ID": CLIENT_ID, **extra}, seconds=_LIMIT)


def _cost(stage: Stage) -> dict[str, float]:
    cost: dict[str, float] = json.loads((stage.folder / "cost.json").read_text())
    return cost


type _Found = tuple[int, int]  # vaults without purge protection, workspaces with a layer without a key


def _prowler(stage: Stage) -> tuple[Ran, _Found]:
    checks = ("keyvault_recoverable", "databricks_workspace_cmk_encryption_enabled")
    folder = stage.folder / "prowler"
    command = [
        *stage.client("prowler", str(INSTALLED / "prowler/bin/prowler"), "azure", "--managed-identity-auth"),
        *("--no-banner", "--no-color", "--ignore-exit-code-3", "--subscription-ids", MANY, "--log-level", "ERROR"),
        *("--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename", "findings"),
        *("--checks", *checks),
    ]
    ran = _run(stage, command, {})
    rows: list[Any] = json.loads((folder / "findings.ocsf.json").read_text())
    failed = [row["metadata"]["event_code"] for row in rows if row["status_code"] == "FAIL"]
    return ran, (failed.count(checks[0]), failed.count(checks[1]))


def _custodian(stage: Stage) -> tuple[Ran, _Found]:
    is_not = {"type": "value", "key": "properties.enablePurgeProtection", "op": "ne", "value": True}
    has_no = {"type": "value", "key": "properties.parameters.encryption.value.keySource", "value": "absent"}
    asked = {"vaults": ("azure.keyvault", is_not), "workspaces": ("azure.databricks", has_no)}
    policies = [{"name": name, "resource": kind, "filters": [each]} for name, (kind, each) in asked.items()]
    (stage.folder / "policies.json").write_text(json.dumps({"policies": policies}))
    folder = stage.folder / "custodian"
    command = [
        *stage.client("custodian", str(INSTALLED / "custodian/bin/custodian"), "run"),
        *("-s", str(folder), "policies.json"),
    ]
    extra = {"AZURE_USE_MSI": "1", "AZURE_TENANT_ID": TENANT, "AZURE_SUBSCRIPTION_ID": MANY}
    ran = _run(stage, command, extra)
    counts = [len(json.loads((folder / name / "resources.json").read_text())) for name in asked]
    return ran, (counts[0], counts[1])


def _scan(stage: Stage) -> tuple[Ran, _Found]:
    others = {it.control.id for it in REMEDIATORS} - _ASKED
    off = {f"CMK_MODE_{control.replace('-', '_')}": "off" for control in others}
    # Of every vault and every workspace, as the others do: not of those alone that hold keys or sensitive data.
    whole = {"CMK_VAULT_SCOPE": "all", "CMK_ALL_WORKSPACES": "true", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cli.scan", "--subscription", MANY, "-o", "json", "--output-file", "scan.json"]
    ran = _run(stage, command, {**off, **whole})
    rows = json.loads((stage.folder / "scan.json").read_text())["items"]
    targets = {it["target"].lower() for it in rows if it["verdict"] == "NonCompliant"}
    return ran, (sum("/vaults/" in it for it in targets), sum("/workspaces/" in it for it in targets))


if __name__ == "__main__":
    main()
