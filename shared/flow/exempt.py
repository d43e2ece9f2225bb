"""A person's dated "not here": asked for by one, approved by another, ended by anybody who may approve.

The wish is a remediation of its own, as an undo is. It writes nothing to Azure: once approved it exempts the original,
and only as far as the finding is still the one that was shown (DESIGN 5).
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.core import exemption, ids
from shared.core.control import Finding
from shared.core.decide import Decision, Kind
from shared.core.errors import Denied, Refused, RowChanged, Temporary
from shared.core.ports import Event, Ports, Stored
from shared.core.record import (
    BUSY,
    OPENED_BY,
    Exemption,
    RecordedPlan,
    Remediation,
    State,
    covered,
    moved,
    remediation_id,
    resolved,
)
from shared.core.wake import Cause
from shared.flow.follow import look_soon
from shared.flow.messages import EVALUATE, Evaluate
from shared.flow.say import say
from shared.flow.undo import Wish, ask, check_wish, exempt
from shared.flow.work import Work

_log = logging.getLogger("cmkwarden.exempt")

_ASKED = "an exemption leaves the finding as it is until {until:%Y-%m-%d %H:%M} UTC: somebody else must approve it"


def exemption_of(ports: Ports, stored: Stored, wish: Wish) -> Stored:
    """Ask for the exemption of a remediation. Raises Refused where there is no finding that could be exempted."""
    row, now = stored.row, ports.clock.now()
    check_wish(wish, now)
    if row.is_wished or not row.is_open or row.verdict != "NonCompliant":
        raise Refused(
            "NothingToExempt", "only a finding that stands can be exempted: here is none, or nobody could judge"
        )
    row_id = remediation_id(row.control, row.target, f"{exemption.SUBJECT} {row.id}")
    before = ports.records.get(row_id)
    if before and before.row.state in BUSY | {State.AWAITING_APPROVAL}:
        raise Refused("ExemptionIsAsked", f"remediation {row_id} asks for the same, and is {before.row.state}")
    return ask(ports, _wished(row_id, row, wish, now), wish.origin, before)


def carry_out(work: Work) -> None:
    """Exempt the original first, end the wish second. A kill in between comes back and finds the first done."""
    ports, row = work.ports, work.row
    try:
        original = ports.records.get(row.exempts)
        exemption.check(original.row if original else None, row, ports.clock.now())
    except Refused as error:
        raise Denied(error.reason, error.message) from error
    try:
        exempt(ports, row)
    except RowChanged as error:  # the other row's, not ours: somebody looks at it just now
        raise Temporary("OriginalIsBusy", error.message) from error
    # The row may hold less than what is there by now: a fresh look says whether the exemption covers it.
    ports.queue.send(EVALUATE, Evaluate(ids.parse(row.target), row.cause).body())
    work.save(resolved(row, ports.clock.now()), "resolved", "Exempted", {"exempts": row.exempts})
    work.tell()


def end_exemption(ports: Ports, stored: Stored, person: str, comment: str = "", origin: str = "") -> Stored:
    """End an exemption before its time: the finding is looked at anew. Raises Refused where none is in force."""
    row, now = stored.row, ports.clock.now()
    if row.is_wished or row.exemption is None or row.exemption.expires <= now:
        raise Refused("NotExempted", "no exemption of this remediation is in force")
    if row.state in BUSY:
        raise Refused("BeingWorkedOn", f"the remediation is {row.state}: what it does must end first")
    look_soon(ports, row, Cause("person", row.id, person))
    detail = {"comment": comment.strip(), "from": origin, "expires": row.exemption.expires.isoformat()}
    ended = moved(row, row.state, now, exemption=None)
    saved = ports.records.save(ended, Event("lifted", person, "ExemptionEnded", detail), stored)
    say(_log, "lifted", remediation=row.id, target=row.target, state=row.state, reason="ExemptionEnded", actor=person)
    return saved


def _wished(row_id: str, row: Remediation, wish: Wish, now: datetime) -> Remediation:
    reason = wish.comment.strip()
    evidence: Mapping[str, Any] = {
        "exempts": row.id, "finding": row.finding.reason, "message": row.finding.message,
        "covers": list(covered(row.finding)), "until": wish.until.isoformat(), "comment": reason,
    }  # fmt: skip
    decision = Decision(Kind.APPROVAL, "ExemptionIsAsked", _ASKED.format(until=wish.until))
    return Remediation(
        id=row_id, control=row.control, target=row.target, subject=f"{exemption.SUBJECT} {row.id}",
        state=OPENED_BY[decision.kind], verdict="NonCompliant", decision=decision,
        finding=Finding("ExemptionRequested", f"the exemption of remediation {row.id} was asked for", evidence),
        plan=RecordedPlan(exemption.fingerprint(row, wish.until)), cause=Cause("person", row.id, wish.person), opened=now,
        updated=now, exempts=row.id, requester=wish.person,
        exemption=Exemption(wish.person, reason, wish.until, covered(row.finding)),
    )  # fmt: skip
