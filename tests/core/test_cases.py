"""Every JSON file in tests/cases is a case: facts in, verdict, sentence and steps out. Adding a case is adding a file."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from remediators import REMEDIATORS
from shared.core import ids
from shared.core.choices import Choices, VaultScope
from shared.core.control import Memory, Nomination, NonCompliant
from shared.core.facts import Absent, KeyRef, Layer, Snapshot, Unreadable, Vault, Workspace
from tests.fakes import vault_id, workspace_id

CASES = sorted((Path(__file__).parent.parent / "cases").glob("*/*.json"))
UNREADABLE = Unreadable("it", "AuthorizationFailed", "you may not")


def _vault(case: Any) -> Vault | Unreadable | Absent:
    if isinstance(case, str):
        return UNREADABLE if case == "unreadable" else Absent()
    return Vault(
        id=ids.parse(vault_id()),
        location="westeurope",
        tags={name.lower(): value for name, value in case["tags"].items()},
        host="kv-one.vault.azure.net",
        provisioning=case.get("provisioning", "Succeeded"),
        soft_delete=case["soft_delete"],
        purge_protection=case["purge_protection"],
        retention_days=case.get("retention_days", 90),
        rbac=True,
    )


def _workspace(place: int, environment: str) -> Workspace:
    layers = (Layer("managedServices", KeyRef("kv-one.vault.azure.net", "k", "1")),)
    target = ids.parse(workspace_id(f"dbw-{place}"))
    return Workspace(target, "westeurope", {"environment": environment}, "Succeeded", "premium", layers)


def _snapshot(case: dict[str, Any]) -> Snapshot:
    named = case.get("dependants", [])
    dependants = UNREADABLE if named == "unreadable" else tuple(_workspace(*it) for it in enumerate(named))
    return Snapshot(ids.parse(vault_id()), vault=_vault(case["vault"]), dependants=dependants)


def _memory(case: dict[str, Any]) -> Memory:
    memory = case.get("memory", {})
    nominations = tuple(Nomination(*it) for it in memory.get("nominations", []))
    return Memory(nominations=nominations, was_cmk_vault=memory.get("was_cmk_vault", False))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """A case comes out as its file says, sentence and steps included."""
    case = json.loads(path.read_text())
    choices = Choices(vault_scope=VaultScope(case.get("choices", {}).get("vault_scope", "linked")))
    remediator = next(it for it in REMEDIATORS if type(it).__module__.endswith(path.parent.name))
    snapshot = _snapshot(case)

    (verdict,) = remediator.judge(snapshot, _memory(case), choices, datetime(2026, 11, 24, tzinfo=UTC))
    steps = remediator.plan(verdict, snapshot, _memory(case), choices) if isinstance(verdict, NonCompliant) else ()

    got = {
        "verdict": type(verdict).__name__,
        "reason": verdict.finding.reason,
        "message": verdict.finding.message,
        "steps": [{"kind": it.kind, "before": dict(it.before), "after": dict(it.after)} for it in steps],
    }
    assert got == {name: case[name] for name in got}


def test_there_is_a_case_for_every_control() -> None:
    """Each remediator has a folder of cases."""
    folders = {path.parent.name for path in CASES}

    assert folders == {type(it).__module__.rsplit(".", 1)[1] for it in REMEDIATORS}
