"""What-if: the same decisions as a look under those settings would come to, rails played forward, and nothing written."""

import copy
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Mode
from shared.core.decide import Case
from shared.core.errors import Temporary
from shared.core.grounds import Grounds, case_from, grounds_of
from shared.core.plan import Write
from shared.core.supposition import ITEMS, Fate, Supposition, Variation
from shared.flow.approve import reject
from shared.flow.evaluate import evaluate
from shared.flow.suppose import suppose
from tests.access import DATABRICKS, policy
from tests.fakes import SUBSCRIPTION, World, vault_body, vault_id, workspace_body
from tests.flow.conftest import evaluation
from tests.flow.narrowing import access_world, row_of
from tests.sealed import WroteError, sealed

HERE = (f"/subscriptions/{SUBSCRIPTION}",)
AUTO = Variation(mode=Mode.AUTO)
BROAD = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"])
SHAPES: dict[str, Mapping[str, Any]] = {
    "kv-a": {},
    "kv-b": {"tags": {"cmk-vault": "true", "environment": "sandbox"}},
    "kv-c": {"tags": {"cmk-vault": "true", "owner": "finance@example.com"}},
    "kv-d": {"enablePurgeProtection": True},
    "kv-e": {"enableSoftDelete": False},
    "kv-f": {"tags": {"cmk-vault": "true"}},
}


def estate(**choices: Any) -> World:
    """Vaults of every shape, looked at under these settings; nothing that follows has happened yet."""
    world = World(**{"share": 100, **choices})
    for name, shape in SHAPES.items():
        world.arm.put(vault_body(name, **shape))
    for name in SHAPES:
        evaluate(world, evaluation(world, vault_id(name)))
    return world


def fates(found: Supposition) -> dict[str, tuple[Fate, str]]:
    """Return what would become of each target of KV-RECOVERY, by its name."""
    return {it.target.rsplit("/", 1)[1]: (it.fate, it.reason) for it in found.items}


@pytest.mark.parametrize(
    "would",
    [
        Variation(mode=Mode.AUTO), Variation(mode=Mode.APPROVE), Variation(mode=Mode.OBSERVE),
        Variation(mode=Mode.AUTO, auto_scope=()), Variation(modes={"KV-RECOVERY": Mode.AUTO}),
        Variation(mode=Mode.AUTO, auto_scope=(vault_id("kv-a").lower(),)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.APPROVE])
def test_it_says_what_looks_under_those_settings_decide(mode: Mode, would: Variation) -> None:
    """The oracle is the real road: the same world, looked at again with the settings as they were supposed."""
    world = estate(mode=mode, writes_per_hour=2)
    supposed = suppose(sealed(world), would)
    world.choices = would.of(world.choices)
    world.clock.advance(1)
    for name in SHAPES:
        evaluate(world, evaluation(world, vault_id(name)))
    decided = {
        it.row.target.rsplit("/", 1)[1]: (Fate(it.row.decision.kind), it.row.decision.reason)
        for it in world.records.rows.values()
        if it.row.is_open
    }

    assert fates(supposed) == decided
    assert supposed.fates == {fate: sum(it[0] is fate for it in decided.values()) for fate in Fate}
    assert len(decided) == 5


def test_the_rails_that_count_are_played_forward() -> None:
    """Two writes an hour, one of which was made already: one plan passes, the others are asked for."""
    world = estate(mode=Mode.OBSERVE, writes_per_hour=2)
    world.records.ledger[SUBSCRIPTION, "old"] = Write(world.clock.now() - timedelta(minutes=5), "another")
    found = suppose(world, AUTO)

    assert [fates(found)[name] for name in ("kv-a", "kv-c", "kv-e", "kv-f")] == [
        (Fate.AUTO, "SafeInAutoScope"), *[(Fate.APPROVAL, "WritesPerHour")] * 3,
    ]  # fmt: skip
    assert found.fates[Fate.AUTO] == 1
    assert len(world.records.ledger) == 1


def test_the_share_of_vaults_is_played_forward() -> None:
    """Of six vaults 34 percent are two."""
    found = suppose(estate(mode=Mode.OBSERVE, share=34), AUTO)

    assert sum(it == (Fate.APPROVAL, "ShareOfVaults") for it in fates(found).values()) == 2
    assert found.fates[Fate.AUTO] == 2


def test_what_is_counted_of_steps_and_of_whom_they_touch() -> None:
    """By kind and fate, with what nobody can undo; owners as tags say, workspaces that name a vault, subscriptions."""
    world = estate(mode=Mode.OBSERVE)
    world.arm.put(workspace_body("dbw-a", "kv-a"), workspace_body("dbw-b", "kv-b"))
    for name in ("dbw-a", "dbw-b"):
        evaluate(world, evaluation(world, vault_id(name).replace("KeyVault/vaults", "Databricks/workspaces")))
    found = suppose(world, AUTO)
    by_itself, asked = found.touched

    assert [(it.kind, it.fate, it.steps, it.irreversible) for it in found.steps] == [
        ("vault.protect", Fate.AUTO, 4, 4), ("vault.protect", Fate.APPROVAL, 1, 1),
    ]  # fmt: skip
    assert (by_itself.plans, asked.plans) == (4, 1)
    assert by_itself.owners.first == ("finance@example.com",)
    assert [it.rsplit("/", 1)[1] for it in by_itself.workspaces.first] == ["dbw-a"]
    assert [it.rsplit("/", 1)[1] for it in asked.workspaces.first] == ["dbw-b"]
    assert by_itself.subscriptions.first == (SUBSCRIPTION,)


def test_what_takes_access_away_is_decided_by_what_the_look_has_kept() -> None:
    """Grace and notice come first, as they would; a lock, which only a look sees, is not forgotten."""
    world = access_world(BROAD, mode=Mode.OBSERVE)
    evaluate(world, evaluation(world))
    free = next(it for it in suppose(sealed(world), AUTO).items if it.subject == DATABRICKS)
    world.choices = replace(world.choices, notice=timedelta(hours=1))
    told = next(it for it in suppose(sealed(world), AUTO).items if it.subject == DATABRICKS)

    assert (free.fate, free.principals, free.steps) == (Fate.AUTO, (DATABRICKS,), ("policy.set",))
    assert (told.fate, told.reason) == (Fate.OBSERVE, "NoticeGiven")


def test_a_lock_that_the_look_saw_stays_in_the_way() -> None:
    """The record alone does not hold it; the grounds do."""
    world = access_world(BROAD, mode=Mode.OBSERVE)
    lock = f"{vault_id()}/providers/Microsoft.Authorization/locks/freeze"
    world.grants.lock_bodies.append({"id": lock, "name": "freeze", "properties": {"level": "ReadOnly"}})
    evaluate(world, evaluation(world))
    found = next(it for it in suppose(sealed(world), AUTO).items if it.subject == DATABRICKS)

    assert (found.fate, found.reason) == (Fate.TICKET, "Locked")


def test_what_is_on_its_way_rests_or_would_end() -> None:
    """Queued stays let through; rejected stays rejected, whatever the mode; with its control off a row ends."""
    world = estate(mode=Mode.APPROVE)
    stored = next(it for it in world.records.rows.values() if it.row.target.endswith("kv-a"))
    reject(world, stored, "ada", "no")
    world.choices = replace(world.choices, mode=Mode.AUTO)
    world.clock.advance(1)
    evaluate(world, evaluation(world, vault_id("kv-c")))

    assert fates(suppose(world, AUTO))["kv-a"] == (Fate.RESTS, "ModeIsApprove")
    assert fates(suppose(world, AUTO))["kv-c"] == (Fate.UNDER_WAY, "SafeInAutoScope")
    assert fates(suppose(world, Variation(mode=Mode.OBSERVE)))["kv-c"] == (Fate.OBSERVE, "ModeIsObserve")
    off = suppose(world, Variation(modes={"KV-RECOVERY": Mode.OFF}))
    assert set(fates(off).values()) == {(Fate.ENDS, "ControlIsOff")}


def test_what_is_not_on_record_is_not_known() -> None:
    """A control that is off today, a judgement from before grounds were kept, vaults that could not be counted: none is harmless."""
    world = estate(mode=Mode.OBSERVE)
    for target, it in world.estate.kept.items():
        if target.endswith("kv-a"):
            world.estate.kept[target] = replace(it, rulings=tuple(replace(its, grounds=None) for its in it.rulings))

    def refused(subscription: str) -> int:
        raise Temporary("Throttled", subscription)

    assert fates(suppose(world, AUTO))["kv-a"] == (Fate.NOT_KNOWN, "NotOnRecord")
    world.inventory.vaults_in = refused  # type: ignore[method-assign]
    assert fates(suppose(world, AUTO))["kv-c"] == (Fate.NOT_KNOWN, "VaultsNotCounted")
    world.choices = replace(world.choices, modes={"KV-RECOVERY": Mode.OFF})
    assert suppose(world, AUTO).silent == ()
    assert suppose(world, Variation(modes={"KV-RECOVERY": Mode.AUTO})).silent == ("KV-RECOVERY",)


def test_it_can_write_nothing() -> None:
    """Every port that writes, sends or asks Azure raises; the records are afterwards what they were before."""
    world = estate(mode=Mode.OBSERVE)
    world.queue.sent.clear()
    before = copy.deepcopy((world.records.rows, world.records.past, world.records.ledger, world.estate.kept))
    calls = len(world.arm.calls)
    found = suppose(sealed(world), AUTO)

    assert found.fates[Fate.AUTO] == 4
    assert (world.records.rows, world.records.past, world.records.ledger, world.estate.kept) == before
    assert (world.queue.sent, len(world.arm.calls)) == ([], calls)
    for port, method in (("records", "save"), ("queue", "send"), ("hand", "write"), ("estate", "note")):
        with pytest.raises(WroteError):
            getattr(getattr(sealed(world), port), method)


def test_many_findings_are_counted_whole_and_shown_in_part() -> None:
    """What would happen by itself comes first."""
    world = World(mode=Mode.OBSERVE, share=100, writes_per_hour=1)
    for number in range(ITEMS + 3):
        world.arm.put(vault_body(f"kv-{number:03}"))
        evaluate(world, evaluation(world, vault_id(f"kv-{number:03}")))
    found = suppose(world, AUTO)

    assert (len(found.items), found.left_out) == (ITEMS, 3)
    assert found.items[0].fate is Fate.AUTO
    assert (found.fates[Fate.AUTO], found.fates[Fate.APPROVAL]) == (1, ITEMS + 2)
    assert found.targets == ITEMS + 3
    assert found.oldest == min(it.time for it in world.estate.kept.values())


def test_a_case_comes_back_from_the_record_whole() -> None:
    """Whatever a decision may depend on is kept or follows from the row: a new field of a case must not be forgotten."""
    world = access_world(BROAD, mode=Mode.OBSERVE)
    evaluate(world, evaluation(world))
    row, control = row_of(world), next(it.control for it in world.remediators if it.control.id == "KV-ACCESS")
    target, now = ids.parse(row.target), world.clock.now()
    later = now + timedelta(hours=1)
    grounds = Grounds(
        is_sandbox=True, dependants_known=False, asks="asks", stops=("Stops", "it stops"), since=now, locks=("lock",),
        breaks=("layer",), ready=later, quiet=later,
    )  # fmt: skip
    case = case_from(row, grounds, control, target, now)

    assert grounds_of(case) == grounds
    assert {it.name for it in fields(Case)} == {
        *(it.name for it in fields(Grounds) if it.name != "ready"),  # it stands in the steps
        "control", "target", "plan", "remedied", "owner", "exempted", "takes_away", "told",
    }  # fmt: skip
    assert (case.control, case.target, case.takes_away, case.owner) == ("KV-ACCESS", target, True, row.decision.owner)
    assert case.plan.fingerprint == row.plan.fingerprint != ""
