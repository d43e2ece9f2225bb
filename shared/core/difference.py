"""What came and what went between the plan that somebody saw and the plan of now.

The history holds the steps of every plan that was made, by fingerprint: a person is shown what has changed, and the
chain shows what they could see when they said yes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.core.chain import Entry
from shared.core.record import RecordedPlan


def on_record(plan: RecordedPlan) -> Mapping[str, Any]:
    """Return what the history keeps of a plan: its fingerprint, and each step without what was there before."""
    steps = [{"id": it.id, "kind": it.kind, "resource": it.resource, "after": dict(it.after)} for it in plan.steps]
    return {"fingerprint": plan.fingerprint, "steps": steps}


def difference(history: Sequence[Entry], seen: str, plan: RecordedPlan) -> Mapping[str, Any]:
    """Return which steps came and which went since a plan was seen; neither where it is not on record."""
    before = next((it.detail["steps"] for it in reversed(history) if _is_of(it, seen)), None)
    now = on_record(plan)["steps"]
    told: dict[str, Any] = {"seen": seen, "now": plan.fingerprint, "came": None, "went": None}
    if before is not None:
        told |= {"came": _without(now, before), "went": _without(before, now)}
    return told


def _is_of(entry: Entry, fingerprint: str) -> bool:
    return bool(fingerprint) and "steps" in entry.detail and entry.detail.get("fingerprint") == fingerprint


def _without(steps: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    known = {it["id"] for it in others}
    return [it for it in steps if it["id"] not in known]
