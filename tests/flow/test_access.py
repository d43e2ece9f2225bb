"""Narrowing as the flow does it: waiting, asking, refusing, coming back; each with the reason that people read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.control import Memory, Once
from shared.core.errors import BadInput, Refused
from shared.core.ports import Stored
from shared.core.record import State, remediation_id
from shared.flow.approve import approve, reject
from shared.flow.evaluate import evaluate
from shared.flow.undo import Wish, undo_of
from tests.access import ADMINISTRATOR, CRYPTO_OFFICER, DATABRICKS, NARROW, assignment, policy
from tests.fakes import SUBSCRIPTION, World, vault_id, workspace_body, workspace_id
from tests.flow.conftest import delivery, evaluation, run
from tests.flow.narrowing import FINE, access_world, entries_of, look_at, row_of, stored_of, swept, yes

BROAD = policy(DATABRICKS, ["Get", "wrapKey", "unwrapKey", "purge"], secrets=["get"])


def test_the_narrow_role_settles_before_the_broad_one_goes() -> None:
    """Half an hour lies between the two writes, by the queue; the row says that it waits, not that it failed."""
    world = access_world(
        rbac=True,
        assigned=[assignment(vault_id(), DATABRICKS, CRYPTO_OFFICER, name="a0000000-0000-4000-8000-000000000001")],
    )
    evaluate(world, evaluation(world))
    began = world.clock.now()
    run(world)
    row, written = row_of(world), world.arm.writes()

    assert [method for method, _ in written] == ["PUT", "DELETE"]
    assert world.clock.now() - began > timedelta(minutes=30)
    assert (row.state, row.attempt) == (State.RESOLVED, 0)
    events = [entry.event for entry in world.records.past[row.id]]
    assert events == ["evaluated", "claimed", "writing", "waiting", "claimed", "writing", "resolved"]
    assert [it["properties"]["roleDefinitionId"].rsplit("/", 1)[1] for it in world.grants.assigned] == [NARROW]


def test_a_message_that_comes_too_early_waits_again() -> None:
    """The sweep revives what waits: the broad role stays until the narrow one is old enough."""
    world = access_world(rbac=True, assigned=[
        assignment(vault_id(), DATABRICKS, CRYPTO_OFFICER, name="a0000000-0000-4000-8000-000000000001"),
        assignment(vault_id(), DATABRICKS, NARROW, name="a0000000-0000-4000-8000-000000000002", created="2026-11-24T11:59:00+00:00"),
    ])  # fmt: skip
    evaluate(world, evaluation(world))
    message = world.queue.take("apply")
    from shared.flow.apply import apply

    apply(world, delivery(message, world.clock.now()))
    ((_, _, delay),) = [it for it in world.queue.sent if it[0] == "apply"]

    assert (world.arm.writes(), row_of(world).state) == ([], State.QUEUED)
    assert 28 * 60 < delay < 30 * 60


def test_what_is_on_its_way_is_not_recalled_by_our_own_event() -> None:
    """An approved plan of several steps: after the first the rest is another plan, and still what was agreed to."""
    world = access_world(
        rbac=True,
        assigned=[assignment(vault_id(), DATABRICKS, ADMINISTRATOR, name="a0000000-0000-4000-8000-000000000001")],
    )
    look_at(world)
    subject = f"{DATABRICKS} secrets"
    approve(world, stored_of(world, subject), yes(world, row_of(world, subject)))
    world.clock.advance(4)
    from shared.flow.apply import apply

    apply(world, delivery(world.queue.take("apply"), world.clock.now()))
    waiting = row_of(world, subject)
    evaluate(world, evaluation(world))
    assert (row_of(world, subject).state, row_of(world, subject).approved) == (State.QUEUED, waiting.approved)

    run(world)
    assert row_of(world, subject).state is State.RESOLVED


def test_a_young_grant_is_left_alone_and_comes_back_by_itself() -> None:
    """CMK_GRACE: somebody may be in the middle of a change. Nobody has to send another event."""
    world = access_world(BROAD, grace=timedelta(hours=2))
    evaluate(world, evaluation(world))
    first = row_of(world)
    began = world.clock.now()
    run(world)

    assert (first.state, first.decision.reason, first.decision.due) == (
        State.OBSERVED,
        "GrantIsYoung",
        first.updated + timedelta(hours=2),
    )
    assert row_of(world).state is State.RESOLVED
    assert world.clock.now() - began >= timedelta(hours=2) - timedelta(seconds=10)


def test_the_owner_is_told_before_anything_is_narrowed_by_itself() -> None:
    """CMK_NOTICE: told once, narrowed that much later, and not before, whatever events come meanwhile."""
    world = access_world(BROAD, notice=timedelta(hours=24))
    evaluate(world, evaluation(world))
    world.clock.advance(3600)
    evaluate(world, evaluation(world))
    told = row_of(world)
    assert (told.state, told.decision.reason) == (State.OBSERVED, "NoticeGiven")
    run(world)
    done = row_of(world)

    assert done.state is State.RESOLVED
    assert done.updated - told.opened >= timedelta(hours=24)
    assert len([method for method, _ in world.arm.writes() if method == "PUT"]) == 1


def test_a_notice_longer_than_a_queue_can_hide_comes_back_in_between() -> None:
    """A queue hides a message for seven days at most: what is due later is looked at again before."""
    world = access_world(BROAD, notice=timedelta(days=20))
    evaluate(world, evaluation(world))
    run(world)

    assert row_of(world).state is State.RESOLVED
    assert row_of(world).updated - row_of(world).opened >= timedelta(days=20)


def test_missing_is_never_given_by_itself() -> None:
    """A grant that somebody took away stays away; the row waits for a person."""
    world = access_world(policy(DATABRICKS, ["get", "wrapKey", "purge"]))
    look_at(world)

    assert (row_of(world).state, row_of(world).decision.reason) == (State.AWAITING_APPROVAL, "NeedsAPerson")
    assert world.arm.writes() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fingerprint": ""}, "NoFingerprint"),
        ({"fingerprint": "f" * 32}, "AnotherPlan"),
        ({"comment": "  "}, "NoComment"),
        ({"comment": "x" * 3000}, "NoComment"),
        ({"expires": timedelta(0)}, "BadExpiry"),
        ({"expires": timedelta(days=31)}, "BadExpiry"),
        ({"person": "author-oid"}, "OwnChange"),
    ],
)
def test_a_wrong_yes_is_a_no(change: dict[str, Any], reason: str) -> None:
    """Each thing that an approval needs, missing once."""
    world = access_world(policy(DATABRICKS, ["get"]))
    look_at(world)
    if "expires" in change:
        change = {"expires": world.clock.now() + change["expires"]}
    with pytest.raises((Refused, BadInput)) as caught:
        approve(world, stored_of(world), yes(world, row_of(world), **change))

    assert (caught.value.reason, row_of(world).state) == (reason, State.AWAITING_APPROVAL)


def test_whoever_the_event_named_cannot_approve() -> None:
    """The Activity Log lags; the event's own word of who wrote is enough for a no."""
    world = access_world(policy(DATABRICKS, ["get"]))
    message = evaluation(world).body.replace('"actor": ""', '"actor": "ada"')
    evaluate(world, delivery(message, world.clock.now()))
    run(world)
    with pytest.raises(Refused, match="last change"):
        approve(world, stored_of(world), yes(world, row_of(world)))


def test_an_unknown_author_takes_two_people() -> None:
    """One of two is on record and changes nothing; the second lets it go."""
    world = access_world(policy(DATABRICKS, ["get"]))
    world.diary.last = ""
    look_at(world)
    approve(world, stored_of(world), yes(world, row_of(world)))
    with pytest.raises(Refused, match="second person"):
        approve(world, stored_of(world), yes(world, row_of(world)))
    assert (row_of(world).state, world.queue.of("apply")) == (State.AWAITING_APPROVAL, [])
    approve(world, stored_of(world), yes(world, row_of(world), person="amit"))
    run(world)

    assert row_of(world).state is State.RESOLVED
    assert entries_of(world)[0]["permissions"]["keys"] == ["get", "wrapKey", "unwrapKey"]


def test_an_approval_covers_what_was_seen_and_nothing_more() -> None:
    """Between the yes and the write the access changes: another plan, so nothing is written, and it is asked anew."""
    world = access_world(policy(DATABRICKS, ["get"], secrets=["set"]))
    look_at(world)
    subject = f"{DATABRICKS} secrets"
    approve(world, stored_of(world, subject), yes(world, row_of(world, subject)))
    entries_of(world)[0]["permissions"]["secrets"] = ["set", "Get"]
    run(world)

    assert row_of(world, subject).state is State.AWAITING_APPROVAL
    assert world.arm.writes() == []


def test_an_approval_ends() -> None:
    """Approved until tomorrow, and the queue comes later: it takes a new yes."""
    world = access_world(policy(DATABRICKS, ["get"]))
    look_at(world)
    approve(world, stored_of(world), yes(world, row_of(world), expires=world.clock.now() + timedelta(seconds=60)))
    world.clock.advance(120)
    run(world)

    assert (row_of(world).state, row_of(world).decision.reason) == (State.AWAITING_APPROVAL, "ApprovalExpired")
    assert (row_of(world).approvals, world.arm.writes()) == ((), [])


def test_a_rejection_stands() -> None:
    """No is no, whatever events come, until the plan changes."""
    world = access_world(policy(DATABRICKS, ["get"]))
    look_at(world)
    reject(world, stored_of(world), "ada", "revoked on purpose")
    look_at(world)
    assert row_of(world).state is State.REJECTED
    world.clock.advance(60)
    entries_of(world).append(policy(DATABRICKS, ["wrapKey"], applicationId="a-1"))
    entries_of(world)[0]["permissions"]["keys"] = []
    look_at(world)

    assert row_of(world).state is State.REJECTED


@pytest.mark.parametrize(
    ("locked", "reason"), [("CanNotDelete", "Locked"), ("ReadOnly", "Locked"), ("", "SafeInAutoScope")]
)
def test_a_lock_makes_a_plan_that_deletes_a_ticket(locked: str, reason: str) -> None:
    """Own or inherited, seen before the first step."""
    world = access_world(
        rbac=True,
        assigned=[assignment(vault_id(), DATABRICKS, CRYPTO_OFFICER, name="a0000000-0000-4000-8000-000000000001")],
    )
    if locked:
        at = vault_id().partition("/providers/")[0]
        world.grants.lock_bodies.append(
            {"id": f"{at}/providers/Microsoft.Authorization/locks/l", "name": "l", "properties": {"level": locked}}
        )
    evaluate(world, evaluation(world))

    assert row_of(world).decision.reason == reason
    assert bool(world.queue.of("apply")) is (reason == "SafeInAutoScope")


def test_a_delete_lock_does_not_stop_a_policy_from_being_narrowed() -> None:
    """CanNotDelete lets the PUT through."""
    world = access_world(BROAD)
    at = vault_id()
    world.grants.lock_bodies.append(
        {"id": f"{at}/providers/Microsoft.Authorization/locks/l", "name": "l", "properties": {"level": "CanNotDelete"}}
    )
    look_at(world)

    assert row_of(world).state is State.RESOLVED


def test_a_lock_that_comes_after_the_decision_is_seen_too() -> None:
    """Queued, then locked: a ticket, nothing written."""
    world = access_world(
        rbac=True,
        assigned=[assignment(vault_id(), DATABRICKS, CRYPTO_OFFICER, name="a0000000-0000-4000-8000-000000000001")],
    )
    evaluate(world, evaluation(world))
    world.grants.lock_bodies.append(
        {
            "id": f"{vault_id()}/providers/Microsoft.Authorization/locks/l",
            "name": "l",
            "properties": {"level": "CanNotDelete"},
        }
    )
    run(world)

    assert (row_of(world).state, row_of(world).decision.reason, world.arm.writes()) == (State.OBSERVED, "Locked", [])


def test_roles_that_cannot_be_read_are_unknown() -> None:
    """Unknown is never compliant: a ticket, and nothing is closed by it."""
    from shared.core.errors import Denied

    world = access_world(rbac=True)

    def refused(_vault: object) -> Any:
        raise Denied("AuthorizationFailed", "no")

    world.grants.assignments = refused  # type: ignore[method-assign, assignment]
    look_at(world)

    assert (row_of(world, "").state, row_of(world, "").verdict, row_of(world, "").finding.reason) == (
        State.OBSERVED,
        "Unknown",
        "AuthorizationFailed",
    )


def test_a_finding_closes_when_its_subject_is_gone() -> None:
    """The broad secrets of AzureDatabricks went away by themselves: the row of that subject is resolved."""
    world = access_world(policy(DATABRICKS, ["get", "wrapKey", "unwrapKey"], secrets=["set"]))
    look_at(world)
    subject = f"{DATABRICKS} secrets"
    assert row_of(world, subject).state is State.AWAITING_APPROVAL
    entries_of(world)[0]["permissions"]["secrets"] = []
    world.clock.advance(60)
    look_at(world)

    assert row_of(world, subject).state is State.RESOLVED


def _orphan_world(**choices: Any) -> World:
    world = access_world(FINE, policy("gone-oid", ["get", "wrapKey", "unwrapKey"]), **choices)
    once = Once("gone-oid", "dbfsRoot", workspace_id("dbw-gone").lower())
    world.records.kept[vault_id().lower()] = Memory(identities=(once,))
    return world


def test_an_orphan_is_found_by_a_complete_sweep_and_asked_for() -> None:
    """The workspace is gone and the whole estate was seen: approval, then the entry goes, and only that one."""
    world = _orphan_world(subscriptions=(SUBSCRIPTION,))
    swept(world)
    assert (row_of(world, "gone-oid").finding.reason, row_of(world, "gone-oid").state) == (
        "Orphan",
        State.AWAITING_APPROVAL,
    )
    approve(world, stored_of(world, "gone-oid"), yes(world, row_of(world, "gone-oid")))
    run(world)

    assert [entry["objectId"] for entry in entries_of(world)] == [DATABRICKS]


@pytest.mark.parametrize("why", ["event", "no list of subscriptions", "one unseen", "still named", "unreadable"])
def test_no_orphan_where_somebody_may_have_been_overlooked(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reason for which an identity might still be in use."""
    world = _orphan_world(subscriptions=() if why == "no list of subscriptions" else (SUBSCRIPTION,))
    world.inventory.unseen = {SUBSCRIPTION} if why == "one unseen" else set()
    if why == "still named":
        body = workspace_body("dbw-gone")
        key = {"keySource": "Microsoft.Keyvault", "keyvaulturi": "https://kv-one.vault.azure.net/", "KeyName": "k"}
        body["properties"] |= {
            "encryption": {},
            "storageAccountIdentity": {"principalId": "gone-oid"},
            "parameters": {"encryption": {"value": key}},
        }
        world.arm.put(body)
        world.inventory.lag = True  # Resource Graph does not know: the workspace itself is asked
    if why == "unreadable":
        from shared.core.errors import Denied

        read = world.arm.read

        def refused(target: ids.ResourceId) -> Any:
            if target.name == "dbw-gone":
                raise Denied("AuthorizationFailed", "no")
            return read(target)

        monkeypatch.setattr(world.arm, "read", refused)
    if why == "event":
        evaluate(world, evaluation(world))
    else:
        swept(world)

    assert remediation_id("KV-ACCESS", vault_id().lower(), "gone-oid") not in world.records.rows


def _undone(world: World, person: str = "ada") -> Stored:
    return undo_of(world, stored_of(world), Wish(person, "it backs up", world.clock.now() + timedelta(days=10)))


def test_an_undo_restores_to_the_letter_and_exempts_first() -> None:
    """Before the policy comes back the finding is exempted: at no moment would an event narrow it again."""
    world = access_world(BROAD)
    before = [dict(entry) for entry in entries_of(world)]
    look_at(world)
    undo = _undone(world)
    approve(world, undo, yes(world, undo.row, person="amit"))
    run(world)

    assert entries_of(world) == before
    assert (row_of(world).state, row_of(world).decision.reason) == (State.SUPPRESSED, "Exempted")
    exempted = next(it for it in world.records.past[row_of(world).id] if it.event == "exempted")
    written = next(it for it in world.records.past[undo.row.id] if it.event == "writing")
    assert exempted.time <= written.time
    world.clock.advance(60)
    look_at(world)
    assert entries_of(world) == before


def test_an_exemption_ends() -> None:
    """Past its date it counts for nothing: the finding is narrowed again, by the next look."""
    world = access_world(BROAD)
    look_at(world)
    undo = _undone(world)
    approve(world, undo, yes(world, undo.row, person="amit"))
    run(world)
    world.clock.advance(11 * 86_400)
    look_at(world)

    assert row_of(world).state is State.RESOLVED
    assert entries_of(world)[0]["permissions"]["keys"] == ["get", "wrapKey", "unwrapKey"]


@pytest.mark.parametrize("change", ["before", "neither"])
def test_an_undo_refuses_a_state_that_it_does_not_know(change: str) -> None:
    """Somebody has put it back already, or has changed it: nothing is guessed."""
    world = access_world(BROAD)
    look_at(world)
    entries_of(world)[0]["permissions"] = {"keys": ["sign"]} if change == "neither" else BROAD["permissions"]
    with pytest.raises(Refused) as caught:
        _undone(world)

    assert caught.value.reason == ("ChangedSince" if change == "neither" else "NothingToUndo")


def test_what_changes_after_an_undo_was_approved_is_not_overwritten() -> None:
    """The state is looked at again when the undo is applied."""
    world = access_world(BROAD)
    look_at(world)
    undo = _undone(world)
    approve(world, undo, yes(world, undo.row, person="amit"))
    entries_of(world)[0]["permissions"] = {"keys": ["get", "wrapKey", "unwrapKey", "sign"]}
    writes = len(world.arm.writes())
    run(world)

    assert world.records.rows[undo.row.id].row.state is State.FAILED
    assert len(world.arm.writes()) == writes


def test_who_asks_for_an_undo_cannot_approve_it() -> None:
    """The requester is never the approver."""
    world = access_world(BROAD)
    look_at(world)
    undo = _undone(world)
    with pytest.raises(Refused, match="asked for this"):
        approve(world, undo, yes(world, undo.row))


def _recovery(world: World) -> Stored:
    return world.records.rows[remediation_id("KV-RECOVERY", vault_id().lower(), "")]


def test_what_cannot_be_undone_says_so() -> None:
    """Purge protection stays: the undo is refused, with the reason."""
    world = access_world(FINE)
    world.grants.vault["properties"]["enablePurgeProtection"] = None
    look_at(world)
    with pytest.raises(Refused) as caught:
        undo_of(world, _recovery(world), Wish("ada", "x", world.clock.now() + timedelta(days=1)))

    assert caught.value.reason == "Irreversible"


def _too_long(world: World) -> Wish:
    return Wish("ada", "x", world.clock.now() + timedelta(days=91))


def _silent(world: World) -> Wish:
    return Wish("ada", " ", world.clock.now() + timedelta(days=1))


@pytest.mark.parametrize("wish", [_too_long, _silent])
def test_an_exemption_needs_a_reason_and_an_end(wish: Callable[[World], Wish]) -> None:
    """Ninety days at most, and a word of why."""
    world = access_world(BROAD)
    look_at(world)
    with pytest.raises(BadInput):
        undo_of(world, stored_of(world), wish(world))
