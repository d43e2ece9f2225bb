"""The doctor over fakes: all is well, then one fault after the other, each named with what to do."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.checkup import Result, rights, topics
from shared.core.choices import Freeze, Mode
from shared.core.errors import Conflict, Denied, Temporary
from shared.core.ports import Backlog, Gather, Poisoned, Seen
from shared.core.record import State
from shared.core.survey import Progress
from shared.flow.diagnose import LOOKS, diagnose
from shared.flow.evaluate import evaluate
from simulator.stack import ROOT
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id
from tests.flow.conftest import evaluation
from tests.flow.healthy import choose, fail, faults, survey, well
from tests.vitals import DATABRICKS, assigned, condition, event_subscription, role

OTHER = "22222222-2c6d-4f0a-8b1e-5d9c7a3e0002"
DENIED = Denied("AuthorizationFailed", "you may not")
AWAY = Temporary("ConnectionLost", "nobody there")


def test_a_healthy_app_is_all_green() -> None:
    """Each look says pass, in a fixed order, and nothing is sent or written."""
    world = well()
    found = diagnose(world)

    assert {it.result for it in found} == {Result.PASS}
    assert [it.name for it in found if it.name != "azure-databricks"] == [look.name for look in LOOKS]
    assert (world.queue.sent, world.arm.writes()) == ([], [])


def _hold(who: str, *held: dict[str, Any]) -> Callable[[World], None]:
    return lambda world: world.vitals.assignments.update({f"{who}-oid": list(held)})


def _owner(who: str) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.vitals.roles["owner"] = role("writer", actions=["*"])
        world.vitals.assignments[f"{who}-oid"] = [*world.vitals.assignments[f"{who}-oid"], assigned("owner")]

    return plant


def _weak(world: World) -> None:
    world.vitals.roles["weak"] = role("reader", actions=["Microsoft.KeyVault/vaults/read"])
    world.vitals.assignments["reader-oid"] = [assigned("weak")]


def _secrets(world: World) -> None:
    world.vitals.roles["secrets"] = role("reader", dataActions=["Microsoft.KeyVault/vaults/secrets/getSecret/action"])
    world.vitals.assignments["reader-oid"] = [assigned("reader"), assigned("secrets")]


def _graph(error: Exception) -> Callable[[World], None]:
    def refuse() -> frozenset[str]:
        raise error

    return lambda world: setattr(world.inventory, "subscriptions", refuse)


def _no_vault(world: World) -> None:
    world.arm.resources.clear()


def _bare_vault(world: World) -> None:
    world.arm.put(vault_body("kv-keys"))


def _no_queue(world: World) -> None:
    del world.vitals.queues["apply"]


def _old(world: World) -> None:
    world.vitals.queues["evaluate"] = Backlog(7, {"m-1": NOON - timedelta(hours=2)})


def _poison(source: str, body: str) -> Callable[[World], None]:
    return lambda world: world.records.poison(Poisoned(source, "m-1", "GaveUp", "nine times", body), NOON)


def _lost_event(world: World) -> None:
    world.vitals.writes = [Seen(ids.parse(vault_id()), NOON - timedelta(minutes=20))]
    world.records.gathers[ids.parse(vault_id()).key] = Gather(NOON - timedelta(minutes=21), "m", "1")


def _asleep(state: State) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.arm.put(vault_body())
        evaluate(world, evaluation(world))
        ((row_id, stored),) = world.records.rows.items()
        world.records.rows[row_id] = replace(
            stored, row=replace(stored.row, state=state, updated=NOON - timedelta(days=3))
        )

    return plant


def _unanswered(world: World) -> None:
    _asleep(State.AWAITING_APPROVAL)(world)
    ((row_id, stored),) = world.records.rows.items()
    row = replace(stored.row, asked=NOON - timedelta(days=30), reminded=NOON - timedelta(days=10))
    world.records.rows[row_id] = replace(stored, row=row)


def _blind(world: World) -> None:
    choose(auto_scope=(), key_vaults=())(world)
    world.inventory.unseen.add(SUBSCRIPTION)


GRANTS = assigned("grants", text=condition())
BARE = assigned("grants")
LOOSE = assigned("grants", text="(1 == 1)")
FOREIGN = assigned("grants", text=condition("99999999-58f1-4a6b-b0c4-1f7d2e9a0999"))
WRITER, READER = assigned("writer"), assigned("reader")
ELSEWHERE = assigned("writer", f"/subscriptions/{OTHER}")

FAULTS: dict[str, tuple[Callable[[World], None], str, Result, str]] = {
    "the reader gets no token": (fail("identity reader", AWAY), "reader-token", Result.FAIL, "CMK_READER_CLIENT_ID"),
    "the writer gets no token": (fail("identity writer", AWAY), "writer-identity", Result.FAIL, "CMK_WRITER_CLIENT_ID"),
    "nobody knows the writer": (lambda w: w.vitals.identities.update(writer=""), "writer-identity", Result.UNKNOWN, "CMK_WRITER_CLIENT_ID"),
    "Resource Graph refuses": (_graph(DENIED), "estate", Result.FAIL, "reader.json"),
    "Resource Graph does not answer": (_graph(AWAY), "estate", Result.UNKNOWN, "reader.json"),
    "a subscription is not shown": (choose(subscriptions=(SUBSCRIPTION, OTHER)), "estate", Result.FAIL, "reader.json"),
    "no subscription is shown": (lambda w: w.inventory.unseen.add(SUBSCRIPTION), "estate", Result.FAIL, "reader.json"),
    "the reader lost its role": (_hold("reader"), "reader-role", Result.FAIL, "reader.json"),
    "the reader may not even see roles": (fail("held reader-oid", DENIED), "reader-role", Result.FAIL, "reader.json"),
    "the reader's role lacks actions": (_weak, "reader-role", Result.FAIL, "reader.json"),
    "the reader is Owner": (_owner("reader"), "reader-excess", Result.FAIL, "take that role"),
    "the reader reads secrets": (_secrets, "reader-excess", Result.FAIL, "take that role"),
    "the writer lost its role": (_hold("writer", GRANTS), "writer-role", Result.FAIL, "writer.json"),
    "the writer has its role elsewhere": (_hold("writer", ELSEWHERE, GRANTS), "writer-role", Result.FAIL, "writer.json"),
    "nobody may see what the writer holds": (fail("held writer-oid", DENIED), "writer-role", Result.UNKNOWN, "reader.json"),
    "the writer is Owner": (_owner("writer"), "writer-excess", Result.FAIL, "take that role"),
    "the writer gives roles without a condition": (_hold("writer", WRITER, BARE), "writer-condition", Result.FAIL, "grants.condition"),
    "the writer gives roles under another condition": (_hold("writer", WRITER, LOOSE), "writer-condition", Result.WARN, "grants.condition"),
    "the writer may not narrow roles": (_hold("writer", WRITER), "writer-grants", Result.WARN, "grants.json"),
    "AzureDatabricks is not set": (choose(databricks=""), "azure-databricks", Result.FAIL, "az ad sp show"),
    "AzureDatabricks is somebody else": (_hold("writer", WRITER, FOREIGN), "azure-databricks", Result.FAIL, "az ad sp show"),
    "AzureDatabricks is our own reader": (choose(databricks="reader-oid"), "azure-databricks", Result.FAIL, "az ad sp show"),
    "nothing tells who AzureDatabricks is": (_hold("writer", WRITER), "azure-databricks", Result.UNKNOWN, "az ad sp show"),
    "the tables refuse": (fail("tables", DENIED), "tables", Result.FAIL, "AzureWebJobsStorage"),
    "the tables are away": (fail("tables", AWAY), "tables", Result.FAIL, "AzureWebJobsStorage"),
    "the queues are away": (fail("backlog", AWAY), "queues", Result.FAIL, "AzureWebJobsStorage"),
    "a queue is missing": (_no_queue, "queues", Result.FAIL, "CMK_PART"),
    "nobody takes messages": (_old, "backlog", Result.FAIL, "log"),
    "poison that can be tried again": (_poison("evaluate", "{}"), "poison", Result.FAIL, "redrive"),
    "poison of which nothing is kept": (_poison("event", ""), "poison", Result.WARN, "/api/poison"),
    "the sweep does not run": (_asleep(State.FAILED), "sweep", Result.FAIL, "CMK_SWEEP_SCHEDULE"),
    "the sweep does not revive": (_asleep(State.APPLYING), "sweep", Result.FAIL, "CMK_SWEEP_SCHEDULE"),
    "a question outlives its end": (_unanswered, "sweep", Result.FAIL, "CMK_SWEEP_SCHEDULE"),
    "the estate was never looked over": (lambda w: w.surveys.kept.clear(), "survey", Result.WARN, "cmkwarden sweep"),
    "the nights do not come": (lambda w: survey(w, hours=30), "survey", Result.FAIL, "CMK_SWEEP_SCHEDULE"),
    "a subscription cannot be read": (lambda w: survey(w, progress=Progress.UNREAD, problem="NotVisible: no"), "survey", Result.FAIL, "reader"),
    "the reader sees nothing at all": (_blind, "estate", Result.FAIL, "each subscription"),
    "an event never came": (_lost_event, "events", Result.FAIL, "event_subscriptions.json"),
    "the kill switch is on": (choose(kill_switch=True), "kill-switch", Result.WARN, "CMK_KILL_SWITCH"),
    "a freeze is on": (choose(freezes=(Freeze(NOON, NOON + timedelta(days=1)),)), "freeze", Result.WARN, "CMK_FREEZE"),
    "a subscription is paused": (choose(paused=frozenset({SUBSCRIPTION})), "paused", Result.WARN, "CMK_PAUSED"),
    "it only observes": (choose(mode=Mode.OBSERVE), "mode", Result.WARN, "auto"),
    "one control asks": (choose(modes={"KV-ACCESS": Mode.APPROVE}), "mode", Result.WARN, "auto"),
    "the auto scope is empty": (choose(auto_scope=()), "auto-scope-empty", Result.WARN, "name subscriptions"),
    "the auto scope lies outside": (choose(subscriptions=(SUBSCRIPTION,), auto_scope=(f"/subscriptions/{OTHER}",)), "auto-scope", Result.FAIL, "CMK_SUBSCRIPTIONS"),
    "a vault for keys does not exist": (_no_vault, "key-vaults", Result.FAIL, "CMK_KEY_VAULTS"),
    "a vault for keys cannot be read": (lambda w: w.arm.failures["read"].append(DENIED), "key-vaults", Result.FAIL, "reader"),
    "a vault for keys does not answer": (lambda w: w.arm.failures["read"].append(AWAY), "key-vaults", Result.UNKNOWN, "ask again"),
    "a vault for keys is unprotected": (_bare_vault, "key-vaults", Result.FAIL, "purge protection"),
    "Entra's keys are away": (fail("signing_keys", AWAY), "signing-keys", Result.FAIL, "CMK_AUTHORITY_URL"),
    "our clock is fast": (lambda w: w.vitals.off.update({"Resource Manager": timedelta(minutes=-3)}), "clock-resource-manager", Result.FAIL, "restart"),
    "our clock is slow": (lambda w: w.vitals.off.update({"storage": timedelta(seconds=30)}), "clock-storage", Result.WARN, "restart"),
    "a clock does not answer": (fail("time storage", AWAY), "clock-storage", Result.UNKNOWN, "ask again"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_planted_fault_is_named_with_what_to_do(sentence: str) -> None:
    """The check of that name says so; nothing that is broken counts as a pass."""
    plant, name, result, todo = FAULTS[sentence]
    world = well()
    plant(world)
    found = [it for it in faults(world) if it.name == name]

    assert {it.result for it in found} == {result}
    assert todo in found[0].todo
    assert found[0].message


def test_a_fault_names_where_it_is() -> None:
    """The subscription, the action and the role stand in the message."""
    world = well()
    _hold("writer", GRANTS)(world)
    _owner("reader")(world)
    found = {it.name: it.message for it in faults(world)}

    assert f"/subscriptions/{SUBSCRIPTION}" in found["writer-role"]
    assert "Microsoft.Databricks/workspaces/write" in found["writer-role"]
    assert "cmkwarden Writer: *" in found["reader-excess"]


def test_a_writer_that_must_not_write_by_itself_may_lack_its_role() -> None:
    """Where nothing happens by itself it is a warning: what people approve there would fail."""
    world = well()
    _hold("writer", GRANTS)(world)
    choose(auto_scope=())(world)

    assert [it.result for it in faults(world) if it.name == "writer-role"] == [Result.WARN]


def test_a_role_at_a_group_is_enough_where_only_that_group_is_meant() -> None:
    """The auto scope says where the writer must be able to write."""
    world, group = well(), f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg"
    _hold("writer", assigned("writer", group.replace("resourcegroups", "resourceGroups")), GRANTS)(world)
    choose(auto_scope=(group,))(world)

    assert faults(world) == []


def test_what_is_over_and_what_is_fresh_is_no_fault() -> None:
    """A freeze of last year; a row that failed an hour ago, which the next night tries again."""
    world = well()
    choose(freezes=(Freeze(NOON - timedelta(days=400), NOON - timedelta(days=380)),))(world)
    _asleep(State.FAILED)(world)
    world.vitals.grid[vault_id()] = [event_subscription(topics.WANTED[2])]
    world.pulse.events["keys"] = NOON
    ((row_id, stored),) = world.records.rows.items()
    world.records.rows[row_id] = replace(stored, row=replace(stored.row, updated=NOON - timedelta(hours=1)))

    assert faults(world) == []


def test_a_message_that_is_taken_meanwhile_is_no_backlog() -> None:
    """What was hidden for hours and shows itself just now looks old: a moment later it is gone."""
    world = well()
    _old(world)
    world.vitals.taken = {"evaluate": "m-1"}

    assert faults(world) == []


def test_poison_that_somebody_has_seen_to_counts_no_more() -> None:
    """Redriven, or older than a week."""
    world = well()
    _poison("evaluate", "{}")(world)
    (record,) = world.records.poison_records.values()
    world.records.redriven(record, "ada", NOON)
    assert faults(world) == []

    world.records.poison_records[record.id] = replace(record, time=NOON - timedelta(days=8))
    assert faults(world) == []


def test_what_was_written_and_looked_at_is_no_lost_event() -> None:
    """A look that began in the same second answers it, and what was written a minute ago may still be on its way."""
    world = well()
    seen = Seen(ids.parse(vault_id()), NOON - timedelta(minutes=20, milliseconds=500))
    fresh = Seen(ids.parse(vault_id("kv-two")), NOON - timedelta(minutes=1))
    world.vitals.writes = [seen, fresh]
    world.records.gathers[seen.target.key] = Gather(seen.time.replace(microsecond=0), "m", "1")

    assert faults(world) == []


def test_a_look_that_hangs_is_unknown() -> None:
    """It costs the others nothing, and is no pass."""
    world = well()
    release = time.monotonic() + 1.5

    def hang() -> int:
        while time.monotonic() < release:
            time.sleep(0.01)
        return 2

    world.vitals.signing_keys = hang  # type: ignore[method-assign]
    began = time.monotonic()
    found = diagnose(world, limit=0.5)
    took = time.monotonic() - began

    assert [(it.name, it.result) for it in found if it.result is not Result.PASS] == [("signing-keys", Result.UNKNOWN)]
    assert "within" in next(it.message for it in found if it.name == "signing-keys")
    assert took < 1.4


def test_a_bug_in_a_look_is_not_hidden() -> None:
    """What is no situation of ours rises."""
    world = well()
    fail("tables", ZeroDivisionError())(world)

    with pytest.raises(ZeroDivisionError):
        diagnose(world)


def test_a_role_that_is_gone_while_we_look_is_unknown() -> None:
    """The assignment is there, its definition is not any more: nothing is known."""
    world = well()

    def gone(subscription: str, role: str) -> dict[str, Any]:
        raise Conflict("RoleDefinitionDoesNotExist", f"{subscription} {role}")

    world.vitals.definition = gone  # type: ignore[method-assign]

    assert {it.name: it.result for it in faults(world)} == {
        "reader-role": Result.UNKNOWN,
        "writer-role": Result.UNKNOWN,
    }


def test_there_are_limits_to_what_is_looked_at() -> None:
    """Of a large estate the rest is unknown, and said to be."""
    world = well()
    many = tuple(f"{number:08}-2c6d-4f0a-8b1e-5d9c7a3e0001" for number in range(30))
    choose(subscriptions=many, auto_scope=())(world)
    unknown = [it for it in faults(world) if it.result is Result.UNKNOWN]

    assert [(it.name, "6 more" in it.message) for it in unknown] == [
        ("reader-role", True), ("writer-role", True), ("event-subscriptions", True), ("events", False),
    ]  # fmt: skip
    assert "21 more" in unknown[3].message


def test_what_the_code_expects_is_what_is_deployed() -> None:
    """The actions and the condition are those of infra/roles."""
    of = {name: set(json.loads((ROOT / f"infra/roles/{name}.json").read_text())["Actions"]) for name in ("reader", "writer", "grants", "linked")}  # fmt: skip

    assert of == {"reader": rights.READS, "writer": rights.WRITES, "grants": rights.GRANTS, "linked": rights.LINKED}
    assert rights.is_ours(condition())
    assert rights.is_ours(" ".join(condition(DATABRICKS.upper()).split()))
    assert not rights.is_ours(condition().replace("ServicePrincipal", "User"))
