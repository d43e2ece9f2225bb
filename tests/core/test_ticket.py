"""What a row asks of its ticket, row by row of the table, and what its content holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediators import REMEDIATORS
from remediators.vault_recovery import VAULT_RECOVERY
from shared.core.chain import Entry
from shared.core.choices import Choices
from shared.core.control import Finding
from shared.core.decide import Decision, Kind
from shared.core.record import PlannedStep, RecordedPlan, Remediation, State
from shared.core.ticket import Change, Content, Standing, Ticket, Verb, change, content_of, is_in_line
from shared.core.ticket.compliance import RULES
from shared.core.wake import Cause
from tests.fakes import NOON, vault_id

STEP = PlannedStep(
    id="s-1", kind="vault.protect", resource=vault_id(), before={"enablePurgeProtection": None},
    after={"enablePurgeProtection": True}, permission="Microsoft.KeyVault/vaults/write", irreversible=True,
)  # fmt: skip


def row(state: State = State.AWAITING_APPROVAL, kind: Kind = Kind.APPROVAL, **changed: Any) -> Remediation:
    """Return a row."""
    made = Remediation(
        id="abcdefghijklmnop", control="KV-RECOVERY", target=vault_id(), subject="", state=state,
        verdict="NonCompliant", decision=Decision(kind, "OutsideAutoScope", "asked", owner="team-keys"),
        finding=Finding("PurgeProtectionIsOff", "purge protection is off"), plan=RecordedPlan("f" * 16, (STEP,)),
        cause=Cause("event", "e-1"), opened=NOON, updated=NOON,
    )  # fmt: skip
    return replace(made, **changed)


def said(of: Remediation, **choices: Any) -> Content:
    """Return what the ticket of a row says."""
    return content_of(of, VAULT_RECOVERY.control, Choices(**choices))


def entry(n: int, of: Remediation, event: str = "evaluated", actor: str = "evaluate", **detail: Any) -> Entry:
    """Return the newest entry of a row's history."""
    return Entry(n, of.updated, event, of.state, actor, of.decision.reason, detail)


def asked(ticket: Ticket | None, of: Remediation, n: int, **named: Any) -> Change | None:
    """Return what a row asks of a ticket."""
    return change(ticket, of, [entry(n, of, **named)], said(of))


def opened(of: Remediation | None = None, n: int = 1) -> Ticket:
    """Return the ticket that a row opens."""
    made = asked(None, of or row(), n)
    assert made is not None
    return made.ticket


def closed(reason: str = "Verified") -> Ticket:
    """Return a ticket that was closed at the second entry."""
    state = {"Verified": State.RESOLVED, "Exempted": State.SUPPRESSED}[reason]
    made = asked(opened(), row(state), 2)
    assert made is not None
    return made.ticket


@pytest.mark.parametrize(
    ("state", "kind", "verdict", "opens", "closes"),
    [
        (State.OBSERVED, Kind.TICKET, "NonCompliant", True, ""),
        (State.OBSERVED, Kind.TICKET, "Unknown", True, ""),
        (State.OBSERVED, Kind.OBSERVE, "NonCompliant", False, ""),
        (State.AWAITING_APPROVAL, Kind.APPROVAL, "NonCompliant", True, ""),
        (State.QUEUED, Kind.AUTO, "NonCompliant", False, ""),
        (State.APPLYING, Kind.AUTO, "NonCompliant", False, ""),
        (State.FAILED, Kind.AUTO, "NonCompliant", True, ""),
        (State.REJECTED, Kind.APPROVAL, "NonCompliant", True, ""),
        (State.EXPIRED, Kind.APPROVAL, "NonCompliant", True, ""),
        (State.RESOLVED, Kind.AUTO, "Compliant", False, "Verified"),
        (State.SUPERSEDED, Kind.APPROVAL, "NotApplicable", False, "NotApplicable"),
        (State.SUPERSEDED, Kind.APPROVAL, "NonCompliant", False, ""),
        (State.SUPPRESSED, Kind.SUPPRESSED, "NonCompliant", False, "Exempted"),
    ],
)
def test_the_table(state: State, kind: Kind, verdict: str, *, opens: bool, closes: str) -> None:
    """Every state: whether it opens a ticket, and what becomes of one that is open and of one that is closed."""
    now = row(state, kind, verdict=verdict, updated=NOON + timedelta(minutes=1))
    first, then, back = asked(None, now, 3), asked(opened(), now, 3), asked(closed(), now, 3)

    assert (first.verb if first else None) == (Verb.CREATE if opens else None)
    assert then is not None
    assert (then.ticket.standing, then.ticket.reason) == ((Standing.CLOSED, closes) if closes else (Standing.OPEN, ""))
    assert back is not None
    assert (back.ticket.standing, back.verb) == (
        (Standing.OPEN, Verb.TRANSITION) if opens else (Standing.CLOSED, Verb.COMMENT)
    )


def test_an_open_ticket_is_commented_where_it_says_something_else() -> None:
    """The note says what is another than before, once; where nothing is, there is none."""
    other = row(
        State.FAILED, plan=RecordedPlan("g" * 16, (STEP, STEP)), finding=Finding("SoftDeleteIsOff", "soft delete is off"),
    )  # fmt: skip
    made, same = asked(opened(), other, 2), asked(opened(), row(), 2)

    assert made is not None
    assert made.note is not None
    assert (made.verb, made.note.event, made.note.key) == (Verb.COMMENT, "commented", "0000002-commented")
    assert made.note.text == (
        "awaiting_approval is now failed; SoftDeleteIsOff: soft delete is off; the plan is another one: 2 steps"
    )
    assert same is not None
    assert (same.ticket.version, same.note) == (2, None)


def test_only_evidence_has_changed_and_the_note_says_so() -> None:
    """A change that none of the sentences is about is not kept silent."""
    made = asked(opened(), row(finding=Finding("PurgeProtectionIsOff", "purge protection is off", {"notes": ["x"]})), 2)

    assert made is not None
    assert made.note is not None
    assert made.note.text == "details have changed"


def test_what_fails_night_after_night_is_no_news() -> None:
    """Only the time of the last try is another: the ticket is up to date, and nobody is told."""
    later = row(plan=RecordedPlan("f" * 16, (replace(STEP, sent=NOON),)))
    made = asked(opened(), later, 2)

    assert made is not None
    assert (made.ticket.content.steps[0].sent, made.note) == (NOON, None)


def test_what_a_person_wished_for_is_done() -> None:
    """Of an undo or an exemption no control speaks: nothing says that it holds."""
    made = asked(opened(row(undoes="x")), row(State.RESOLVED, undoes="x"), 2)

    assert made is not None
    assert made.ticket.reason == "Done"


def test_a_reminder_is_a_comment() -> None:
    """Nothing is another than before, and people should know."""
    made = asked(opened(), row(), 2, event="reminded", actor="sweep")

    assert made is not None
    assert made.note is not None
    assert made.note.text == "nobody has answered yet"


@pytest.mark.parametrize("version", [3, 4])
def test_an_older_notice_never_overwrites(version: int) -> None:
    """A ticket that was written from a newer head, or from this one, stays as it is."""
    ticket = replace(opened(row(State.FAILED), version), updated=NOON)

    assert asked(ticket, row(State.FAILED if version == 3 else State.RESOLVED), 3) is None


def test_the_same_row_asks_once() -> None:
    """What a change leads to asks for nothing more."""
    for ticket, now in ((None, row()), (opened(), row(State.RESOLVED)), (closed(), row(occurrence=2))):
        made = asked(ticket, now, 5)

        assert made is not None
        assert asked(made.ticket, now, 5) is None
        assert is_in_line(made.ticket, now, said(now))


def test_a_regression_reopens_even_where_the_closing_was_never_seen() -> None:
    """Occurrence 2: reopened, as `Regression`, whether the ticket was closed in between or its notice was lost."""
    again = row(occurrence=2)
    for ticket in (closed(), opened()):
        made = asked(ticket, again, 7)

        assert made is not None
        assert made.note is not None
        assert (made.ticket.standing, made.ticket.occurrence, made.ticket.reason) == (Standing.OPEN, 2, "")
        assert (made.note.event, made.note.reason) == ("reopened", "Regression")


def test_what_was_exempted_stands_again_after_the_exemption() -> None:
    """No regression: it was never right."""
    made = asked(closed("Exempted"), row(), 4)

    assert made is not None
    assert made.note is not None
    assert (made.ticket.standing, made.note.reason) == (Standing.OPEN, "StandsAgain")


def test_a_persons_words_are_in_the_note() -> None:
    """Who said no, and why."""
    made = asked(opened(), row(State.REJECTED), 2, event="rejected", actor="ada-oid", comment="not before the release")

    assert made is not None
    assert made.note is not None
    assert made.note.text.endswith("; rejected by ada-oid: not before the release")


@pytest.mark.parametrize("evidence", [None, "text", 7, [1, "x", None], {"layer": "dbfsRoot"}])
def test_evidence_of_another_shape_is_left_out(evidence: object) -> None:
    """A ticket never fails for what evidence holds."""
    names = ("layers", "preflight", "stands_in_the_way")
    content = said(row(finding=Finding("R", "m", dict.fromkeys(names, evidence))))

    assert (content.layers, content.preflight, content.stands_in_the_way.strip(": ")) == ((), (), "")


def test_a_command_is_shown_whole_or_not_at_all() -> None:
    """A command that is cut is another command."""
    content = said(row(finding=Finding("R", "m", {"proposed": ["az a", "x" * 19_990, "az b --all", "az c"]})))

    assert content.proposed == ("az a", "x" * 19_990, "# there is more: see the record")


def test_what_people_said_since_the_last_note_is_in_the_next() -> None:
    """Two approved while no notice came; what was said before the last note is not said again."""
    now = row(State.RESOLVED)
    history = [
        entry(1, now, "approved", "old-oid"), entry(2, now, "approved", "ada-oid", comment="seen"),
        entry(3, now, "approved", "amit-oid"), entry(4, now, "resolved", "apply"),
    ]  # fmt: skip
    made = change(opened(), now, history, said(now))

    assert made is not None
    assert made.note is not None
    assert made.note.key == "0000004-closed"
    assert made.note.text.endswith("holds; approved by ada-oid: seen; approved by amit-oid")


def test_the_content_says_who_where_and_what() -> None:
    """Owner, permissions, irreversible steps, who may approve, and links that are quoted."""
    content = said(row(target=vault_id("kv-one").replace("/rg/", "/rg (x)/")))

    assert content.title.startswith("KV-RECOVERY: PurgeProtectionIsOff at kv-one (")
    assert (content.owner, content.permissions) == ("team-keys", ("Microsoft.KeyVault/vaults/write",))
    assert content.approvers.endswith("two people where nobody knows who made the change")
    assert content.until == NOON + timedelta(days=14)
    assert [link.url for link in content.links][2].startswith("https://portal.azure.com/#resource/subscriptions/")
    assert "/rg%20%28x%29/" in content.links[2].url


def test_the_deployment_may_want_two_people() -> None:
    """Of what cannot be undone; and nobody approves what is not asked, nor until when."""
    assert said(row(), two_approvers=True).approvers.endswith("two people, since a step cannot be undone")
    none = said(row(State.OBSERVED, Kind.TICKET))

    assert (none.approvers, none.until) == ("", None)


def test_what_is_no_resource_id_becomes_no_link() -> None:
    """Only the link to our own record is left."""
    assert [link.url for link in said(row(target="javascript:alert(1)")).links] == [
        "/api/remediations/abcdefghijklmnop"
    ]


def test_every_control_says_why_it_matters() -> None:
    """Each has rules that speak of it, and says of the others that they only support it."""
    controls = {it.control.id for it in REMEDIATORS} | {"DBX-CMK"}

    assert controls <= set(RULES)
    silent = {control for control in controls if all(rule.supports for rule in RULES[control])}
    assert silent == {"KV-DEDICATED", "KEY-SHARED", "KEY-KNOWN"}  # no framework speaks of these
    assert all(RULES[control] for control in controls)
    assert [rule.framework for rule in RULES["DBX-CMK"] if rule.id in {"DP-5", "SC-12"} and not rule.supports] == []
