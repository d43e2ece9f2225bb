"""Somebody takes back what people have approved and what has not been carried out: it waits for them again.

    queued      waits again; its message finds nothing to do
    applying    waits again; whoever works on it loses the row at the next save, so before the next write. A write that
                is on its way at that moment may still happen: its event wakes us, and a look says where things stand

What happens by itself was not approved by anybody: it would be decided the same way at the next look. Who does not
want it asks for an exemption, or stops us.
"""

from contextlib import suppress

from shared.core.decide import Kind
from shared.core.errors import Refused, RowChanged
from shared.core.ports import Event, Ports, Stored
from shared.core.record import BUSY, Remediation, State, moved
from shared.flow.approve import check_comment, save
from shared.flow.undo import lift


def cancel(ports: Ports, stored: Stored, person: str, comment: str, origin: str = "") -> Stored:
    """Take back the approvals of a row that is on its way. Raises Refused, BadInput or RowChanged."""
    row = stored.row
    _check(row)
    check_comment(comment)
    waiting = moved(row, State.AWAITING_APPROVAL, ports.clock.now(), approvals=(), approved=(), attempt=0, claim="")
    detail = {
        "comment": comment.strip(),
        "from": origin,
        "was": row.state,
        "fingerprint": row.plan.fingerprint,
        "approved": [it.person for it in row.approvals],
    }
    saved = save(ports, stored, waiting, Event("cancelled", person, "Cancelled", detail))
    if row.undoes:  # second: an undo that goes on after all must find its exemption
        with suppress(RowChanged):  # whoever has the original decides on it anew in any case
            lift(ports, saved.row, person, "UndoCancelled")
    return saved


def _check(row: Remediation) -> None:
    if row.state not in BUSY:
        raise Refused("NothingToCancel", f"the remediation is {row.state}: only what is on its way can be cancelled")
    if row.decision.kind is Kind.AUTO:
        raise Refused(
            "HappensByItself",
            "nobody approved this: it is decided so inside CMK_AUTO_SCOPE, and would be again. Ask for an exemption, "
            "or stop it with CMK_KILL_SWITCH or CMK_PAUSED",
        )
    if row.decision.kind is not Kind.APPROVAL:
        raise Refused("NothingToCancel", "an owner is asked to run its commands: end its exemption instead")
