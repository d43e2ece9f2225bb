"""The local Azure for measuring: the app notes its requests, and the kernel says what its process has cost."""

import json
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import ROOT, Stack

# Limits that a benchmark would meet and production should not.
SETTINGS = {"CMK_SHARE": "100", "CMK_WRITES_PER_HOUR": "1000000", "CMK_GAP": "60"}


class Local:
    """A running stack, its notes and its cost."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.azure = Client(stack.facts)
        self._notes = folder / "app/requests.jsonl"
        self.folder = folder
        self.worker = int(stack.facts["pids"]["worker"])

    def requests(self) -> list[dict[str, Any]]:
        """Return every request that the app has sent so far."""
        return [json.loads(line) for line in self._notes.read_text().splitlines()]

    def cpu(self) -> float:
        """Return the CPU seconds of the app's process so far."""
        words = Path(f"/proc/{self.worker}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the resident memory of the app's process, in MiB."""
        status = Path(f"/proc/{self.worker}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def storage_lines(self) -> list[str]:
        """Return what the storage emulator has answered so far, to whomever: one line a request."""
        text = (self.folder / "local/logs/azurite.log").read_text()
        return [line for line in text.splitlines() if ' HTTP/1.1" ' in line]


@contextmanager
def local(settings: Mapping[str, str] | None = None, *, storage_log: bool = False, **more: Any) -> Iterator[Local]:
    """Run a stack on free ports. `more` is for the stack."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        app = folder / "app"
        app.mkdir()
        for shared in ("host.json", "shared", "remediators"):
            (app / shared).symlink_to(ROOT / shared)
        (app / "real_function_app.py").symlink_to(ROOT / "function_app.py")
        (app / "function_app.py").symlink_to(ROOT / "bench/app/function_app.py")
        with Stack(
            chosen("random"),
            folder / "local",
            {**SETTINGS, **(settings or {})},
            app=app,
            storage_log=storage_log,
            **more,
        ) as stack:
            yield Local(stack, folder)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of all lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[int(share * 100) - 1]


def vault(azure: Client, name: str, *, number: int = 0) -> str:
    """Return the id of a vault in the benchmark's group."""
    at = azure.facts["subscriptions"][number]
    return f"/subscriptions/{at}/resourceGroups/rg-bench/providers/Microsoft.KeyVault/vaults/{name}"


def seed(azure: Client, names: Sequence[str]) -> list[str]:
    """Put unprotected CMK vaults into the world, without events; returns their ids."""
    bodies = []
    for name in names:
        own = {
            "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
            "enableSoftDelete": True, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
        }  # fmt: skip
        bodies.append(
            {
                "id": vault(azure, name), "name": name, "location": "westeurope", "tags": {"cmk-vault": "true"},
                "properties": own,
            }
        )  # fmt: skip
    azure.manage("POST", "/seed", {"resources": bodies})
    return [str(body["id"]) for body in bodies]


def event(target: str, number: int) -> dict[str, Any]:
    """Return an event of a write to a vault."""
    return {
        "id": f"bench-{number}",
        "topic": "/subscriptions/" + target.split("/")[2],
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "subject": target,
        "eventTime": "2026-11-24T00:00:00.0000000Z",
        "data": {"operationName": "Microsoft.KeyVault/vaults/write"},
        "dataVersion": "2",
    }
