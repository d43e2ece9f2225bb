"""What the tests of requests for keys share: somebody asks for a workspace's key, somebody else agrees."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core.keyrequest import SUBJECT
from shared.core.ports import Stored
from shared.core.record import Remediation, remediation_id
from shared.flow.approve import Yes, approve
from shared.flow.evaluate import evaluate
from shared.flow.request import Plea, request
from tests.fakes import World, vault_id, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.moving import moving_world

ASKED = remediation_id("KEY-KNOWN", workspace_id().lower(), SUBJECT)


def calm_world(**choices: Any) -> World:
    """Return a world whose workspace need not have keys: nothing is migrated, so that each key was asked for."""
    world = moving_world(sensitive=frozenset({"never"}), **choices)
    world.grants.vault["tags"] = {"cmk-vault": "true"}
    return world


def plead(world: World, person: str = "ada", workspace: str = "", reason: str = "its key is shared") -> Stored:
    """Ask for a key."""
    return request(world, Plea(person, workspace or workspace_id(), reason))


def say_yes(world: World, person: str = "amit", **changed: Any) -> None:
    """Say yes to the open request."""
    stored = world.records.rows[ASKED]
    yes = Yes(person, stored.row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1))
    approve(world, stored, replace(yes, **changed))


def agree(world: World, person: str = "amit", **changed: Any) -> None:
    """Say yes to the open request, and let everything happen that follows."""
    say_yes(world, person, **changed)
    run(world, rounds=100)


def asked(world: World) -> Remediation:
    """Return the row of the request."""
    return world.records.rows[ASKED].row


def keys_of(world: World, vault: str = "") -> list[str]:
    """Return the names of the keys in the vault."""
    start = f"{vault or vault_id()}/keys/".lower()
    found = (path.removeprefix(start) for path in world.arm.resources if path.startswith(start))
    return sorted(it for it in found if "/" not in it)


def judged(world: World) -> Remediation | None:
    """Look at the vault, and return the row of KEY-KNOWN there, if it has one."""
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    run(world, rounds=100)
    stored = world.records.rows.get(remediation_id("KEY-KNOWN", vault_id().lower(), ""))
    return stored.row if stored else None
