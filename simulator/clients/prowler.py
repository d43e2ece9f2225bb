"""Prowler: its three checks that speak of recovery, access control and the workspaces' keys.

Known disagreements, asserted as such:

- A workspace whose managed disk layer follows the newest version of its key has no `keyVersion`; Prowler takes that for an
  error, gives no finding for it and for all that are listed after it, and ends with success.
- With ten vaults or more whose data plane answers 200 and lists a key it waits for ever: it hands work to the pool of
  threads from within that pool. Here the vaults answer 403, as a vault does that has given it nothing.
"""

import json
from pathlib import Path
from typing import Any

from simulator.clients import workspaces
from simulator.clients.report import Report, names
from simulator.clients.stage import CLIENT_ID, INSTALLED, NEWEST_KEY, Ran, Stage
from simulator.clients.vaults import SUBSCRIPTION, VAULTS
from simulator.clients.workspaces import VERSIONLESS, WORKSPACES

NAME = "prowler"
RECOVERABLE = "keyvault_recoverable"
RBAC = "keyvault_rbac_enabled"
CMK = "databricks_workspace_cmk_encryption_enabled"


def check(stage: Stage, report: Report) -> None:
    """Everything that is checked of it."""
    findings(stage, report)
    newest_key(stage, report)


def findings(stage: Stage, report: Report) -> None:
    """Three checks over the planted estate, finding by finding, passes as well as fails."""
    ran, found = _run(stage, "findings", SUBSCRIPTION, [RECOVERABLE, RBAC, CMK])
    for name, letter in ((RECOVERABLE, "V"), (RBAC, "B")):
        wanted = {f"{each.name.lower()} {_verdict(letter in each.prowler)}" for each in VAULTS}
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


def _run(stage: Stage, name: str, subscription: str, checks: list[str]) -> tuple[Ran, dict[str, set[str]]]:
    folder = stage.folder / "prowler" / name
    command = [
        *stage.client(NAME, str(INSTALLED / NAME / "bin/prowler"), "azure", "--managed-identity-auth"),
        *("--no-banner", "--no-color", "--ignore-exit-code-3"),
        *("--subscription-ids", subscription, "--log-level", "ERROR"),
        *("--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename", "findings"),
        *("--checks", *checks),
    ]
    ran = stage.run(command, {"AZURE_CLIENT_ID": CLIENT_ID}, seconds=180, quiet=45)
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
