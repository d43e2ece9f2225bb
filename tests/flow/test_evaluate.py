"""Evaluating: from a message to a row, coalescing, coming back, and the rails."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core import ids
from shared.core.choices import Mode
from shared.core.control import Memory, Named, Nomination
from shared.core.errors import BadInput, Conflict, Denied, Temporary
from shared.core.record import State
from shared.flow.evaluate import evaluate
from tests.fakes import SUBSCRIPTION, World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.conftest import again, delivery, evaluation, run


def test_a_finding_is_queued_for_application(world: World) -> None:
    """A tagged vault without purge protection inside the auto scope: a queued row, then its message."""
    world.arm.put(vault_body())

    evaluate(world, evaluation(world))

    row = world.row()
    assert (row.state, row.decision.reason) == (State.QUEUED, "SafeInAutoScope")
    assert world.queue.of("apply") == [{"remediation": row.id, "fingerprint": row.plan.fingerprint, "claim": ""}]


def test_deciding_costs_two_reads(world: World) -> None:
    """One GET of the vault, one inventory query; and Azure is not written to."""
    world.arm.put(vault_body())

    evaluate(world, evaluation(world))

    assert world.arm.calls == [("GET", vault_id().lower())]


@pytest.mark.parametrize("body", [vault_body(enablePurgeProtection=True), vault_body(tags={})])
def test_what_is_fine_or_not_ours_leaves_no_row(world: World, body: dict[str, object]) -> None:
    """A protected vault and one out of scope are left alone."""
    world.arm.put(body)

    evaluate(world, evaluation(world))

    assert (world.records.rows, world.queue.sent) == ({}, [])


@pytest.mark.parametrize(
    ("where", "reason"),
    [("vault", "SandboxEnvironment"), ("workspace", "SandboxEnvironment"), ("memory", "SandboxEnvironment")],
)
def test_a_sandbox_waits_for_a_person(world: World, where: str, reason: str) -> None:
    """The environment of the vault, of a workspace that uses it, or one seen before: each makes it ask first."""
    world.arm.put(vault_body(tags={"cmk-vault": "true", **({"environment": "Sandbox"} if where == "vault" else {})}))
    if where == "workspace":
        world.arm.put(workspace_body(environment="sbx"))
    if where == "memory":
        world.records.kept[vault_id().lower()] = Memory(environments=("sandbox",))

    evaluate(world, evaluation(world))

    assert (world.row().state, world.row().decision.reason) == (State.AWAITING_APPROVAL, reason)
    assert world.queue.of("apply") == []
    assert [body["state"] for body in world.queue.of("notify")] == ["awaiting_approval"]


def test_taking_the_sandbox_tag_away_frees_nothing(world: World) -> None:
    """Whoever can write a tag cannot by that alone cause what cannot be undone."""
    world.arm.put(vault_body(tags={"cmk-vault": "true", "environment": "sandbox"}))
    evaluate(world, evaluation(world))
    world.arm.put(vault_body(tags={"cmk-vault": "true"}))
    world.clock.advance(10)

    evaluate(world, evaluation(world))

    assert world.row().state is State.AWAITING_APPROVAL


def test_taking_the_vault_tag_away_ends_nothing(world: World) -> None:
    """A finding does not go away because its vault is not tagged any more."""
    world.choices = replace(world.choices, mode=Mode.APPROVE)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    world.arm.put(vault_body(tags={}))
    world.clock.advance(10)

    evaluate(world, evaluation(world))

    assert world.row().state is State.AWAITING_APPROVAL


def test_outside_the_auto_scope_everything_asks(world: World) -> None:
    """A tag nominates and never authorises."""
    world.choices = replace(world.choices, auto_scope=())
    world.arm.put(vault_body())

    evaluate(world, evaluation(world))

    assert (world.row().state, world.row().decision.reason) == (State.AWAITING_APPROVAL, "OutsideAutoScope")


@pytest.mark.parametrize("error", [Denied("AuthorizationFailed", "no"), BadInput("BadArmAnswer", "what?")])
def test_what_cannot_be_read_is_unknown(world: World, error: Exception) -> None:
    """No permission to read is on record as Unknown, for a person to see to; it is never compliant."""
    world.arm.failures["read"].append(error)

    evaluate(world, evaluation(world))

    assert (world.row().verdict, world.row().state, world.row().decision.reason) == (
        "Unknown",
        State.OBSERVED,
        "CannotRead",
    )


def test_unreadable_dependants_make_it_ask(world: World) -> None:
    """When nobody can say which workspaces a write meets, a person is asked."""
    world.arm.put(vault_body())
    world.inventory.failures.append(Denied("AuthorizationFailed", "no"))

    evaluate(world, evaluation(world))

    assert (world.row().state, world.row().decision.reason) == (State.AWAITING_APPROVAL, "DependantsUnknown")


def test_a_temporary_failure_comes_back_later(world: World) -> None:
    """Throttled: the same message again after what Azure said, one attempt more, and no row yet."""
    world.arm.failures["read"].append(Temporary("TooManyRequests", "slow down", 17))

    evaluate(world, evaluation(world))

    ((queue, body, delay),) = world.queue.sent
    assert (queue, body["attempt"], delay) == ("evaluate", 2, 17)
    assert world.records.rows == {}


def test_delays_double_and_end(world: World) -> None:
    """Without a word from Azure the wait doubles, up to a quarter of an hour."""
    delays = []
    for attempt in range(1, 9):
        world.arm.failures["read"].append(Temporary("Http503", "down"))
        evaluate(world, evaluation(world, attempt=attempt))
        delays.append(world.queue.sent.pop()[2])
        world.clock.advance(10)

    assert delays == [30, 60, 120, 240, 480, 900, 900, 900]


def test_the_ninth_failure_is_recorded_as_unknown(world: World) -> None:
    """After nine tries nothing is sent any more: a poison record and an Unknown row say so."""
    world.arm.failures["read"].append(Temporary("Http503", "down"))

    evaluate(world, evaluation(world, attempt=9))

    assert world.queue.of("evaluate") == []
    assert (world.row().verdict, world.row().finding.reason) == ("Unknown", "Http503")
    assert [it.reason for it in world.records.poison_list()] == ["Http503"]


def test_a_vault_that_is_still_being_made_comes_back(world: World) -> None:
    """While Azure is not done with a vault, it is neither judged nor recorded."""
    world.arm.put(vault_body(provisioningState="RegisteringDns"))

    evaluate(world, evaluation(world))

    assert [body["attempt"] for body in world.queue.of("evaluate")] == [2]
    assert world.records.rows == {}


def test_a_vault_that_is_gone_supersedes_its_row_and_is_looked_at_again(world: World) -> None:
    """Deleted: its open row ends; since ARM may lag behind its own events, two more looks follow, then silence."""
    world.choices = replace(world.choices, mode=Mode.APPROVE)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    world.queue.sent.clear()
    world.arm.resources.clear()
    world.clock.advance(10)

    evaluate(world, evaluation(world))
    state = world.row().state
    run(world)

    assert state is State.SUPERSEDED
    assert world.arm.calls.count(("GET", vault_id().lower())) == 1 + 3


def test_a_recovered_vault_is_found_again(world: World) -> None:
    """A row that ended with its vault opens again when the vault comes back unprotected."""
    world.choices = replace(world.choices, mode=Mode.APPROVE)
    world.arm.put(vault_body())
    for resources in ({}, {vault_id().lower(): vault_body()}):
        evaluate(world, evaluation(world))
        world.queue.sent.clear()
        world.arm.resources = resources
        world.clock.advance(10)
    evaluate(world, evaluation(world))

    assert world.row().state is State.AWAITING_APPROVAL


def test_a_burst_costs_one_look(world: World) -> None:
    """Messages that were sent before a gather began are answered by it."""
    world.arm.put(vault_body())
    early = [evaluation(world) for _ in range(50)]
    world.clock.advance(5)
    for message in early:
        evaluate(world, message)

    assert world.arm.calls.count(("GET", vault_id().lower())) == 1


def test_a_redelivered_message_is_not_answered_by_itself(world: World) -> None:
    """After a kill the message that began the gather is worked on again, late as it is."""
    world.arm.put(vault_body())
    message = evaluation(world)
    world.clock.advance(3)
    world.records.begin(ids.parse(vault_id()), message.id, None)

    evaluate(world, again(message))

    assert world.row().state is State.QUEUED


def test_a_redelivery_after_the_row_was_saved_does_nothing_twice(world: World) -> None:
    """The same message again: the same row, no second entry in its history."""
    world.arm.put(vault_body())
    message = evaluation(world)
    evaluate(world, message)
    evaluate(world, again(message))

    assert len(world.records.past[world.row().id]) == 1
    assert len(world.records.ledger) == 1


def test_a_kill_between_the_row_and_its_message_loses_nothing(world: World) -> None:
    """The row was saved and `apply` was not sent: the message delivered again sends it, and saves nothing."""
    world.arm.put(vault_body())
    message = evaluation(world)
    evaluate(world, message)
    world.queue.sent.clear()
    evaluate(world, again(message))

    assert len(world.queue.of("apply")) == 1
    assert len(world.records.past[world.row().id]) == 1


def test_an_inventory_that_may_not_be_asked_is_unknown(world: World) -> None:
    """Azure refuses a read that the decision needs: Unknown and on record at once, not tried nine times."""
    world.arm.put(vault_body())

    def refused(subscription: str) -> int:
        raise Denied("AuthorizationFailed", subscription)

    world.inventory.vaults_in = refused  # type: ignore[method-assign]
    evaluate(world, evaluation(world))

    assert (world.row().verdict, world.row().state, world.queue.of("evaluate")) == ("Unknown", State.OBSERVED, [])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"id": 5}',
        json.dumps({"id": vault_id(), "cause": []}),
        json.dumps({"id": vault_id(), "attempt": "1"}),
        json.dumps({"id": vault_id(), "attempt": 0}),
    ],
)
def test_a_message_that_makes_no_sense_is_a_poison_record(world: World, body: str) -> None:
    """Garbage on the queue is recorded with its reason and does not come back."""
    evaluate(world, delivery(body, world.clock.now()))

    assert [it.source for it in world.records.poison_list()] == ["evaluate"]
    assert world.queue.sent == []


def test_a_target_outside_the_estate_is_refused() -> None:
    """A message for another subscription than ours is recorded and not read."""
    world = World(subscriptions=("99999999-0000-4000-8000-000000000000",))
    world.arm.put(vault_body())

    evaluate(world, evaluation(world))

    assert ([it.reason for it in world.records.poison_list()], world.arm.calls) == (["OutsideEstate"], [])


def test_a_workspace_wakes_the_vaults_it_names(world: World) -> None:
    """A workspace was written: each vault that its layers name is looked at, and knows who named it."""
    world.arm.put(vault_body(tags={}), workspace_body(environment="prod"))
    evaluate(world, evaluation(world, workspace_id()))
    run(world)

    memory = world.records.kept[vault_id().lower()]
    assert memory.nominations == (Nomination(workspace_id(), "prod", (Named("managedServices", "k", ""),)),)
    assert (world.row().state, world.row().cause.kind) == (State.RESOLVED, "workspace")


def test_a_vault_named_by_a_workspace_is_in_scope_before_the_inventory_knows(world: World) -> None:
    """Resource Graph lags: what the workspace itself said is remembered."""
    world.arm.put(vault_body(tags={}), workspace_body())
    evaluate(world, evaluation(world, workspace_id()))
    message = world.queue.take("evaluate")
    world.inventory.lag = True
    world.clock.advance(5)
    evaluate(world, delivery(message, world.clock.now()))

    assert "named it" in str(world.row().finding.evidence["in_scope_because"])


def test_a_vault_the_inventory_does_not_know_yet_is_asked_for_again(world: World) -> None:
    """A workspace names a vault that Resource Graph does not show: the workspace comes back, not for ever."""
    world.arm.put(vault_body(tags={}), workspace_body())
    world.inventory.lag = True
    evaluate(world, evaluation(world, workspace_id()))
    again = world.queue.of("evaluate")
    world.inventory.lag = False
    run(world)

    assert [(body["id"], body["attempt"]) for body in again] == [(workspace_id(), 2)]
    assert world.row().state is State.RESOLVED


def test_a_vault_that_is_named_no_longer_is_looked_at_as_well(world: World) -> None:
    """When a workspace moves to another vault, both the old and the new one are evaluated."""
    world.arm.put(vault_body(), vault_body("kv-two"), workspace_body())
    evaluate(world, evaluation(world, workspace_id()))
    world.queue.sent.clear()
    world.clock.advance(10)
    world.arm.put(workspace_body(vault="kv-two"))
    evaluate(world, evaluation(world, workspace_id()))

    assert {(body["id"], body["whole"]) for body in world.queue.of("evaluate")} == {
        (vault_id(), True), (vault_id("kv-two"), False),
    }  # fmt: skip


def test_a_vault_whose_workspace_is_gone_is_looked_at_as_a_whole(world: World) -> None:
    """Once Azure has said three times that there is none: its identities may still hold what they held."""
    world.arm.put(vault_body(), workspace_body())
    evaluate(world, evaluation(world, workspace_id()))
    world.queue.sent.clear()
    del world.arm.resources[workspace_id().lower()]
    sent = []
    for attempt in (1, 2, 3):
        world.clock.advance(100)
        evaluate(world, evaluation(world, workspace_id(), attempt))
        sent.append([(it["id"], it["whole"]) for it in world.queue.of("evaluate") if it["id"] == vault_id()])

    assert sent == [[], [], [(vault_id(), True)]]


def test_the_writes_of_an_hour_are_limited(world: World) -> None:
    """With a limit of two, the third vault of the hour waits for a person, and an hour later the next one does not."""
    world.choices = replace(world.choices, writes_per_hour=2, share=100)
    names = [f"kv-{n}" for n in range(4)]
    world.arm.put(*(vault_body(name) for name in names))
    for name in names[:3]:
        evaluate(world, evaluation(world, vault_id(name)))
    world.clock.advance(3601)
    evaluate(world, evaluation(world, vault_id(names[3])))

    states = [stored.row.state for stored in world.records.rows.values()]
    reasons = [stored.row.decision.reason for stored in world.records.rows.values()]
    assert states == [State.QUEUED, State.QUEUED, State.AWAITING_APPROVAL, State.QUEUED]
    assert reasons[2] == "WritesPerHour"
    assert len(world.records.ledger) == 3


def test_the_share_of_a_subscription_is_limited(world: World) -> None:
    """Of ten vaults two may change by themselves within a day; the third one asks."""
    world.arm.put(*(vault_body(f"kv-{n}") for n in range(10)))
    for n in range(3):
        evaluate(world, evaluation(world, vault_id(f"kv-{n}")))

    reasons = [stored.row.decision.reason for stored in world.records.rows.values()]
    assert reasons == ["SafeInAutoScope", "SafeInAutoScope", "ShareOfVaults"]


def test_the_third_remedy_within_a_day_becomes_a_ticket(world: World) -> None:
    """Somebody changes it back: after two remedies in a day nothing is written any more."""
    world.choices = replace(world.choices, share=100)
    states = []
    for _ in range(3):
        world.arm.put(vault_body(enableSoftDelete=False))
        evaluate(world, evaluation(world))
        run(world)
        states.append((world.row().state, world.row().decision.reason))
        world.clock.advance(3600)

    assert states == [
        (State.RESOLVED, "SafeInAutoScope"),
        (State.RESOLVED, "SafeInAutoScope"),
        (State.OBSERVED, "ChangedBackRepeatedly"),
    ]
    assert len(world.arm.writes()) == 2


def test_a_row_that_changes_under_our_hands_is_looked_at_again(world: World) -> None:
    """Somebody else saved the row meanwhile: the look starts over."""
    world.arm.failures["read"].append(Conflict("RowChanged", "somebody was faster"))

    evaluate(world, evaluation(world))

    assert [(body["attempt"], delay) for _, body, delay in world.queue.sent] == [(2, 2)]


def test_observing_writes_no_message(world: World) -> None:
    """In observe mode a finding is on record and nothing is queued."""
    world.choices = replace(world.choices, mode=Mode.OBSERVE)
    world.arm.put(vault_body())

    evaluate(world, evaluation(world))

    assert (world.row().state, world.queue.of("apply")) == (State.OBSERVED, [])


def test_a_paused_subscription_asks(world: World) -> None:
    """Pausing a subscription turns what would happen by itself into a question."""
    world.choices = replace(world.choices, paused=frozenset({SUBSCRIPTION}))
    world.arm.put(vault_body())

    evaluate(world, evaluation(world))

    assert world.row().decision.reason == "SubscriptionPaused"


def test_time_between_sending_and_working_does_not_matter(world: World) -> None:
    """A message that waited an hour is worked on when no gather has begun since it was sent."""
    world.arm.put(vault_body())
    message = evaluation(world)
    world.clock.time += timedelta(hours=1)

    evaluate(world, message)

    assert world.row().state is State.QUEUED
