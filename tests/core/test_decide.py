"""The decision table, row by row, and the guard rails at their edges."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Choices, Freeze, Mode
from shared.core.decide import Case, Kind, decide
from shared.core.plan import Plan, Rail, Write, counting_rail
from shared.core.steps import Step
from tests.fakes import NOON, SUBSCRIPTION, vault_id

TARGET = ids.parse(vault_id())
STEP = Step("vault.protect", vault_id(), {}, {"enablePurgeProtection": True}, "p", irreversible=True)
CASE = Case("KV-RECOVERY", TARGET, Plan((STEP,)), is_sandbox=False, dependants_known=True, remedied=())
OPEN = Choices(auto_scope=(f"/subscriptions/{SUBSCRIPTION}",))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("case", "choices", "kind", "reason"),
    [
        ({}, {}, Kind.AUTO, "SafeInAutoScope"),
        ({}, {"mode": Mode.OBSERVE}, Kind.OBSERVE, "ModeIsObserve"),
        ({}, {"modes": {"KV-RECOVERY": Mode.OBSERVE}}, Kind.OBSERVE, "ModeIsObserve"),
        ({}, {"mode": Mode.OBSERVE, "modes": {"KV-RECOVERY": Mode.AUTO}}, Kind.AUTO, "SafeInAutoScope"),
        ({}, {"modes": {"OTHER": Mode.OBSERVE}}, Kind.AUTO, "SafeInAutoScope"),
        ({"plan": Plan()}, {}, Kind.TICKET, "NoAutomaticRemedy"),
        ({}, {"mode": Mode.APPROVE}, Kind.APPROVAL, "ModeIsApprove"),
        ({"plan": Plan((replace(STEP, grants=True),))}, {}, Kind.APPROVAL, "GivesPermission"),
        ({}, {"auto_scope": ()}, Kind.APPROVAL, "OutsideAutoScope"),
        ({}, {"auto_scope": ("/subscriptions/other",)}, Kind.APPROVAL, "OutsideAutoScope"),
        ({}, {"auto_scope": (TARGET.key,)}, Kind.AUTO, "SafeInAutoScope"),
        ({"dependants_known": False}, {}, Kind.APPROVAL, "DependantsUnknown"),
        ({"is_sandbox": True}, {}, Kind.APPROVAL, "SandboxEnvironment"),
        ({"is_sandbox": True, "plan": Plan((replace(STEP, irreversible=False),))}, {}, Kind.AUTO, "SafeInAutoScope"),
        ({"remedied": (NOON - HOUR, NOON - 2 * HOUR)}, {}, Kind.TICKET, "ChangedBackRepeatedly"),
        ({"remedied": (NOON - HOUR, NOON - 25 * HOUR)}, {}, Kind.AUTO, "SafeInAutoScope"),
        ({}, {"kill_switch": True}, Kind.APPROVAL, "KillSwitch"),
        ({}, {"freezes": (Freeze(NOON, NOON + HOUR),)}, Kind.APPROVAL, "ChangeFreeze"),
        ({}, {"freezes": (Freeze(NOON - HOUR, NOON),)}, Kind.AUTO, "SafeInAutoScope"),
        ({}, {"paused": frozenset({SUBSCRIPTION})}, Kind.APPROVAL, "SubscriptionPaused"),
    ],
)
def test_every_row(case: dict[str, Any], choices: dict[str, Any], kind: Kind, reason: str) -> None:
    """What is done about a finding, and the reason given."""
    decision = decide(replace(CASE, **case), replace(OPEN, **choices), NOON)

    assert (decision.kind, decision.reason) == (kind, reason)


def test_a_counting_rail_asks() -> None:
    """A limit that counts turns what would happen by itself into a question."""
    decision = decide(CASE, OPEN, NOON, Rail("WritesPerHour", "enough"))

    assert (decision.kind, decision.reason, decision.message) == (Kind.APPROVAL, "WritesPerHour", "enough")


def test_nothing_is_automatic_by_default() -> None:
    """Without a scope set at deployment nothing happens by itself, whatever a tag says."""
    assert decide(CASE, Choices(), NOON).kind is Kind.APPROVAL


def _writes(count: int, age: timedelta = timedelta(minutes=30)) -> list[Write]:
    return [Write(NOON - age, f"vault-{n}") for n in range(count)]


@pytest.mark.parametrize(
    ("ledger", "vaults", "reason"),
    [
        (_writes(59), 0, None),
        (_writes(60), 0, "WritesPerHour"),
        (_writes(60, HOUR), 0, None),
        (_writes(4), 4, None),
        (_writes(1), 10, None),
        (_writes(2), 10, "ShareOfVaults"),
        (_writes(0), 5, None),
        (_writes(1), 5, "ShareOfVaults"),
        (_writes(2, timedelta(hours=23)), 10, "ShareOfVaults"),
        ([Write(NOON - HOUR, TARGET.key)] * 3, 5, None),
    ],
)
def test_counting_rails_at_their_edges(ledger: list[Write], vaults: int, reason: str | None) -> None:
    """60 writes an hour, 20 percent of the vaults from five vaults up, the target itself counted once."""
    rail = counting_rail(TARGET, ledger, vaults, OPEN, NOON)

    assert (rail.reason if rail else None) == reason
