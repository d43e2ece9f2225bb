"""Every JSON file in tests/cases is a case: facts in, verdict, sentence and steps out. Adding a case is adding a file.

A case has one `subject`, '' where none is given. What Azure would say of access stands there as Azure would say it: a
vault with `properties`, `workspaces`, `roles` and `hindrances` are bodies, read by `shared.core.parse`.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from remediators import REMEDIATORS
from shared.core import ids, parse
from shared.core.choices import Choices, VaultScope
from shared.core.control import Memory, Nomination, NonCompliant, Once, Verdict
from shared.core.facts import Absent, Hindrances, KeyRef, Layer, Roles, Snapshot, Unreadable, Vault, Workspace
from shared.core.steps import Step
from tests.fakes import vault_id, workspace_id

CASES = sorted((Path(__file__).parent.parent / "cases").glob("*/*.json"))
UNREADABLE = Unreadable("it", "AuthorizationFailed", "you may not")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def _vault(case: Any) -> Vault | Unreadable | Absent:
    if isinstance(case, str):
        return UNREADABLE if case == "unreadable" else Absent()
    if "properties" in case:
        return parse.vault({"id": vault_id(), "location": "westeurope", **case})
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
    if "workspaces" in case:
        bodies = enumerate(case["workspaces"])
        dependants = tuple(parse.workspace({"id": workspace_id(f"dbw-{place}"), **body}) for place, body in bodies)
    return Snapshot(
        ids.parse(vault_id()),
        vault=_vault(case["vault"]),
        dependants=dependants,
        roles=_roles(case.get("roles")),
        hindrances=_hindrances(case.get("hindrances")),
        declared=frozenset(case.get("declared", [])),
        is_complete=case.get("is_complete", False),
    )


def _roles(case: Any) -> Roles | Unreadable | None:
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    by_group = {principal: frozenset(held) for principal, held in case.get("by_group", {}).items()}
    return Roles(parse.assignments(case["assignments"]), parse.definitions(case["definitions"]), by_group)


def _hindrances(case: Any) -> Hindrances | None:
    if case is None:
        return None
    found = {name: case.get(name, []) for name in ("locks", "denials", "timed")}
    return Hindrances(parse.locks(found["locks"]), parse.denials(found["denials"]), parse.timed(found["timed"]))


def _memory(case: dict[str, Any]) -> Memory:
    memory = case.get("memory", {})
    return Memory(
        nominations=tuple(Nomination(*it) for it in memory.get("nominations", [])),
        was_cmk_vault=memory.get("was_cmk_vault", False),
        identities=tuple(Once(*it) for it in memory.get("identities", [])),
        subjects=tuple(memory.get("subjects", [])),
    )


def _choices(case: dict[str, Any]) -> Choices:
    said = dict(case.get("choices", {}))
    scope, settle = said.pop("vault_scope", "linked"), said.pop("settle", 1800)
    return replace(Choices(vault_scope=VaultScope(scope), settle=timedelta(seconds=settle)), **said)


def _step(step: Step, case: dict[str, Any]) -> dict[str, Any]:
    """Return of a step what every case says, and of the rest what this case says."""
    shown = {"kind": step.kind, "before": dict(step.before), "after": dict(step.after)}
    more = {"resource": step.resource, "grants": step.grants, "settles": step.settles}
    more["not_before"] = step.not_before.isoformat() if step.not_before else None
    return {**shown, **{name: value for name, value in more.items() if name in case}}


def _judged(path: Path, case: dict[str, Any]) -> tuple[Verdict, list[Step]]:
    remediator = next(it for it in REMEDIATORS if type(it).__module__.endswith(path.parent.name))
    snapshot, memory, choices = _snapshot(case), _memory(case), _choices(case)
    verdicts = remediator.judge(snapshot, memory, choices, NOW)
    (verdict,) = [it for it in verdicts if it.subject == case.get("subject", "")]
    steps = remediator.plan(verdict, snapshot, memory, choices) if isinstance(verdict, NonCompliant) else ()
    return verdict, list(steps)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """A case comes out as its file says: sentence and steps, why a person is asked, and the evidence that it names."""
    case = json.loads(path.read_text())

    verdict, steps = _judged(path, case)

    wanted = case["steps"]
    got = {
        "verdict": type(verdict).__name__,
        "reason": verdict.finding.reason,
        "message": verdict.finding.message,
        "asks": verdict.asks if isinstance(verdict, NonCompliant) else "",
        "evidence": {name: verdict.finding.evidence.get(name) for name in case.get("evidence", {})},
        "steps": [_step(it, wanted[place] if place < len(wanted) else {}) for place, it in enumerate(steps)],
    }
    assert got == {"asks": "", "evidence": {}, **{name: case[name] for name in got if name in case}}


def test_there_is_a_case_for_every_control() -> None:
    """Each remediator has a folder of cases."""
    folders = {path.parent.name for path in CASES}

    assert folders == {type(it).__module__.rsplit(".", 1)[1] for it in REMEDIATORS}
