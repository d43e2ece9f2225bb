"""Cloud Custodian's event mode and ours, on the same events and the same local Azure: calls, writes, CPU.

    make clients && .venv/bin/python -m bench.custodian

Custodian's code path for one event (`azure-event-grid` mode: read the resource, filter, act) runs in its own
environment, without the Functions host around it. It has no action for purge protection, so its policy adds an access
policy instead: one write to the vault, as ours is. The same vault is hit many times: what does a storm cost?
"""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.local import SETTINGS, event, local, seed
from simulator.client import until
from simulator.clients.stage import CLIENT_ID, Stage
from simulator.clients.vaults import SUBSCRIPTION, TENANT

VAULTS = 20
EACH = 10  # events of each vault
_LOOP = """
import json, resource, sys
from c7n.config import Config
from c7n.policy import PolicyCollection
from c7n.resources import load_resources
from c7n_azure.entry import initialize_azure

initialize_azure()
load_resources(("azure.keyvault",))
data = json.load(open("policy.json"))
(policy,) = PolicyCollection.from_data(data, Config.empty(output_dir="out", account_id=sys.argv[1]))
mode = policy.get_execution_mode()
events = json.load(open("events.json"))
mode.run(events.pop(0), None)
used = resource.getrusage(resource.RUSAGE_SELF)
before = used.ru_utime + used.ru_stime
for event in events:
    mode.run(event, None)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime - before, "events": len(events)}))
"""


def main() -> None:
    """Print the table."""
    print(f"{VAULTS * EACH} events over {VAULTS} vaults   calls an event   writes a vault   CPU an event, ms")
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
        _show("Cloud Custodian, event mode", *_theirs(stage))
    with local({**SETTINGS, "CMK_GAP": "5"}) as run:
        targets = seed(run.azure, [f"kv-same-{number}" for number in range(VAULTS)])
        run.azure.manage("DELETE", "/journal")
        cpu = run.cpu()
        run.azure.send_events("on_vault_write", [event(target, n) for n in range(EACH) for target in targets])
        until(lambda: all(_is_resolved(run.azure.row(target)) for target in targets), "every vault put right", 120)
        journal = run.azure.manage("GET", "/journal")["items"]
        _show("cmkwarden, with records", journal, run.cpu() - cpu, VAULTS * EACH)


def _theirs(stage: Stage) -> tuple[list[dict[str, Any]], float, int]:
    names = ["kv-first", *(f"kv-same-{number}" for number in range(VAULTS))]
    ids = [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{it}" for it in names]
    own = {
        "tenantId": TENANT,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enableSoftDelete": True,
    }
    stage.seed([{"id": each, "location": "westeurope", "tags": {}, "properties": own} for each in ids])
    policy = {
        "name": "protect",
        "resource": "azure.keyvault",
        "mode": {"type": "azure-event-grid", "events": ["KeyVaultWrite"]},
        "filters": [{"type": "value", "key": "properties.enablePurgeProtection", "op": "ne", "value": True}],
        "actions": [
            {
                "type": "update-access-policy", "operation": "add",
                "access-policies": [{"tenant-id": TENANT, "object-id": CLIENT_ID, "permissions": {"keys": ["get"]}}],
            }
        ],
    }  # fmt: skip
    (stage.folder / "policy.json").write_text(json.dumps({"policies": [policy]}))
    order = [ids[0], *(each for _ in range(EACH) for each in ids[1:])]
    (stage.folder / "events.json").write_text(json.dumps([{"subject": each, "data": {}} for each in order]))
    extra = {
        "AZURE_USE_MSI": "1", "AZURE_CLIENT_ID": CLIENT_ID, "AZURE_TENANT_ID": TENANT,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    }  # fmt: skip
    ran = stage.run(stage.client("custodian", "-c", _LOOP, SUBSCRIPTION), extra)
    answer = ran.json()
    if answer is None:
        raise SystemExit(f"Cloud Custodian did not run (make clients?): {ran.err[-2000:]}")
    journal = [item for item in ran.journal if "kv-first" not in item["path"]]
    return journal, float(answer["cpu"]), int(answer["events"])


def _show(name: str, journal: list[dict[str, Any]], cpu: float, events: int) -> None:
    writes = Counter(item["path"] for item in journal if item["method"] in {"PUT", "PATCH"} and item["status"] < 300)
    most = max(writes.values(), default=0)
    print(f"  {name:28} {len(journal) / events:16.2f} {most:16} {cpu / events * 1000:18.1f}")


def _is_resolved(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["state"] == "resolved"


if __name__ == "__main__":
    main()
