"""The doctor and the deployment: front and hand that do not fit, App Service's sign-in, and the smaller roles."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared import settings
from shared.core import ids
from shared.core.checkup import Result, parts, rights
from shared.core.errors import Temporary
from shared.core.moves.grant import STRICT
from shared.core.part import OWN, Part
from shared.flow.beat import beat
from tests.fakes import NOON, SUBSCRIPTION, World
from tests.flow.healthy import choose, faults, well
from tests.vitals import SITE, assigned, condition, role

LOGS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"
LEAST = {"AzureWebJobsStorage__accountName": "acct", "CMK_WRITER_CLIENT_ID": "w"}


def _two(**changes: Any) -> Callable[[World], None]:
    """Return what makes two parts of the app, and the hand differ in something. None: it has never said anything."""

    def plant(world: World) -> None:
        world.part = replace(world.part, name="front")
        if changes.get("time", NOON) is not None:
            world.pulse.beat(replace(world.part, **{"name": "hand", "time": NOON, **changes}))

    return plant


def _hold(who: str, *held: dict[str, Any]) -> Callable[[World], None]:
    return lambda world: world.vitals.assignments.update({f"{who}-oid": list(held)})


def _give(who: str, *actions: str) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.vitals.roles["more"] = role("reader", actions=list(actions))
        world.vitals.assignments[f"{who}-oid"] = [*world.vitals.assignments[f"{who}-oid"], assigned("more")]

    return plant


def _strict(definition: dict[str, Any] | None) -> Callable[[World], None]:
    def plant(world: World) -> None:
        choose(strict_role=True)(world)
        if definition:
            world.vitals.roles[STRICT] = definition

    return plant


def _logs(world: World) -> None:
    """Have logs sent where the writer has nothing."""
    choose(log_workspace=ids.parse(LOGS))(world)
    _hold("writer", assigned("writer"), assigned("grants", text=condition()))(world)


def _linked(world: World) -> None:
    """Have logs sent where the writer may, and nowhere else."""
    _logs(world)
    world.vitals.assignments["writer-oid"].append(assigned("linked", LOGS))


def _unknown(world: World) -> None:
    """Have storage say nothing of the hand."""
    _two()(world)
    world.pulse.part = _away  # type: ignore[assignment,method-assign]


FAULTS: dict[str, tuple[Callable[[World], None], str, Result, str]] = {
    "the hand never ran": (_two(time=None), "parts", Result.FAIL, "has never said"),
    "the hand runs no more": (_two(time=NOON - timedelta(hours=4)), "parts", Result.FAIL, "since 2026-11-24T08:00:00"),
    "the hand is of another version": (_two(version="0.9.0"), "part-versions", Result.WARN, "version of front is 1.0.0, that of hand 0.9.0"),
    "the hand is of another Python": (_two(python="3.12.9"), "part-versions", Result.WARN, "Python of front is 3.13.1, that of hand 3.12.9"),
    "a setting differs": (_two(settings={"CMK_MODE": "b"}), "part-settings", Result.FAIL, "CMK_MODE"),
    "a setting is unknown to one": (_two(settings={"CMK_MODE": "a", "CMK_NEW": "c"}), "part-settings", Result.FAIL, "CMK_NEW"),
    "nobody knows of the hand": (_unknown, "parts", Result.UNKNOWN, "ConnectionLost"),
    "no sign-in": (lambda w: setattr(w.vitals, "home", replace(w.vitals.home, signs_in=False)), "easy-auth", Result.WARN, "no browser"),
    "the reader reads more": (_give("reader", "*/read"), "reader-wide", Result.WARN, "cmkwarden Reader: */read"),
    "the writer reads more": (_give("writer", "Microsoft.KeyVault/vaults/secrets/read"), "writer-wide", Result.WARN, "secrets/read"),
    "logs cannot be sent": (_logs, "writer-logs", Result.WARN, "sharedKeys"),
    "the strict role is not there": (_strict(None), "key-user-role", Result.FAIL, "does not exist"),
    "the strict role gives more": (_strict(role("key_user", dataActions=["Microsoft.KeyVault/vaults/keys/*"])), "key-user-role", Result.FAIL, "keys/* instead of"),
    "the strict role gives less": (_strict(role("key_user", dataActions=["Microsoft.KeyVault/vaults/keys/read"])), "key-user-role", Result.FAIL, "instead of"),
}  # fmt: skip


def _away(_name: str) -> Part | None:
    raise Temporary("ConnectionLost", "nobody there")


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_planted_fault_is_named_with_what_to_do(sentence: str) -> None:
    """That one thing is said, as bad as it is, and nothing else is wrong."""
    plant, name, result, said = FAULTS[sentence]
    world = well()
    plant(world)
    found = faults(world)

    assert {(it.name, it.result) for it in found} == {(name, result)}
    assert said in found[0].message
    assert found[0].todo


FINE: dict[str, Callable[[World], None]] = {
    "two parts that fit": _two(),
    "two hours without a sign": _two(time=NOON - timedelta(hours=2)),
    "outside App Service": lambda w: setattr(w.vitals, "home", replace(w.vitals.home, signs_in=None)),
    "the strict role as it must be": _strict(role("key_user")),
    "logs go where the writer may send them": choose(log_workspace=ids.parse(LOGS)),
    "the right to send logs at that workspace alone": _linked,
}  # fmt: skip


@pytest.mark.parametrize("sentence", FINE)
def test_what_fits_is_no_fault(sentence: str) -> None:
    """Nothing is said but passes."""
    world = well()
    FINE[sentence](world)

    assert faults(world) == []


def test_the_strict_role_is_what_is_deployed() -> None:
    """Its data actions are those of infra/roles/key_user.json."""
    (block,) = role("key_user")["properties"]["permissions"]

    assert set(block["dataActions"]) == rights.KEY_USER


def test_the_hand_says_what_it_is_and_when() -> None:
    """Its own row, at its own time; whoever has HTTP answers there."""
    world = World()
    beat(world)
    assert world.pulse.parts == {}

    world.part = replace(world.part, name="hand")
    beat(world)
    assert world.pulse.parts == {"hand": replace(world.part, time=NOON)}


def test_settings_are_compared_by_fingerprint_and_names_alone_are_told() -> None:
    """What is unset counts as its default; what each part has for itself is left out; no value leaves the app."""
    front = settings.read({**LEAST, "CMK_PART": "front", "CMK_GAP": "60", "WEBSITE_SITE_NAME": SITE}).shared
    hand = settings.read(
        {**LEAST, "CMK_PART": "hand", "CMK_OWNER_TAG": "s3cret-owner", "CMK_MODE_X": "off"}, ("X",)
    ).shared
    (found,) = parts.judged(Part("front", "1", "3", front), Part("hand", "1", "3", hand, NOON), NOON)

    assert found.message.startswith("front and hand do not agree on CMK_MODE_X, CMK_OWNER_TAG:")
    assert "s3cret" not in f"{found} {hand}"
    assert not OWN & {*front, *hand}
