"""Prowler: its three checks that speak of recovery, access control and the workspaces' keys.

Known disagreements, asserted as such:

- A workspace whose managed disk layer follows the newest version of its key has no `keyVersion`; Prowler takes that for an
  error, gives no finding for it and for all that are listed after it, and ends with success.
- A vault that is still registering its name in DNS cannot be asked for its keys; Prowler drops it from all checks.
- With ten vaults or more whose data plane answers 200 and lists a key it waits for ever: it hands work to the pool of
  threads from within that pool. The planted vaults answer 403, as a vault does that has given it nothing.
"""

import json
from pathlib import Path
from typing import Any

from simulator.arm.answer import Json
from simulator.clients import vaults, workspaces
from simulator.clients.report import Report, names
from simulator.clients.stage import CLIENT_ID, INSTALLED, NEWEST_KEY, OPEN_VAULTS, PRINCIPAL_ID, Ran, Stage
from simulator.clients.vaults import SUBSCRIPTION, TENANT, VAULTS, Vault
from simulator.clients.workspaces import VERSIONLESS, WORKSPACES

NAME = "prowler"
RECOVERABLE = "keyvault_recoverable"
RBAC = "keyvault_rbac_enabled"
THREADS = 10  # Prowler's pool: prowler/providers/azure/lib/service/service.py
CMK = "databricks_workspace_cmk_encryption_enabled"


def check(stage: Stage, report: Report) -> None:
    """Everything that is checked of it."""
    findings(stage, report)
    newest_key(stage, report)
    open_vaults(stage, report)


def findings(stage: Stage, report: Report) -> None:
    """Three checks over the planted estate, finding by finding, passes as well as fails."""
    ran, found = _run(stage, "findings", SUBSCRIPTION, [RECOVERABLE, RBAC, CMK])
    for name, letter in ((RECOVERABLE, "V"), (RBAC, "B")):
        seen = [each for each in VAULTS if "-" not in each.prowler]
        wanted = {f"{each.name.lower()} {_verdict(letter in each.prowler)}" for each in seen}
        report.expect(NAME, name, ran, wanted, found.get(name, set()))
        ran = ran.again()
    wanted = {f"{each.name.lower()} {_verdict('C' in each.prowler)}" for each in WORKSPACES}
    report.expect(NAME, CMK, ran, wanted, found.get(CMK, set()))


def newest_key(stage: Stage, report: Report) -> None:
    """One workspace without a key version hides itself and those listed after it, without a word in the findings."""
    planted = sorted((*WORKSPACES[:8], VERSIONLESS), key=lambda each: each.name)
    stage.seed([workspaces.body(each, NEWEST_KEY) for each in planted])
    before = planted[: planted.index(VERSIONLESS)]
    wanted = {f"{each.name} {_verdict('C' in each.prowler)}" for each in before}
    ran, found = _run(stage, "newest", NEWEST_KEY, [CMK])
    note = f"{len(before)} of {len(planted)} and exit code 0, as known"
    got = (ran.code, found.get(CMK, set()))
    report.expect(NAME, f"{CMK}: one without keyVersion", ran, (0, wanted), got, note)
    says = "key_version" in ran.out + ran.err
    report.expect(NAME, "and says so in its log only", ran.again(), True, says, "key_version is named")


def open_vaults(stage: Stage, report: Report) -> None:
    """Vaults that list their keys, one more than it has threads: every thread waits for one that is not there."""
    for number in range(THREADS + 1):
        vault = Vault(
            f"kvo-{number:02d}", True, True, False, "none", "", "", properties={"accessPolicies": [_reader()]}
        )
        body = vaults.body(vault, OPEN_VAULTS)
        stage.seed([body, {"id": f"{body['id']}/keys/one"}])
    ran, found = _run(stage, "open", OPEN_VAULTS, [RECOVERABLE], quiet=15)
    listed = sum("vault.azure.net" in each["path"] and each["status"] == 200 for each in ran.journal)
    note = "hangs, as known: ended after 15 s of silence"
    got = (ran.code, found, listed)
    report.expect(NAME, f"{RECOVERABLE}: {THREADS + 1} vaults that answer", ran, (None, {}, THREADS), got, note)


def _reader() -> Json:
    return {"tenantId": TENANT, "objectId": PRINCIPAL_ID, "permissions": {"keys": ["get", "list"]}}


def _run(
    stage: Stage, name: str, subscription: str, checks: list[str], quiet: float = 45
) -> tuple[Ran, dict[str, set[str]]]:
    folder = stage.folder / "prowler" / name
    command = [
        *stage.client(NAME, str(INSTALLED / NAME / "bin/prowler"), "azure", "--managed-identity-auth"),
        *("--no-banner", "--no-color", "--ignore-exit-code-3"),
        *("--subscription-ids", subscription, "--log-level", "ERROR"),
        *("--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename", "findings"),
        *("--checks", *checks),
    ]
    ran = stage.run(command, {"AZURE_CLIENT_ID": CLIENT_ID}, seconds=180, quiet=quiet)
    return ran, _read(folder / "findings.ocsf.json")


def _read(file: Path) -> dict[str, set[str]]:
    """The findings by check: `name PASS` or `name FAIL`."""
    rows: list[Any] = json.loads(file.read_text()) if file.exists() else []
    found: dict[str, set[str]] = {}
    for row in rows:
        (name,) = names(each["name"] for each in row["resources"])
        found.setdefault(row["metadata"]["event_code"], set()).add(f"{name} {row['status_code']}")
    return found


def _verdict(is_wrong: bool) -> str:
    return "FAIL" if is_wrong else "PASS"
