"""What the tests of narrowing share: a vault with access and a workspace that uses it, people who agree, and a rival."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from remediators import REMEDIATORS
from shared.core.ports import Delivery, Stored
from shared.core.record import Remediation, remediation_id
from shared.core.steps import Request
from shared.flow.approve import Yes
from shared.flow.evaluate import evaluate
from tests.access import DATABRICKS, TENANT, Access, policy
from tests.fakes import World, vault_body, vault_id, workspace_body
from tests.flow.conftest import delivery, evaluation, run

FINE = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey"])


def access_world(
    *policies: dict[str, Any], rbac: bool = False, assigned: Sequence[dict[str, Any]] = (),
    workspaces: Sequence[dict[str, Any]] | None = None, **choices: Any,
) -> World:  # fmt: skip
    """Return a world with one vault, who may do what there, and the workspaces that use it: one, unless told."""
    world = World(databricks=DATABRICKS, settle=timedelta(minutes=30), **choices)
    world.remediators = REMEDIATORS
    body = vault_body(
        enablePurgeProtection=True, tenantId=TENANT, accessPolicies=list(policies), enableRbacAuthorization=rbac
    )
    world.give(Access(json.loads(json.dumps(body)), list(assigned)))
    world.arm.put(*([workspace_body()] if workspaces is None else workspaces))
    return world


def stored_of(world: World, subject: str = DATABRICKS) -> Stored:
    """Return the stored row of a subject."""
    return world.records.rows[remediation_id("KV-ACCESS", vault_id().lower(), subject)]


def row_of(world: World, subject: str = DATABRICKS) -> Remediation:
    """Return the row of a subject."""
    return stored_of(world, subject).row


def has_row(world: World, subject: str) -> bool:
    """Whether there is a row of a subject."""
    return remediation_id("KV-ACCESS", vault_id().lower(), subject) in world.records.rows


def entries_of(world: World) -> list[dict[str, Any]]:
    """Return the access policies of the vault."""
    entries: list[dict[str, Any]] = world.grants.vault["properties"]["accessPolicies"]
    return entries


def look_at(world: World) -> None:
    """Look at the vault, and let everything happen that follows."""
    evaluate(world, evaluation(world))
    run(world)


def swept(world: World) -> None:
    """Look at the vault as the sweep does; what follows stays on the queues."""
    message = evaluation(world).body.replace('"kind": "event"', '"kind": "sweep"')
    evaluate(world, delivery(message, world.clock.now()))


def yes(world: World, row: Remediation, person: str = "ada", **changed: Any) -> Yes:
    """Return a person's yes to the plan of a row, until tomorrow."""
    return replace(Yes(person, row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1)), **changed)


def apply_message(world: World, subject: str = DATABRICKS) -> Delivery:
    """Take the `apply` message of a subject's row from the queue."""
    wanted = row_of(world, subject).id
    for place, (name, body, _) in enumerate(world.queue.sent):
        if name == "apply" and body["remediation"] == wanted:
            del world.queue.sent[place]
            return delivery(json.dumps(body), world.clock.now())
    raise AssertionError(f"no apply message of {wanted}: {world.queue.sent}")


def before_the_write(world: World, happens: Callable[[], None]) -> None:
    """Let something happen after the last read and before the first write reaches Azure."""
    write, pending = world.arm.write, [happens]

    def interrupted(request: Request, correlation: str) -> bool:
        if pending:
            pending.pop()()
        return write(request, correlation)

    world.arm.write = interrupted  # type: ignore[method-assign]


def after_the_write(world: World, happens: Callable[[], None]) -> None:
    """Let something happen right after each write has reached Azure."""
    write = world.arm.write

    def followed(request: Request, correlation: str) -> bool:
        is_done = write(request, correlation)
        happens()
        return is_done

    world.arm.write = followed  # type: ignore[method-assign]
