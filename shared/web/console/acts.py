"""What a person can do to one remediation from its page: which acts are offered, and what each makes of its form.

The page offers what can make sense; whether it may be done the flow decides, in the same words as for the API.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.decide import AWAITS_CONFIRMATION, Kind
from shared.core.errors import BadInput, Refused
from shared.core.ports import Ports, Stored
from shared.core.record import BUSY, STUCK_UNTIL_CHANGED, Remediation, State
from shared.core.undo import check
from shared.core.wake import Cause
from shared.flow.approve import Yes, approve, reject
from shared.flow.cancel import cancel
from shared.flow.confirm import confirm
from shared.flow.exempt import end_exemption, exemption_of
from shared.flow.pick import Pick, pick
from shared.flow.retry import retry
from shared.flow.undo import Wish, undo_of
from shared.web.console.forms import Form

_LONGEST_YES = timedelta(days=30)
_LONGEST_WISH = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Said:
    """Who has sent which form, and from which address."""

    person: str
    form: Form
    origin: str

    @property
    def comment(self) -> str:
        """The reason that they give."""
        return self.form.text("comment")


type Act = Callable[[Ports, Stored, Said], Stored]


def _approve(ports: Ports, stored: Stored, said: Said) -> Stored:
    check_sure(stored.row, said.form.text("sure"))
    expires = said.form.until("days", ports.clock.now(), _LONGEST_YES)
    return approve(ports, stored, Yes(said.person, said.form.text("fingerprint"), said.comment, expires, said.origin))


def _reject(ports: Ports, stored: Stored, said: Said) -> Stored:
    return reject(ports, stored, said.person, said.comment, said.origin)


def _cancel(ports: Ports, stored: Stored, said: Said) -> Stored:
    return cancel(ports, stored, said.person, said.comment, said.origin)


def _confirm(ports: Ports, stored: Stored, said: Said) -> Stored:
    return confirm(ports, stored, said.person, said.comment, said.origin)


def _retry(ports: Ports, stored: Stored, said: Said) -> Stored:
    return retry(ports, stored, Cause("person", stored.row.id, said.person), said.origin)


def _pick(ports: Ports, stored: Stored, said: Said) -> Stored:
    return pick(ports, stored, Pick(said.form.text("vault"), said.person, said.comment, said.origin))


def _undo(ports: Ports, stored: Stored, said: Said) -> Stored:
    return undo_of(ports, stored, _wish(ports, said))


def _exempt(ports: Ports, stored: Stored, said: Said) -> Stored:
    return exemption_of(ports, stored, _wish(ports, said))


def _lift(ports: Ports, stored: Stored, said: Said) -> Stored:
    return end_exemption(ports, stored, said.person, said.comment, said.origin)


def _wish(ports: Ports, said: Said) -> Wish:
    return Wish(said.person, said.comment, said.form.until("days", ports.clock.now(), _LONGEST_WISH), said.origin)


ACTS: Mapping[str, Act] = {
    "approve": _approve,
    "reject": _reject,
    "cancel": _cancel,
    "confirm": _confirm,
    "retry": _retry,
    "vault": _pick,
    "undo": _undo,
    "exempt": _exempt,
    "lift": _lift,
}
# What the page says when an act is done.
DONE = {
    "approve": "Your yes is on record.",
    "reject": "Your no is on record: nothing is done, unless the plan changes.",
    "cancel": "Taken back. It waits for approval again.",
    "confirm": "Confirmed. It is being checked.",
    "retry": "It is being looked at anew.",
    "vault": "The vault is picked. A plan for it is being made, which somebody else must approve.",
    "undo": "This is the way back. Somebody else must approve it.",
    "exempt": "This is the wish for an exemption. Somebody else must approve it.",
    "key": "This is the request for a key. Somebody else must approve it.",
    "lift": "The exemption has ended. The finding is being looked at anew.",
}


def check_sure(row: Remediation, typed: str) -> None:
    """Raise BadInput where a plan has a step that nobody can undo, and the name of its target was not typed."""
    name = row.target.rsplit("/", 1)[-1]
    if any(step.irreversible for step in row.plan.steps) and typed.strip().lower() != name.lower():
        raise BadInput(
            "NotSure", f"a step of this plan cannot be undone by anybody: type the name of its target, {name}"
        )


def offers(row: Remediation, *, eligible: bool, now: datetime) -> tuple[str, ...]:
    """Return the acts that the page of a row offers, in the order of the page."""
    is_confirmed = row.decision.reason == AWAITS_CONFIRMATION
    waits = row.state is State.AWAITING_APPROVAL
    # Of a wish, the exemption is what is asked for.
    is_exempt = row.exemption is not None and row.exemption.expires > now and not row.is_wished
    found = {
        "approve": waits and not is_confirmed,
        "confirm": waits and is_confirmed,
        "vault": eligible and row.state not in BUSY and not row.subject and not row.is_wished,
        "reject": waits and not is_confirmed,
        "cancel": row.state in BUSY and bool(row.approvals),
        "retry": row.state in STUCK_UNTIL_CHANGED or _is_ticket(row),
        "exempt": row.is_open and row.verdict == "NonCompliant" and not row.is_wished and not is_exempt,
        "lift": is_exempt,
        "undo": row.state not in BUSY and not row.is_wished and _can_be_undone(row),
    }
    return tuple(act for act, is_offered in found.items() if is_offered)


def _is_ticket(row: Remediation) -> bool:
    return row.state is State.OBSERVED and row.decision.kind is Kind.TICKET and not row.is_wished


def _can_be_undone(row: Remediation) -> bool:
    try:
        check(row)
    except Refused:
        return False
    return True
