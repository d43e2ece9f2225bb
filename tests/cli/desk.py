"""A desk in front of a local Azure: the command in a process of its own, and an estate whose verdicts are known."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.client import Client
from simulator.used_vault import UsedVault
from tests.vaults import LOGS

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "cli.scan"]
CA_FREE = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
THREE = ("get", "wrapKey", "unwrapKey")


class Desk:
    """Where somebody types. The environment holds nothing but what a scan of this Azure needs."""

    def __init__(self, azure: Client) -> None:
        self.azure, self.facts = azure, azure.facts
        self.environ = {
            **CA_FREE,
            "CMKWARDEN_ARM_TOKEN": str(self.facts["owner_token"]),
            "CMK_DATABRICKS_PRINCIPAL_ID": str(self.facts["identities"]["azure_databricks"]["principal_id"]),
            "CMK_TENANT_ID": str(self.facts["tenant"]),
        }
        self.where = ["--arm-url", str(self.facts["arm"]), "--ca", str(self.facts["ca"])]

    def scan(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Scan the local Azure."""
        return run(*self.where, *args, environ={**self.environ, **environ})

    def subscription(self, number: int) -> str:
        """Return the id of a subscription."""
        return str(self.facts["subscriptions"][number])

    def vault(self, name: str, number: int = 0) -> str:
        """Return the id of a vault of the estate."""
        return f"{self._group(number)}/providers/Microsoft.KeyVault/vaults/{name}"

    def workspace(self, name: str, number: int = 0) -> str:
        """Return the id of a workspace of the estate."""
        return f"{self._group(number)}/providers/Microsoft.Databricks/workspaces/{name}"

    def _group(self, number: int) -> str:
        return f"/subscriptions/{self.subscription(number)}/resourceGroups/rg-desk"

    def seed(self) -> None:
        """Plant the estate: in the first subscription findings, in the second a sound vault and its workspace."""
        sound = UsedVault(self.facts, "kv-sound", self._group(1), layers=("managedServices",))
        used = UsedVault(self.facts, "kv-broad", self._group(0), layers=("managedServices",))
        databricks = sound.identities["managedServices"]
        bodies = [
            *sound.bodies([sound.policy(databricks, THREE)]),
            *used.bodies([used.policy(databricks, ["all"])]),
            self._vault("kv-open", {"cmk-vault": "true"}),
            self._vault("kv-plain", {"owner": "<script>alert(1)</script>"}),
            self._bare("dbw-bare", {"data-sensitivity": "restricted"}),
            _logged(sound.id),
            _logged(used.id),
        ]
        self.azure.manage("POST", "/seed", {"resources": bodies})

    def _vault(self, name: str, tags: Mapping[str, str]) -> dict[str, Any]:
        properties = {
            "tenantId": self.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
            "enableSoftDelete": True, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
            "enableRbacAuthorization": True,
        }  # fmt: skip
        return {
            "id": self.vault(name), "name": name, "type": "Microsoft.KeyVault/vaults", "location": "westeurope",
            "tags": dict(tags), "properties": properties,
        }  # fmt: skip

    def _bare(self, name: str, tags: Mapping[str, str]) -> dict[str, Any]:
        return {
            "id": self.workspace(name), "name": name, "type": "Microsoft.Databricks/workspaces",
            "location": "westeurope", "tags": dict(tags), "sku": {"name": "premium"},
            "properties": {"provisioningState": "Succeeded", "computeMode": "Hybrid"},
        }  # fmt: skip


def run(
    *args: str, environ: Mapping[str, str] = CA_FREE, given: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; stdout and stderr apart."""
    done = subprocess.run(
        [*COMMAND, *args], env=dict(environ), input=given, capture_output=True, cwd=ROOT, timeout=60, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def verdicts(items: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], str]:
    """Return the verdict and its reason by name of the target, control and subject."""
    return {
        (it["target"].rsplit("/", 1)[1], it["control"], it["subject"]): f"{it['verdict']} {it['reason']}"
        for it in items
    }


def _logged(vault: str) -> dict[str, Any]:
    """Return a diagnostic setting that sends the audit log of a vault to a workspace."""
    logs = [{"category": None, "categoryGroup": "allLogs", "enabled": True}]
    return {
        "id": f"{vault}/providers/Microsoft.Insights/diagnosticSettings/to-soc",
        "name": "to-soc",
        "type": "Microsoft.Insights/diagnosticSettings",
        "properties": {"workspaceId": LOGS, "logs": logs, "metrics": []},
    }
