"""A world in which the doctor finds nothing, and how to break it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core import ids
from shared.core.checkup import Check, Result, topics
from shared.core.choices import KeyVault
from shared.core.survey import Progress, Share, Survey, survey_id
from shared.flow.diagnose import diagnose
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id
from tests.vitals import DATABRICKS, event_subscription

KEYS = ids.parse(vault_id("kv-keys"))
HERE = f"/subscriptions/{SUBSCRIPTION}"


def well() -> World:
    """Return a world in which nothing is wrong."""
    world = World(databricks=DATABRICKS, key_vaults=(KeyVault(KEYS),))
    world.arm.put(vault_body("kv-keys", enablePurgeProtection=True))
    survey(world)
    world.vitals.grid = {HERE: [event_subscription(it) for it in topics.WANTED[:2]]}
    world.pulse.events = {"workspaces": NOON - timedelta(hours=2), "vaults": NOON - timedelta(days=6)}
    return world


def survey(world: World, *, hours: int = 0, progress: Progress = Progress.DONE, problem: str = "") -> None:
    """Have the estate looked over some hours ago, and only then."""
    began = world.clock.now() - timedelta(hours=hours)
    share = Share(SUBSCRIPTION, progress, listed=1, problem=problem)
    world.surveys.kept = {survey_id(began): Survey(survey_id(began), began, "", (share,))}


def faults(world: World) -> Sequence[Check]:
    """Return everything that is no pass."""
    return [it for it in diagnose(world) if it.result is not Result.PASS]


def choose(**choices: Any) -> Callable[[World], None]:
    """Return what sets choices."""
    return lambda world: setattr(world, "choices", replace(world.choices, **choices))


def fail(name: str, error: Exception) -> Callable[[World], None]:
    """Return what has a measurement end in an error."""
    return lambda world: world.vitals.failures.update({name: error})
