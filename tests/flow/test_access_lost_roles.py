"""Roles where something goes missing: a role that counts, a definition, a race, a right; and what must hold all the same."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.choices import Mode
from shared.core.errors import Denied
from shared.core.record import State
from shared.flow.apply import apply
from shared.flow.approve import approve
from shared.flow.evaluate import evaluate
from shared.flow.explain import explain
from shared.flow.undo import Wish, undo_of
from tests.access import (
    ADMINISTRATOR,
    CRYPTO_OFFICER,
    CRYPTO_USER,
    DATABRICKS,
    NARROW,
    SECRETS_USER,
    THREE,
    assignment,
)
from tests.fakes import SUBSCRIPTION, World, vault_id, workspace_body, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import (
    access_world,
    after_the_write,
    apply_message,
    before_the_write,
    has_row,
    look_at,
    row_of,
    stored_of,
    swept,
    yes,
)

SECRETS = f"{DATABRICKS} secrets"
DISKS = "d1500000-0000-4000-8000-000000000001"
GROUP = "9a000000-0000-4000-8000-000000000001"
REFUSED = Denied("AuthorizationFailed", "no")


def _role(n: int, role: str, *, at: str = "", principal: str = DATABRICKS, **more: Any) -> dict[str, Any]:
    return assignment(vault_id() + at, principal, role, name=f"e0000000-0000-4000-8000-0000000000{n:02}", **more)


def _world(*assigned: dict[str, Any], **choices: Any) -> World:
    return access_world(rbac=True, assigned=assigned, **choices)


def _methods(world: World) -> list[str]:
    return [method for method, _ in world.arm.writes()]


def _held(world: World, principal: str = DATABRICKS) -> list[str]:
    """Return the roles of a principal, oldest first."""
    own = [it["properties"] for it in world.grants.assigned if it["properties"]["principalId"] == principal]
    return [it["roleDefinitionId"].rsplit("/", 1)[1] for it in own]


def _reasons(world: World, subject: str = DATABRICKS) -> list[str]:
    return [entry.reason for entry in world.records.past[row_of(world, subject).id]]


def _denies_keys() -> dict[str, Any]:
    block = {"dataActions": ["Microsoft.KeyVault/vaults/keys/*"], "notDataActions": []}
    said = {"denyAssignmentName": "d", "scope": vault_id(), "permissions": [block]}
    return {"properties": {**said, "principals": [{"id": DATABRICKS}], "excludePrincipals": []}}


def test_two_rows_of_one_identity_never_take_its_last_role() -> None:
    """Each row's plan relies on what the other would take: whoever comes second waits, and plans anew."""
    world = _world(_role(1, CRYPTO_OFFICER), _role(2, ADMINISTRATOR), _role(3, SECRETS_USER), mode=Mode.APPROVE)
    look_at(world)
    subjects = [it for it in (DATABRICKS, SECRETS) if has_row(world, it)]
    for subject in subjects:
        approve(world, stored_of(world, subject), yes(world, row_of(world, subject)))
    messages = [apply_message(world, it) for it in subjects]
    assert len(messages) == 2
    seen: list[set[str]] = []
    before_the_write(world, lambda: apply(world, messages[1]))
    apply(world, messages[0])
    assert _reasons(world, SECRETS)[-1] == "TargetIsBusy"
    assert world.grants.may(DATABRICKS, "k") >= THREE
    after_the_write(world, lambda: seen.append(world.grants.may(DATABRICKS, "k")))
    run(world)

    assert len(seen) >= 2
    assert all(may >= THREE for may in seen)
    assert {row_of(world, it).state for it in subjects} == {State.RESOLVED}
    assert _held(world) == [SECRETS_USER, NARROW]
    assert world.records.hands == {}


@pytest.mark.parametrize("how", ["ends by itself", "under a condition", "by a group"])
def test_only_a_sure_role_stands_in_for_the_narrow_one(how: str) -> None:
    """What may end, may not apply, or whose age nobody knows is not relied on: the narrow one is given first, and settles."""
    other = {
        "ends by itself": _role(2, CRYPTO_USER),
        "under a condition": _role(2, CRYPTO_USER, condition="(false)", conditionVersion="2.0"),
        "by a group": _role(2, NARROW, principal=GROUP, principalType="Group"),
    }[how]
    world = _world(_role(1, CRYPTO_OFFICER), other)
    world.grants.members = {DATABRICKS: {GROUP}}
    if how == "ends by itself":
        timed = {"originRoleAssignmentId": other["id"], "endDateTime": "2026-11-24T13:00:00Z"}
        world.grants.schedule_bodies = [{"properties": {**timed, "assignmentType": "Assigned"}}]
    began = world.clock.now()
    look_at(world)
    assert _methods(world) == ["PUT", "DELETE"]
    assert world.clock.now() - began > timedelta(minutes=30)

    world.grants.assigned = [it for it in world.grants.assigned if it["id"] != other["id"]]
    assert world.grants.may(DATABRICKS, "k") == THREE


def test_a_narrow_role_under_a_condition_costs_nobody_the_broad_one() -> None:
    """Azure gives the same role at the same place once: what is there may not apply, so the broad one stays, and it shows."""
    world = _world(_role(1, CRYPTO_OFFICER), _role(2, NARROW, condition="(false)", conditionVersion="2.0"))
    evaluate(world, evaluation(world))
    run(world, rounds=100)

    assert (row_of(world).state, row_of(world).decision.reason) == (State.OBSERVED, "NoAutomaticRemedy")
    assert (_methods(world), _held(world)) == ([], [CRYPTO_OFFICER, NARROW])


def test_a_role_of_unknown_age_is_not_old() -> None:
    """Azure does not say when it was given: nothing is taken away in its favour now, and the three are held all along."""
    world = _world(_role(1, CRYPTO_OFFICER), _role(2, NARROW, created=""))
    evaluate(world, evaluation(world))
    if row_of(world).state is State.QUEUED:
        apply(world, apply_message(world))

    assert "DELETE" not in _methods(world)
    assert CRYPTO_OFFICER in _held(world)


def test_what_is_revoked_while_it_settles_stays_revoked() -> None:
    """The narrow role is there and settles; somebody revokes everything. A yes to narrowing gives nothing back."""
    world = _world(_role(1, CRYPTO_OFFICER), mode=Mode.APPROVE)
    look_at(world)
    approve(world, stored_of(world), yes(world, row_of(world)))
    apply(world, apply_message(world))
    assert (_methods(world), row_of(world).state) == (["PUT"], State.QUEUED)
    world.grants.assigned = []
    world.clock.advance(60)
    run(world)

    assert (_methods(world), world.grants.assigned) == (["PUT"], [])
    assert row_of(world).state is State.AWAITING_APPROVAL
    assert all(step.grants for step in row_of(world).plan.steps)


def test_a_narrow_role_that_never_shows_is_given_once_and_ends_as_failed() -> None:
    """Azure says yes and shows nothing: nine tries, one write, and a row that says why. The broad role stays."""
    world = _world(_role(1, CRYPTO_OFFICER))
    world.arm.swallows = True
    evaluate(world, evaluation(world))
    run(world, rounds=100)

    assert (row_of(world).state, _reasons(world)[-1]) == (State.FAILED, "NotVisibleYet")
    assert (_methods(world), _held(world)) == (["PUT"], [CRYPTO_OFFICER])
    assert [it.source for it in world.records.poison_list()] == ["apply"]


def test_a_role_whose_definition_azure_does_not_show_makes_all_unknown() -> None:
    """Nobody can say what it lets its holder do: that is not nothing, and not compliant."""
    world = _world(_role(1, NARROW), _role(2, "c0ffee00-0000-4000-8000-000000000000"))
    look_at(world)
    said = {it["verdict"] for it in explain(world, vault_id())["verdicts"] if it["control"] == "KV-ACCESS"}

    assert (row_of(world, "").verdict, row_of(world, "").finding.reason) == ("Unknown", "RoleNotDefined")
    assert said == {"Unknown"}
    assert world.arm.writes() == []


def test_a_role_at_an_odd_scope_blinds_nothing() -> None:
    """A key that is not named as keys are named is not ours to touch; everything else is judged and mended as ever."""
    world = _world(_role(1, CRYPTO_OFFICER), _role(2, CRYPTO_USER, at="/keys/under_score"))
    del world.grants.vault["properties"]["enablePurgeProtection"]
    look_at(world)
    reasons = {it.row.finding.reason for it in world.records.rows.values()}

    assert "BadScope" not in reasons
    assert {"PurgeProtectionIsOff", "RoleTooBroad"} <= reasons
    assert not any("under_score" in path for _, path in world.arm.writes())
    assert CRYPTO_USER in _held(world)
    assert world.grants.may(DATABRICKS, "k") >= THREE


def _disk_workspace() -> dict[str, Any]:
    body = workspace_body("dbw-disk")
    entities = body["properties"]["encryption"]["entities"]
    entities["managedDisk"] = entities.pop("managedServices")
    body["properties"]["managedDiskIdentity"] = {"principalId": DISKS}
    return body


def test_an_orphan_loses_only_roles_that_are_ours_to_take() -> None:
    """A role at a secret lies out of reach: it is no reason to judge nothing, and it stays."""
    mine = [_role(1, CRYPTO_USER, principal=DISKS), _role(2, SECRETS_USER, at="/secrets/s", principal=DISKS)]
    world = access_world(
        rbac=True, assigned=[*mine, _role(3, NARROW)], workspaces=[_disk_workspace(), workspace_body()],
        subscriptions=(SUBSCRIPTION,), mode=Mode.APPROVE,
    )  # fmt: skip
    evaluate(world, evaluation(world))
    del world.arm.resources[workspace_id("dbw-disk").lower()]
    world.clock.advance(100)
    swept(world)
    assert world.records.poison_list() == []
    assert (row_of(world, DISKS).finding.reason, row_of(world, DISKS).state) == ("Orphan", State.AWAITING_APPROVAL)
    approve(world, stored_of(world, DISKS), yes(world, row_of(world, DISKS)))
    run(world)

    assert _methods(world) == ["DELETE"]
    assert (_held(world, DISKS), _held(world)) == ([SECRETS_USER], [NARROW])


def test_what_was_done_before_a_refusal_stays_on_record() -> None:
    """The narrow role was given, taking the broad one was refused: the row says who wrote, and it can be undone."""
    world = _world(_role(1, CRYPTO_OFFICER))
    evaluate(world, evaluation(world))
    apply(world, apply_message(world))
    assert _methods(world) == ["PUT"]
    world.clock.advance(1900)
    world.arm.failures["write"] = [REFUSED]
    apply(world, apply_message(world))
    row = row_of(world)
    assert (row.state, row.executor) == (State.FAILED, dict(world.hand.identity))
    assert [bool(step.done) for step in row.plan.steps] == [True, False]

    undo = undo_of(world, stored_of(world), Wish("ada", "back", world.clock.now() + timedelta(days=5)))
    assert undo.row.state is State.AWAITING_APPROVAL
    assert [it["properties"]["roleDefinitionId"].rsplit("/", 1)[1] for it in world.grants.assigned] == [
        CRYPTO_OFFICER,
        NARROW,
    ]


def test_an_approved_grant_against_which_a_denial_stands_is_not_written() -> None:
    """The denial came after the yes: no role helps against it. Nothing is written, and it ends as a ticket, not in poison."""
    world = _world()
    look_at(world)
    approve(world, stored_of(world), yes(world, row_of(world)))
    world.grants.assigned = [_role(1, NARROW)]
    world.grants.denial_bodies = [_denies_keys()]
    run(world)

    assert (row_of(world).state, world.arm.writes(), world.records.poison_list()) == (State.OBSERVED, [], [])
    assert row_of(world).decision.reason == "NoAutomaticRemedy"


def test_a_key_that_was_left_a_moment_ago_stays_usable() -> None:
    """With roles by key, a workspace has moved to another key: the one before must work for a day at least."""
    world = _world(_role(1, CRYPTO_OFFICER), grant_at_key=True)
    evaluate(world, evaluation(world, workspace_id()))
    body = workspace_body()
    body["properties"]["encryption"]["entities"]["managedServices"]["keyVaultProperties"]["keyName"] = "k2"
    world.queue.sent.clear()
    world.arm.put(body)
    world.clock.advance(60)
    look_at(world)

    assert row_of(world).state is State.RESOLVED
    assert (world.grants.may(DATABRICKS, "k"), world.grants.may(DATABRICKS, "k2")) == (THREE, THREE)
    assert world.grants.may(DATABRICKS, "k3") == set()
    given = [path.partition("/vaults/kv-one")[2].partition("/providers/")[0] for _, path in world.arm.writes()]
    assert given == ["/keys/k2", "/keys/k", ""]


def test_a_role_at_a_key_that_comes_and_goes_by_itself_is_not_taken() -> None:
    """Privileged Identity Management manages it, below the vault: it is a ticket for whoever manages it."""
    key = f"{vault_id()}/keys/k"
    world = _world(_role(1, NARROW), _role(2, CRYPTO_OFFICER, at="/keys/k"))
    timed = {"scope": key, "originRoleAssignmentId": world.grants.assigned[1]["id"], "assignmentType": "Assigned"}
    world.grants.schedule_bodies = [{"properties": {**timed, "endDateTime": "2026-12-24T13:00:00Z"}}]
    look_at(world)

    row = row_of(world, f"{DATABRICKS} elsewhere")
    assert (row.state, row.finding.reason, row.decision.reason) == (State.OBSERVED, "TimedRole", "NoAutomaticRemedy")
    assert (_held(world), world.arm.writes()) == ([NARROW, CRYPTO_OFFICER], [])
