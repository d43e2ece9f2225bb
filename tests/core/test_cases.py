"""Every JSON file in tests/cases is a case: facts in, verdict, sentence and steps out. Adding a case is adding a file.

A case has one `subject`, '' where none is given. What Azure would say stands there as Azure would say it: a vault with
`properties`, `workspace`, `workspaces`, `roles`, `hindrances`, `contents` and `logging` are bodies, read by
`shared.core.parse`. A case with
`workspace` is about one; what else it may hold: `around.py`.

Of a migration a case may say in short: `steps` as words, `layers` and `preflight` of the evidence, and `subjects`, all
other verdicts. `part_of` names the case whose plan holds every step that is left here, under the same id.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from remediators import REMEDIATORS
from shared.core import ids, parse
from shared.core.control import Compliant, NonCompliant, Remediator, Verdict
from shared.core.facts import Absent, KeyRef, Layer, Snapshot, Unreadable, Vault, Workspace
from shared.core.steps import Step
from tests.core import around
from tests.core.around import UNREADABLE
from tests.fakes import vault_id, workspace_id

CASES = sorted((Path(__file__).parent.parent / "cases").glob("*/*.json"))
MIGRATIONS = [path for path in CASES if path.parent.name == "workspace_cmk"]
PARTS = [path for path in MIGRATIONS if "part_of" in path.read_text()]
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
    if "workspace" in case:
        return around.workspace_snapshot(case)
    named = case.get("dependants", [])
    dependants = UNREADABLE if named == "unreadable" else tuple(_workspace(*it) for it in enumerate(named))
    if "workspaces" in case:
        bodies = enumerate(case["workspaces"])
        dependants = tuple(parse.workspace({"id": workspace_id(f"dbw-{place}"), **body}) for place, body in bodies)
    return Snapshot(
        ids.parse(vault_id()),
        vault=_vault(case["vault"]),
        dependants=dependants,
        roles=around.roles(case.get("roles")),
        hindrances=around.hindrances(case.get("hindrances")),
        declared=frozenset(case.get("declared", [])),
        is_complete=case.get("is_complete", False),
        contents=around.contents(case.get("contents")),
        held_keys=around.held_keys(case.get("held_keys")),
        logging=around.logging(case.get("logging")),
        deleted=around.deleted(case.get("deleted")),
    )


def _step(step: Step, wanted: Any) -> Any:
    """Return of a step what every case says, and of the rest what this case says; or the words that say it in short."""
    if isinstance(wanted, str):
        what = next(
            (step.after[name] for name in ("layer", "objectId", "principalId", "name") if name in step.after), ""
        )
        return f"{step.kind} {what}".strip()
    shown = {"kind": step.kind, "before": dict(step.before), "after": dict(step.after)}
    more = {name: getattr(step, name) for name in ("resource", "grants", "settles", "irreversible", "by_hand")}
    more["not_before"] = step.not_before.isoformat() if step.not_before else None
    return {**shown, **{name: value for name, value in more.items() if name in wanted}}


def _remediator(path: Path) -> Remediator:
    return next(it for it in REMEDIATORS if type(it).__module__.endswith(path.parent.name))


def _judged(path: Path, case: dict[str, Any]) -> tuple[list[Verdict], list[Step]]:
    """Return the verdicts, that on the case's subject first, and the plan that it has."""
    remediator, subject = _remediator(path), case.get("subject", "")
    snapshot, memory, choices = _snapshot(case), around.memory(case), around.choices(case)
    verdicts = remediator.judge(snapshot, memory, choices, NOW)
    (verdict,) = [it for it in verdicts if it.subject == subject]
    steps = remediator.plan(verdict, snapshot, memory, choices) if isinstance(verdict, NonCompliant) else ()
    return [verdict, *(it for it in verdicts if it.subject != subject)], list(steps)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    """A case comes out as its file says: sentence and steps, why a person is asked, and the evidence that it names."""
    case = json.loads(path.read_text())

    (verdict, *others), steps = _judged(path, case)

    wanted, said = case["steps"], verdict.finding.evidence
    stops = verdict.stops if isinstance(verdict, NonCompliant) else None
    got = {
        "verdict": type(verdict).__name__,
        "reason": verdict.finding.reason,
        "message": verdict.finding.message,
        "asks": verdict.asks if isinstance(verdict, NonCompliant) else "",
        "quiet": verdict.quiet.isoformat() if isinstance(verdict, NonCompliant) and verdict.quiet else None,
        "stops": {"reason": stops.reason, "message": stops.message} if stops else None,
        "evidence": {name: said.get(name) for name in case.get("evidence", {})},
        "steps": [_step(it, wanted[place] if place < len(wanted) else "") for place, it in enumerate(steps)],
        "layers": {it["layer"]: f"{it['verdict']} {it['reason']}" for it in said.get("layers", ())},
        "preflight": {it["check"]: it["result"] for it in said.get("preflight", ())},
        "subjects": {it.subject: f"{type(it).__name__} {it.finding.reason}" for it in others},
    }
    wants = {"asks": "", "quiet": None, "stops": None, "evidence": {}} | {
        name: case[name] for name in got if name in case
    }
    assert {name: got[name] for name in wants} == wants


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_what_is_left_of_a_migration_is_part_of_what_was_agreed_to(path: Path) -> None:
    """A step keeps its id however far the migration has come, and whatever its references have come to stand for."""
    case = json.loads(path.read_text())
    whole = path.with_name(case["part_of"] + ".json")

    left, agreed = _judged(path, case)[1], _judged(whole, json.loads(whole.read_text()))[1]

    assert {step.id for step in left} <= {step.id for step in agreed}


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_a_workspace_is_compliant_only_where_each_layer_is(path: Path) -> None:
    """Whatever a case is about: the workspace is never said to be fine while a layer is not, or may not be."""
    case = json.loads(path.read_text())
    verdicts = _remediator(path).judge(_snapshot(case), around.memory(case), around.choices(case), NOW)
    (whole,) = [it for it in verdicts if it.subject == ""]
    standings = {it["verdict"] for it in whole.finding.evidence.get("layers", ())}

    assert not isinstance(whole, Compliant) or standings <= {"compliant", "not applicable"}


def test_there_is_a_case_for_every_control() -> None:
    """Each remediator has a folder of cases."""
    folders = {path.parent.name for path in CASES}

    assert folders == {type(it).__module__.rsplit(".", 1)[1] for it in REMEDIATORS}
