"""A person's yes or no to exactly what they saw: the only door through which what was asked for becomes a write.

An approval names a fingerprint, gives a reason, and has an end. Nobody approves their own change, nor what they asked
for; where nobody knows who made the change, two people must agree (DESIGN 5). Whatever is missing is a no.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core import exemption, ids
from shared.core.chain import Entry
from shared.core.decide import AWAITS_CONFIRMATION
from shared.core.difference import difference
from shared.core.errors import BadInput, Refused
from shared.core.plan import standing_rail
from shared.core.ports import Event, Ports, Stored
from shared.core.question import takes_two
from shared.core.record import Approval, Remediation, State, exempted, moved
from shared.core.wake import Cause
from shared.flow.follow import apply_soon
from shared.flow.messages import NOTIFY, Notify
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.approve")

LONGEST_COMMENT = 2000  # characters
_BLANK = "\u115f\u1160\u3164\uffa0"  # letters to Unicode, and nothing to the eye
_LONGEST = timedelta(days=30)  # an approval older than that was given for another world


@dataclass(frozen=True, slots=True)
class Yes:
    """What a person says: yes to a fingerprint, why, until when it holds, and from which address."""

    person: str
    fingerprint: str
    comment: str
    expires: datetime
    origin: str = ""


def approve(ports: Ports, stored: Stored, yes: Yes) -> Stored:
    """Record an approval; queue the plan once enough people agree. Raises Refused, BadInput, RowChanged or Temporary."""
    row, now = stored.row, ports.clock.now()
    _check(ports, row, yes, now)
    authors = _authors(ports, row)
    author = "" if "" in authors else authors[0]
    theirs = _theirs(ports, row, authors)
    if yes.person in theirs:
        raise Refused("OwnChange", "you made the last change to this resource: somebody else must approve what follows")
    given = Approval(yes.person, yes.fingerprint, yes.comment.strip(), now, yes.expires, author)
    approvals = (*_valid(row, now), given)
    detail = {
        "fingerprint": yes.fingerprint,
        "comment": given.comment,
        "expires": yes.expires.isoformat(),
        "author": author,
        "from": yes.origin,
    }
    # Whoever agreed before the log named them as the author counts for nothing now.
    agreed = {it.person for it in approvals} - theirs
    if len(agreed) < _needed(ports, row, author):
        waiting = moved(row, State.AWAITING_APPROVAL, now, approvals=approvals)
        return save(ports, stored, waiting, Event("approved", yes.person, "OneOfTwo", detail))
    apply_soon(ports, row)
    steps = tuple(step.id for step in row.plan.steps)
    queued = moved(row, State.QUEUED, now, approvals=approvals, approved=steps, attempt=0)
    return save(ports, stored, queued, Event("approved", yes.person, "Approved", detail))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What somebody's yes would be worth now: how many it takes, how many there are, and what stands against theirs.

    `author` is who made the change, '' where nobody can say. `against` is '' where nothing stands against it.
    """

    needed: int
    given: int
    author: str
    against: str


def outlook(ports: Ports, row: Remediation, person: str) -> Outlook:
    """Return what a yes would be worth, as `approve` would see it. Raises Temporary or Denied where the log cannot be read."""
    authors = _authors(ports, row)
    author = "" if "" in authors else authors[0]
    theirs = _theirs(ports, row, authors)
    agreed = {it.person for it in _valid(row, ports.clock.now())}
    against = ""
    if person in requesters(ports, row):
        against = "You asked for this, or picked its vault: somebody else must approve it."
    elif person in theirs:
        against = "You made the change that this follows from: somebody else must approve it."
    elif person in agreed:
        against = "You have said yes already: it takes a second person."
    return Outlook(_needed(ports, row, author), len(agreed - theirs), author, against)


def _theirs(ports: Ports, row: Remediation, authors: Sequence[str]) -> set[str]:
    """Return whose change it is. The log lags by minutes: whoever an event named is known at once.

    Every event of this occurrence counts, whatever came after it. Somebody who has a row looked at again has changed
    nothing by that.
    """
    causes = [row.cause, *_causes(ports.records.history(row.id), row.occurrence)]
    return {*authors, *(it.actor for it in causes if it.kind != "person")}


def _causes(history: Sequence[Entry], occurrence: int) -> Iterator[Cause]:
    for entry in history:
        found = entry.detail.get("cause")
        if isinstance(found, Mapping) and entry.detail.get("occurrence") == occurrence:
            yield Cause(str(found.get("kind", "")), str(found.get("id", "")), str(found.get("actor", "")))


def _needed(ports: Ports, row: Remediation, author: str) -> int:
    return 2 if not author or takes_two(row, ports.choices) else 1


def reject(ports: Ports, stored: Stored, person: str, comment: str, origin: str = "") -> Stored:
    """Record a no. It stands until the plan changes or somebody asks for a retry."""
    if stored.row.decision.reason == AWAITS_CONFIRMATION:
        raise Refused("NothingToReject", "what is left a person does by hand: there is nothing that could be refused")
    if stored.row.state is not State.AWAITING_APPROVAL:
        raise Refused(
            "NothingToReject", f"the remediation is {stored.row.state}: only what awaits approval can be rejected"
        )
    check_comment(comment)
    rejected = moved(stored.row, State.REJECTED, ports.clock.now(), approvals=())
    detail = {"fingerprint": stored.row.plan.fingerprint, "comment": comment.strip(), "from": origin}
    return save(ports, stored, rejected, Event("rejected", person, "Rejected", detail))


def check_comment(comment: str) -> None:
    """Raise BadInput where a comment says nothing that anybody could read, or too much."""
    if len(comment) > LONGEST_COMMENT or not any(it.isalnum() and it not in _BLANK for it in comment):
        raise BadInput("NoComment", f"say why, in 1 to {LONGEST_COMMENT} characters (`comment`)")


def _authors(ports: Ports, row: Remediation) -> list[str]:
    """Return who made the change: at the target and, where something is given, at the workspaces that ask for it.

    Whoever points a workspace at a vault has asked for its grant (DESIGN 5).
    """
    uses = row.finding.evidence.get("used_by", ()) if any(step.grants for step in row.plan.steps) else ()
    is_cut = len(uses) < int(row.finding.evidence.get("uses", 0)) and bool(uses)
    more = [""] if is_cut else []  # nobody knows who else has asked
    workspaces = dict.fromkeys(str(it["workspace"]) for it in uses if isinstance(it, Mapping) and "workspace" in it)
    return [*(ports.diary.author(ids.parse(at)) for at in (row.target, *workspaces)), *more]


def requesters(ports: Ports, row: Remediation) -> set[str]:
    """Return who has asked for what a row would do: for an undo or exemption, or by picking the vault, whoever picked last."""
    target = ids.parse(row.target)
    picked = ports.records.known(target).memory.picked if target.kind == ids.WORKSPACE else None
    return {row.requester, *(picked.persons if picked else ())} - {""}


def _valid(row: Remediation, now: datetime) -> tuple[Approval, ...]:
    """Return the approvals of this plan whose time is not over."""
    return tuple(it for it in row.approvals if it.expires > now and it.fingerprint == row.plan.fingerprint)


def _check(ports: Ports, row: Remediation, yes: Yes, now: datetime) -> None:
    """Raise what stands against this yes before anybody else is asked. The first reason that fits is the one told."""
    exempt = "" if row.is_wished else exempted(row, row.finding, now)
    if exempt:
        raise Refused("Exempted", f"nothing is to be done about this finding: it is {exempt}")
    if row.state is not State.AWAITING_APPROVAL:
        raise Refused("NothingToApprove", f"the remediation is {row.state}: only what awaits approval can be approved")
    if row.decision.reason == AWAITS_CONFIRMATION:
        raise Refused("NothingToApprove", "what is left a person does by hand: do it, then confirm it")
    _check_plan(ports, row, yes.fingerprint)
    check_comment(yes.comment)
    if not now < yes.expires <= now + _LONGEST:
        raise BadInput("BadExpiry", f"`expires` must be a time from now to {_LONGEST.days} days from now")
    if yes.person in requesters(ports, row):
        raise Refused("OwnRequest", "you asked for this yourself: somebody else must approve it")
    if any(it.person == yes.person for it in _valid(row, now)):
        raise Refused("ApprovedAlready", "you have approved this already: it takes a second person")
    _check_time(ports, row, now)


def _check_plan(ports: Ports, row: Remediation, seen: str) -> None:
    if not seen:
        raise BadInput("NoFingerprint", "say which plan you saw: `fingerprint` is that of the plan in the record")
    if seen != row.plan.fingerprint:
        raise Refused(
            "AnotherPlan",
            "the plan is not the one you saw any more: look at what came and what went, and send the fingerprint of now",
            {"difference": difference(ports.records.history(row.id), seen, row.plan)},
        )


def _check_time(ports: Ports, row: Remediation, now: datetime) -> None:
    """Raise Refused where what was approved now would only be held. An exemption writes nothing: no stop is in its way."""
    if row.exempts:
        original = ports.records.get(row.exempts)
        exemption.check(original.row if original else None, row, now)
        return
    places = dict.fromkeys([row.target, *(step.resource for step in row.plan.steps)])
    rail = next(filter(None, (standing_rail(ids.parse(it), ports.choices, now) for it in places)), None)
    if rail:
        raise Refused(rail.reason, f"{rail.message}: approve it when that is over")


def save(ports: Ports, stored: Stored, row: Remediation, event: Event) -> Stored:
    """Save what a person decided, and say so."""
    saved = ports.records.save(row, event, stored)
    say(
        _log, event.name, remediation=row.id, target=row.target, state=row.state, reason=event.reason, actor=event.actor
    )
    ports.queue.send(NOTIFY, Notify(row.id, row.state, row.occurrence).body())
    return saved
