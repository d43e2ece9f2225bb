"""Every rule's verdict on a resource, and what would be decided, writing nothing: the cheapest tool for trust."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Finding, NotApplicable
from shared.core.errors import BadInput
from shared.core.facts import Absent, Snapshot, Unreadable
from shared.core.graph import Graph, graph
from shared.core.ids import ResourceId
from shared.core.plan import Plan, Rail, counting_rail
from shared.core.ports import Ports
from shared.core.record import recorded, remediation_id
from shared.core.sandbox import environments
from shared.core.settle import Look
from shared.core.wake import Cause
from shared.flow.gather import deepen, gather
from shared.flow.look import NOTHING_TO_DO, Ledger, Seen, look
from shared.flow.receive import in_estate


def explain(ports: Ports, resource: str) -> Mapping[str, Any]:
    """Explain one resource. Raises BadInput for an id that is none or not ours, Temporary where Azure is not to be had."""
    target = ids.parse(resource)
    if not in_estate(ports, target.subscription):
        raise BadInput("OutsideEstate", f"subscription {target.subscription} is not in CMK_SUBSCRIPTIONS")
    memory = ports.records.known(target).memory
    snapshot = deepen(ports, gather(ports, target, memory), memory)
    seen = list(look(ports, snapshot, memory, Cause("person"), _reading(ports)))
    return {
        "resource": str(target),
        "kind": target.kind,
        "read": _read(snapshot),
        "environments": list(environments(snapshot, memory, ports.choices)),
        "graph": _graph(graph(snapshot, memory, ports.choices)),
        "verdicts": [_verdict(it, ports.choices) for it in (*seen, *_silent(ports, snapshot))],
    }


def _graph(whole: Graph | None) -> Mapping[str, Any] | None:
    """Return who uses the keys and by which grants, and for each grant what stops working if it goes."""
    if whole is None:
        return None
    used = {it.principal for it in whole.identities}
    grants = [
        {
            "id": it.id, "model": it.plane, "principal": it.principal, "scope": it.scope, "via": it.via,
            "is_active": it.plane is whole.plane, "uses_keys": it.principal in used, "allows": sorted(it.allows),
            "stops": whole.stops(it),
        }
        for it in whole.grants
    ]  # fmt: skip
    return {
        "vault": whole.vault,
        "model": whole.plane,
        "identities": whole.identities,
        "uses": whole.uses,
        "broken": whole.broken(),
        "grants": grants,
    }


def _silent(ports: Ports, snapshot: Snapshot) -> Iterator[Seen]:
    """Yield a verdict for each control that does not speak of this kind of resource: silence is an answer too."""
    kind = snapshot.target.kind
    for remediator in ports.remediators:
        control = remediator.control
        if kind not in control.targets:
            finding = Finding(
                "AnotherKind", f"{control.id} speaks of {', '.join(sorted(control.targets))}, not of {kind}"
            )
            verdict = NotApplicable(finding)
            row_id = remediation_id(control.id, snapshot.target.key, "")
            yield Seen(
                Look(row_id, control.id, str(snapshot.target), verdict, Plan(), NOTHING_TO_DO, Cause("person")), None
            )


def _reading(ports: Ports) -> Ledger:
    def read(target: ResourceId, reference: str) -> Rail | None:
        del reference
        now = ports.clock.now()
        ledger = ports.records.writes(target.subscription, now - timedelta(days=1))
        return counting_rail(target, ledger, ports.inventory.vaults_in(target.subscription), ports.choices, now)

    return read


def _read(snapshot: Snapshot) -> str:
    """Say how the read of the target went."""
    match snapshot.vault or snapshot.workspace:
        case Unreadable() as failed:
            return f"unreadable: {failed.reason}: {failed.message}"
        case Absent():
            return "absent: Azure says that there is no such resource"
        case _:
            return "read"


def _verdict(seen: Seen, choices: Choices) -> Mapping[str, Any]:
    look_, stored = seen.look, seen.stored
    return {
        "control": look_.control,
        "subject": look_.verdict.subject,
        "verdict": type(look_.verdict).__name__,
        "finding": look_.verdict.finding,
        "mode": choices.mode_of(look_.control),
        "decision": look_.decision,
        "plan": recorded(look_.plan),
        "remediation": look_.id if stored else None,
        "state": stored.row.state if stored else None,
    }
