"""KV-DELETED on its road: found at the first look that sees it, told at once, taken back after a yes, its roles after it."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from remediators.vault_deleted import VAULT_DELETED
from shared.core.choices import Mode
from shared.core.errors import Denied, Refused, Temporary
from shared.core.ids import VAULT as VAULT_TYPE
from shared.core.ports import Stored
from shared.core.record import State, remediation_id
from shared.core.survey import differing
from shared.flow.approve import Yes, approve
from shared.flow.evaluate import evaluate
from shared.flow.sweep import sweep
from shared.flow.undo import Wish, undo_of
from tests.access import ADMINISTRATOR, DATABRICKS, NARROW, TENANT, Access, assignment
from tests.fakes import SUBSCRIPTION, World, vault_body, vault_id, workspace_body
from tests.flow.conftest import evaluation, run

STORAGE = "57000001-0000-4000-8000-000000000001"
OTHER = "07e00001-0000-4000-8000-000000000001"
VAULT = vault_id().lower()


def name_of(number: int) -> str:
    """Return the name of a role assignment."""
    return f"a0000000-0000-4000-8000-{number:012}"


def alive(*, rbac: bool = True, **choices: Any) -> World:
    """Return a world with a CMK vault that a workspace uses, after a look at it."""
    world = World(databricks=DATABRICKS, **choices)
    world.remediators = (VAULT_DELETED,)
    body = vault_body(enableRbacAuthorization=rbac, enablePurgeProtection=True, tenantId=TENANT)
    held = [
        assignment(vault_id(), DATABRICKS, NARROW, name=name_of(1)),
        assignment(f"{vault_id()}/keys/k", OTHER, NARROW, name=name_of(2)),
        assignment(vault_id(), OTHER, ADMINISTRATOR, name=name_of(3)),
        assignment(vault_id(), "0e0e0e0e-0000-4000-8000-000000000001", NARROW, name=name_of(4), principalType="User"),
    ]
    world.give(Access(body, held if rbac else []))
    world.arm.put(workspace_body())
    world.arm.resources[f"{VAULT}/keys/k"] = {"id": f"{vault_id()}/keys/k", "name": "k", "properties": {}}
    evaluate(world, evaluation(world))
    run(world)
    return world


def delete(world: World) -> None:
    """Somebody deletes the vault: what lay below it goes with it, its roles for good."""
    world.clock.advance(3600)
    world.arm.graves.bury(world.arm.resources, VAULT, world.clock.now())
    assert world.arm.access is not None
    world.arm.access.assigned.clear()


def look(world: World) -> None:
    """Look at the vault, for an event, and at all that follows."""
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    run(world)


def row(world: World, subject: str = "") -> Stored:
    """Return the row of the vault, or of a key."""
    return world.records.rows[remediation_id("KV-DELETED", VAULT, subject)]


def say_yes(world: World) -> None:
    """Approve what the row asks for."""
    stored = row(world)
    until = world.clock.now() + timedelta(days=1)
    approve(world, stored, Yes("amit", stored.row.plan.fingerprint, "seen", until))


def writes(world: World) -> list[tuple[str, str]]:
    """Return our writes: method, and the place with an assignment's name cut off."""
    return [(method, path.split("/providers/microsoft.authorization/")[0]) for method, path in world.arm.writes()]


def held(world: World) -> set[tuple[str, str, str]]:
    """Return who holds what where now."""
    assert world.arm.access is not None
    found = [it["properties"] for it in world.arm.access.assigned]
    return {(it["principalId"], it["roleDefinitionId"].rsplit("/", 1)[1], it["scope"].lower()) for it in found}


def test_a_deleted_vault_is_asked_for_at_once_and_comes_back_with_its_narrow_roles(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first look that sees it opens the row and logs an error; a yes takes it back, then gives the narrow roles alone."""
    world = alive()
    before = row(world).row if remediation_id("KV-DELETED", VAULT, "") in world.records.rows else None
    delete(world)
    with caplog.at_level(logging.WARNING):
        look(world)
    asked = row(world).row
    notices = [it for it in caplog.records if getattr(it, "verb", "") == "notice" or "verb=notice" in it.getMessage()]
    say_yes(world)
    run(world)

    assert before is None
    assert (asked.state, asked.finding.reason, asked.decision.reason) == (
        State.AWAITING_APPROVAL,
        "VaultIsDeleted",
        "NeedsAPerson",
    )
    assert [it.levelno for it in notices] == [logging.ERROR]
    assert asked.finding.evidence["days_left"] == 89
    assert len(asked.finding.evidence["proposed"]) == 2
    assert [step.kind for step in asked.plan.steps] == ["vault.recover", "role.assign", "role.assign"]
    assert writes(world) == [("PUT", VAULT), ("PUT", f"{VAULT}/keys/k"), ("PUT", VAULT)]
    assert held(world) == {(DATABRICKS, NARROW, VAULT), (OTHER, NARROW, f"{VAULT}/keys/k")}
    assert (row(world).row.state, row(world).row.verdict) == (State.RESOLVED, "Compliant")

    look(world)
    kept = world.records.kept[VAULT]
    assert kept.lost is None
    assert kept.alive is not None
    assert {it.principal for it in kept.alive.given} == {DATABRICKS, OTHER}


def test_a_vault_by_policies_comes_back_whole() -> None:
    """Policies are in Azure's copy: one write, and the read after it ends the row."""
    world = alive(rbac=False)
    delete(world)
    look(world)
    say_yes(world)
    run(world)

    assert writes(world) == [("PUT", VAULT)]
    assert row(world).row.state is State.RESOLVED


def test_a_vault_that_is_there_again_is_not_put() -> None:
    """Somebody is faster: a PUT would replace what it is now. The roles are still given back."""
    world = alive()
    delete(world)
    look(world)
    say_yes(world)
    grave = world.arm.graves.bodies.pop(VAULT)
    world.arm.resources[VAULT] = grave["body"]
    run(world)

    assert writes(world) == [("PUT", f"{VAULT}/keys/k"), ("PUT", VAULT)]
    assert row(world).row.state is State.RESOLVED


def test_who_recovers_it_by_hand_is_asked_for_the_roles() -> None:
    """The vault is back and its roles are not: another finding of the same row, with the rest of the plan."""
    world = alive()
    delete(world)
    look(world)
    first = row(world).row
    world.arm.resources[VAULT] = world.arm.graves.bodies.pop(VAULT)["body"]
    look(world)
    now = row(world).row

    assert (now.state, now.finding.reason) == (State.AWAITING_APPROVAL, "GrantsAreGone")
    assert [it.id for it in now.plan.steps] == [it.id for it in first.plan.steps[1:]]


def test_an_identity_that_azure_does_not_know_keeps_nobody_else_waiting() -> None:
    """One role cannot be given: the others are, and the row says at its end what stands in the way."""
    world = alive()
    delete(world)
    look(world)
    say_yes(world)
    sent = world.arm.write

    def refuse(request: Any, correlation: str) -> bool:
        if request.body["properties"].get("principalId") == DATABRICKS:
            raise Temporary("PrincipalNotFound", "the directory does not know it")
        return sent(request, correlation)

    world.arm.write = refuse  # type: ignore[method-assign]
    run(world, rounds=100)

    assert held(world) == {(OTHER, NARROW, f"{VAULT}/keys/k")}
    assert row(world).row.state is State.FAILED
    assert row(world).row.finding.evidence["stands_in_the_way"]["reason"] == "PrincipalNotFound"


def test_the_identity_of_a_workspace_that_is_gone_gets_nothing_back() -> None:
    """Its role stays lost, and the evidence says whose it was."""
    world = alive()
    body = workspace_body("dbw-two")
    entity = {"keySource": "Microsoft.Keyvault", "KeyName": "k", "keyvaulturi": "https://kv-one.vault.azure.net/", "keyversion": "0" * 32}  # fmt: skip
    body["properties"] |= {
        "encryption": None,
        "parameters": {"encryption": {"value": entity}, "prepareEncryption": {"value": True}},
        "storageAccountIdentity": {"principalId": STORAGE},
    }
    world.arm.put(body)
    assert world.arm.access is not None
    world.arm.access.assigned.append(assignment(vault_id(), STORAGE, NARROW, name=name_of(5)))
    look(world)
    del world.arm.resources[body["id"].lower()]
    delete(world)
    look(world)

    found = row(world).row
    assert [step.after.get("principalId") for step in found.plan.steps] == [None, OTHER, DATABRICKS]
    assert found.finding.evidence["not_given_back"] == [f"{NARROW} for {STORAGE}"]


def test_nobodys_silence_ends_the_question() -> None:
    """People are reminded; the question ends, and the same night they are asked anew."""
    world = alive(ask=timedelta(days=14), remind=timedelta(days=3))
    delete(world)
    look(world)
    first = row(world).row
    for _ in range(15):
        world.clock.advance(86_400)
        sweep(world)
        run(world, rounds=200)
    entries = [it.event for it in world.records.history(first.id)]

    assert "reminded" in entries
    assert "expired" in entries
    assert row(world).row.state is State.AWAITING_APPROVAL
    assert row(world).row.asked > first.updated + timedelta(days=13)  # type: ignore[operator]
    assert row(world).row.finding.evidence["days_left"] == 74


def test_a_purged_vault_is_a_ticket_while_a_workspace_names_it() -> None:
    """Nothing brings it back: said once lists cannot lag any more; it ends when nobody names it."""
    world = alive()
    delete(world)
    look(world)
    world.clock.advance(90 * 86_400)
    world.arm.graves.bodies.clear()
    look(world)
    found = row(world).row
    kept = dict(world.estate.kept)
    world.arm.resources = world.vaults.resources = {
        path: it for path, it in world.arm.resources.items() if "/workspaces/" not in path
    }
    look(world)

    assert (found.state, found.finding.reason, found.plan.steps) == (State.OBSERVED, "VaultIsPurged", ())
    assert [it.worst for it in kept.values() if it.target == vault_id()] == ["NonCompliant"]
    assert row(world).row.state is State.SUPERSEDED
    assert world.records.kept[VAULT].lost is not None
    assert world.records.kept[VAULT].lost.given == ()  # type: ignore[union-attr]
    assert [it for it in world.estate.kept.values() if it.target == vault_id()] == []


def test_a_list_that_lags_is_unknown_and_the_next_look_opens_the_finding() -> None:
    """Neither there nor among the deleted: not purged, not compliant. Looked at again by itself."""
    world = alive()
    delete(world)
    world.arm.graves.is_hidden = True
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    first = row(world).row
    world.arm.graves.is_hidden = False
    run(world)

    assert (first.verdict, first.finding.reason) == ("Unknown", "NotListedYet")
    assert (row(world).row.state, row(world).row.finding.reason) == (State.AWAITING_APPROVAL, "VaultIsDeleted")


def test_what_may_not_be_read_is_unknown() -> None:
    """The reader may not list deleted vaults: Unknown, and nothing is closed."""
    world = alive()
    delete(world)
    look(world)
    world.vaults.failures = [Denied("AuthorizationFailed", "you may not")]
    world.clock.advance(60)
    evaluate(world, evaluation(world))

    (seen,) = [it for it in world.estate.kept.values() if it.target == vault_id()]
    assert [(it.verdict, it.reason) for it in seen.rulings] == [("Unknown", "AuthorizationFailed")]
    assert row(world).row.finding.reason == "VaultIsDeleted"


@pytest.mark.parametrize(
    ("is_known", "mode", "calls"), [(True, Mode.AUTO, 3), (False, Mode.AUTO, 0), (True, Mode.OFF, 0)]
)
def test_deleted_vaults_are_listed_for_a_known_cmk_vault_alone(is_known: bool, mode: Mode, calls: int) -> None:
    """One list a look for a vault that somebody knew; none for any other, and none while the control is off."""
    world = alive(modes={"KV-DELETED": mode})
    if not is_known:
        world.records.kept.clear()
    delete(world)
    look(world)

    assert len([it for it in world.vaults.calls if it.endswith("deletedvaults")]) == calls


def test_a_deleted_vault_stays_in_sight() -> None:
    """On the page of the estate, with its place and owner, and gone from it when it is nobody's."""
    world = alive()
    delete(world)
    look(world)

    (seen,) = [it for it in world.estate.kept.values() if it.target == vault_id()]
    assert (seen.worst, seen.location, seen.digest) == ("NonCompliant", "westeurope", "gone")


def test_a_key_in_use_that_is_not_listed_is_a_ticket_with_its_command() -> None:
    """We hold no right on keys: somebody who does types it; when the key is there again the row ends."""
    world = alive()
    key = world.arm.resources.pop(f"{VAULT}/keys/k")
    look(world)
    found = row(world, "k").row
    world.arm.resources[f"{VAULT}/keys/k"] = key
    look(world)

    assert (found.state, found.finding.reason) == (State.OBSERVED, "KeyIsDeleted")
    assert found.finding.evidence["proposed"] == ["az keyvault key recover --vault-name kv-one --name k"]
    assert row(world, "k").row.state is State.RESOLVED


def test_there_is_nothing_to_undo() -> None:
    """Cmkwarden deletes no vault: the undo is refused with its reason."""
    world = alive(rbac=False)
    delete(world)
    look(world)
    say_yes(world)
    run(world)
    with pytest.raises(Refused) as caught:
        undo_of(world, row(world), Wish("olga", "let it go", world.clock.now() + timedelta(days=30)))

    assert caught.value.reason == "NotByUs"


def test_a_vault_that_is_known_to_be_gone_is_looked_at_each_night_and_counts_as_no_surprise() -> None:
    """A survey looks at it, and does not call it something that an event should have told of."""
    world = alive()
    delete(world)
    look(world)
    before = world.estate.under(VAULT_TYPE, SUBSCRIPTION)

    assert differing({}, before, world.choices, world.clock.now()) == {VAULT: "old"}


def test_a_deletion_that_nobody_told_of_is_found_by_the_night() -> None:
    """The event was lost: the survey misses the vault, and its look opens the finding."""
    world = alive()
    delete(world)
    sweep(world)
    run(world, rounds=200)

    assert (row(world).row.state, row(world).row.finding.reason) == (State.AWAITING_APPROVAL, "VaultIsDeleted")


def test_a_role_that_comes_and_goes_by_itself_is_not_given_for_good() -> None:
    """Privileged Identity Management takes it back one day: given anew by us it would stay."""
    world = alive()
    assert world.arm.access is not None
    (narrow, *_) = world.arm.access.assigned
    world.arm.access.schedule_bodies = [
        {"properties": {"originRoleAssignmentId": narrow["id"], "endDateTime": "2027-01-01T00:00:00Z"}}
    ]
    sweep(world)
    world.clock.advance(86_400 * 40)
    sweep(world)
    run(world, rounds=200)
    look(world)  # no locks and no schedules are read for an event: what was learnt stays
    delete(world)
    look(world)

    assert [step.after.get("principalId") for step in row(world).row.plan.steps] == [None, OTHER]
    assert any("set that again" in it for it in row(world).row.finding.evidence["proposed"])


def test_more_roles_than_are_kept_leave_those_that_we_may_give() -> None:
    """Of hundreds of people's roles a hundred are kept, and ours first."""
    world = alive()
    assert world.arm.access is not None
    world.arm.access.assigned += [
        assignment(vault_id(), f"00000000-0000-4000-8000-{number:012}", ADMINISTRATOR, name=name_of(1000 + number))
        for number in range(300)
    ]
    look(world)
    kept = world.records.kept[VAULT].alive

    assert kept is not None
    assert len(kept.given) == 100
    assert [it.principal for it in kept.given[:2]] == [OTHER, DATABRICKS]
