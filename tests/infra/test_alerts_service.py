"""Alerts on the service's own log. Each happening is brought about in the real flow; what that logs is what the query sees."""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from remediators import REMEDIATORS
from shared.core.choices import Mode
from shared.core.errors import Denied, Temporary
from shared.flow.apply import apply
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.figures import figures
from shared.flow.notify import notify
from shared.flow.receive import receive
from shared.flow.survey import begin, take_share
from shared.flow.sweep import sweep
from tests.access import CRYPTO_OFFICER, DATABRICKS, TENANT, Access, assignment, policy
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id
from tests.flow.conftest import delivery, evaluation, run
from tests.flow.narrowing import FINE, access_world
from tests.flow.test_letters import NAME, _event
from tests.infra.kql import rules
from tests.infra.kql.logs import Row, ago, traces
from tests.infra.test_alerts_audit import ON_VAULTS

ON_SERVICE = [name for name in rules.names() if name not in ON_VAULTS]
DAY = 86_400

type Log = Callable[..., list[Row]]


@pytest.fixture
def world() -> World:
    """A world with nothing in it."""
    return World()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """Returns what was logged since it was called last, as rows of that time; each record once."""
    caplog.set_level(logging.INFO)

    def rows(at: datetime | None = None) -> list[Row]:
        found = traces(caplog.records, at)
        caplog.clear()
        return found

    return rows


@pytest.fixture
def good(log: Log) -> list[Row]:
    """Two nights and a day: something is found, put right and told of; the sweep sees all; the figures are made."""
    world = World()
    world.remediators = REMEDIATORS
    rows = list[Row]()
    for hours in (30, 6):
        world.arm.put(vault_body(f"kv-{hours}", enablePurgeProtection=hours == 30 or None))
        receive(world, json.dumps(_write(f"kv-{hours}")))
        evaluate(world, evaluation(world, vault_id(f"kv-{hours}")))
        run(world)
        sweep(world)
        run(world, rounds=200)
        figures(world)
        rows += log(ago(hours=hours))
        world.clock.advance(DAY)
    assert {"recorded", "resolved", "notice", "swept", "surveyed", "figures", "kpi", "knows"} <= _verbs(rows)
    return rows


def _write(name: str) -> dict[str, object]:
    kind = "Microsoft.Resources.ResourceWriteSuccess"
    return {"eventType": kind, "id": f"e-{name}", "subject": vault_id(name), "data": {"operationName": "w"}}


def _verbs(rows: list[Row]) -> set[str]:
    return {str(row["Message"]).split()[0].removeprefix("verb=") for row in rows}


def _found(name: str, rows: list[Row]) -> list[Row]:
    return rules.found(name, {"AppTraces": rows})


@pytest.mark.parametrize("name", ON_SERVICE)
def test_a_good_day_is_silent(name: str, good: list[Row], log: Log) -> None:
    """Nothing that goes as it should rings, whenever a rule looks: as if all had been written just now, too."""
    assert _found(name, good) == []
    assert _found(name, [{**row, "TimeGenerated": ago(minutes=2)} for row in good]) == []


# Something could not be worked on


def _given_up(world: World) -> None:
    world.arm.put(vault_body())
    world.arm.failures["read"].append(Temporary("Http503", "down"))
    evaluate(world, evaluation(world, attempt=9))


def _killer(world: World) -> None:
    drain(world, "evaluate", delivery("{}", NOON))


def _no_event(world: World) -> None:
    receive(world, "no event")


def _no_evaluation(world: World) -> None:
    evaluate(world, delivery("{}", NOON))


def _no_write(world: World) -> None:
    apply(world, delivery("{}", NOON))


def _no_notice(world: World) -> None:
    notify(world, delivery("{}", NOON))


def _no_share(world: World) -> None:
    take_share(world, delivery("{}", NOON))


def _no_ticket(world: World) -> None:
    world.choices = World(mode=Mode.APPROVE).choices
    world.arm.put(vault_body())
    world.tickets.failures += [Temporary("ServerBusy", "tables")] * 9
    evaluate(world, evaluation(world))
    run(world)


def _write_given_up(world: World) -> None:
    world.arm.put(vault_body())
    world.arm.failures["write"] += [Temporary("Http503", "down")] * 9
    evaluate(world, evaluation(world))
    run(world, rounds=100)


POISON = (
    _given_up, _killer, _no_event, _no_evaluation, _no_write, _no_notice, _no_share, _no_ticket, _write_given_up,
)  # fmt: skip


@pytest.mark.parametrize("happens", POISON)
def test_whatever_becomes_poison_rings(happens: Callable[[World], None], world: World, log: Log) -> None:
    """No record of poison without a line that the query finds, and it says what about."""
    happens(world)
    found = _found("poison", log())

    assert len(world.records.poison_records) == len(found) == 1
    assert found[0]["about"] not in {"", "unknown"}
    assert found[0]["reason"]


def test_a_dead_letter_rings(world: World, log: Log) -> None:
    """The sweep puts it on record; the row says which blob and why."""
    world.letters.kept[NAME] = json.dumps([_event()])
    sweep(world)
    (found,) = _found("letters", log())

    assert (found["about"], found["reason"]) == (NAME, "MaxDeliveryAttemptsExceeded")


# What was found


def test_a_failed_remediation_rings(world: World, log: Log) -> None:
    """Once, under its own name: its notice is an alarm as well, and does not ring a second time."""
    world.arm.put(vault_body())
    world.arm.failures["write"].append(Denied("ScopeLocked", "locked"))
    evaluate(world, evaluation(world))
    run(world)
    rows = log()

    assert [row["reason"] for row in _found("failed", rows)] == ["ScopeLocked"]
    assert _found("alarm", rows) == []


def test_a_write_that_killed_its_worker_rings_as_failed_too(world: World, log: Log) -> None:
    """Its message is poison, its row has failed."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    drain(world, "apply", delivery(world.queue.take("apply"), NOON))
    rows = log()

    assert [row["reason"] for row in _found("failed", rows)] == ["GaveUp"]
    assert len(_found("poison", rows)) == 1


def test_a_guard_rail_that_trips_rings(log: Log) -> None:
    """Silence must not be a way to switch us off."""
    world = World(writes_per_hour=1, share=100)
    for n in range(2):
        world.arm.put(vault_body(f"kv-{n}"))
        evaluate(world, evaluation(world, vault_id(f"kv-{n}")))
    run(world)
    (found,) = _found("alarm", log())

    assert (found["control"], found["decision"]) == ("KV-RECOVERY", "WritesPerHour")


def test_a_deleted_vault_rings(log: Log) -> None:
    """At the first look that sees it."""
    world = access_world(FINE)
    evaluate(world, evaluation(world))
    run(world)
    world.arm.graves.bury(world.arm.resources, vault_id(), world.clock.now())
    log()
    evaluate(world, evaluation(world))
    run(world)

    assert "VaultIsDeleted" in {row["finding"] for row in _found("alarm", log())}


def test_a_question_that_ends_unanswered_rings(log: Log) -> None:
    """When people are reminded, and when it is over."""
    world = World(mode=Mode.APPROVE)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    run(world)
    asked, said = log(), list[str]()
    for _ in range(16):
        world.clock.advance(DAY)
        sweep(world)
        run(world)
        said += [str(row["verb"]) for row in _found("waiting", log())]

    assert _found("waiting", asked) == []
    assert said == ["reminded", "expired"]


# The work of the night


def _aged(rows: list[Row], hours: float) -> list[Row]:
    return [{**row, "TimeGenerated": row["TimeGenerated"] - timedelta(hours=hours)} for row in rows]


def test_a_night_that_was_left_out_rings(good: list[Row]) -> None:
    """The last sweep was 27 hours ago; or it was there and the figures were not; or nothing speaks at all."""
    no_figures = [row for row in good if "verb=figures " not in row["Message"]]

    assert [row["What"] for row in _found("late", _aged(good, 21))] == ["no sweep"]
    assert [row["What"] for row in _found("late", no_figures)] == ["no figures"]
    assert [row["What"] for row in _found("late", _aged(good, 48))] == ["nothing is logged at all"]


def test_a_night_that_was_a_little_late_does_not_ring(good: list[Row]) -> None:
    """The last one was 23 hours ago: where it takes some hours, the next is no delay."""
    assert _found("late", _aged(good, 17)) == []


def test_lines_of_the_host_are_none_of_the_service() -> None:
    """The host goes on logging where the service has nothing to say any more."""
    rows = [
        {"TimeGenerated": ago(hours=n), "Message": "Executing 'Functions.sweep'", "SeverityLevel": 3} for n in range(47)
    ]

    assert [row["What"] for row in _found("late", rows)] == ["nothing is logged at all"]
    assert [name for name in ON_SERVICE if _found(name, rows)] == ["late"]


def test_a_service_of_today_has_a_night_to_come(good: list[Row]) -> None:
    """Installed an hour ago, it has not swept yet: that is no delay."""
    fresh = [{**row, "TimeGenerated": ago(hours=1)} for row in good if "verb=received" in row["Message"]]

    assert fresh
    assert _found("late", fresh) == []


def test_a_sweep_that_does_not_end_rings(world: World, log: Log) -> None:
    """Its messages were lost: after six hours somebody is told, and not before; one share of two is not the end."""
    other = SUBSCRIPTION.replace("1111", "2222", 1)
    world.choices = World(subscriptions=(SUBSCRIPTION, other)).choices
    begin(world)
    begun = log(ago(hours=7))
    take_share(world, delivery(world.queue.take("sweep"), world.clock.now()))

    assert [(row["Wanted"], row["Done"]) for row in _found("unfinished", begun)] == [(2, 1)]
    assert _found("unfinished", [{**row, "TimeGenerated": ago(hours=5)} for row in begun]) == []
    run(world)
    assert _found("unfinished", [*begun, *log()]) == []


@pytest.mark.parametrize("why", ["not visible at all", "refused"])
def test_a_subscription_that_cannot_be_read_rings(world: World, log: Log, why: str) -> None:
    """Resource Graph shows nothing of it without an error, or refuses."""
    if why == "refused":
        world.inventory.failures.append(Denied("AuthorizationFailed", "no"))
    else:
        world.choices = World(subscriptions=(SUBSCRIPTION,)).choices
        world.inventory.unseen.add(SUBSCRIPTION)
    begin(world)
    run(world)
    (found,) = _found("unread", log())

    assert found["subscription"] == SUBSCRIPTION
    assert str(found["problem"]).startswith("AuthorizationFailed" if why == "refused" else "NotVisible")


# Our own identities


@pytest.mark.parametrize("who", [rules.READER, rules.WRITER])
@pytest.mark.parametrize("model", ["policy", "role", "dormant policy"])
def test_an_identity_of_ours_that_may_touch_keys_rings(log: Log, who: str, model: str) -> None:
    """Granted by a policy or a role, in the model that counts or in the other one; nothing that it needs lets it."""
    given = [policy(who.upper(), ["get", "unwrapKey"])] if "policy" in model else []
    roles = [] if given else [assignment(vault_id(), who, CRYPTO_OFFICER, name="a")]
    world = access_world(FINE, *given, rbac=model != "policy", assigned=roles)
    evaluate(world, evaluation(world))
    found = _found("own", log())

    assert {(row["principal"], row["target"], row["role"]) for row in found} == {(who, vault_id(), "holder")}


def test_others_who_may_touch_keys_are_no_reason(log: Log) -> None:
    """People and pipelines have their own business there; and ours may read secrets' names or nothing."""
    world = access_world(FINE, policy("somebody", ["all"]), policy(rules.READER, [], ["list"]))
    evaluate(world, evaluation(world))
    rows = log()

    assert _found("own", rows) == []
    assert DATABRICKS in "".join(str(row["Message"]) for row in rows)


def test_the_night_says_it_again(log: Log) -> None:
    """A rule sees two days: whom each vault knows is said each night, though nobody looks at it anew. A page says nothing."""
    world = access_world(FINE, policy(rules.WRITER, ["decrypt"]))
    evaluate(world, evaluation(world))
    run(world)
    log()
    figures(world, patience=timedelta(seconds=20))
    asked = log()
    figures(world)
    told = log()

    assert _found("own", asked) == []
    assert [row["principal"] for row in _found("own", told)] == [rules.WRITER]


def test_a_vault_without_customer_managed_keys_is_not_spoken_of(log: Log) -> None:
    """Whoever uses keys of other vaults is none of our business."""
    world = World()
    world.give(Access(vault_body(tags={}, tenantId=TENANT, accessPolicies=[policy(rules.READER, ["get"])])))
    evaluate(world, evaluation(world))

    assert "knows" not in _verbs(log())
