"""What the settings say about themselves: what stops us on purpose, and what cannot be meant. Pure."""

from collections.abc import Iterator
from datetime import datetime

from shared.core.checkup import Check, Result
from shared.core.checkup.rights import listed
from shared.core.choices import Choices, Mode
from shared.core.ports.vitals import Home

_AREA = "settings"
DATABRICKS = "az ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --query id"


def stops(choices: Choices, now: datetime) -> Iterator[Check]:
    """Say what keeps everything, or a part, from happening by itself. All of it was set by somebody on purpose."""
    found = [
        *_kill_switch(choices),
        *_freeze(choices, now),
        *_paused(choices),
        *_mode(choices),
        *_nowhere(choices),
    ]
    yield from found or [
        Check("stops", _AREA, Result.PASS, "neither kill switch nor freeze, pause or mode holds anything back")
    ]


def _kill_switch(choices: Choices) -> Iterator[Check]:
    if choices.kill_switch:
        yield Check(
            "kill-switch", _AREA, Result.WARN, "CMK_KILL_SWITCH is on: nothing is written by itself, anywhere",
            "set CMK_KILL_SWITCH to false when what it was turned on for is over",
        )  # fmt: skip


def _freeze(choices: Choices, now: datetime) -> Iterator[Check]:
    for freeze in choices.freezes:
        if now in freeze:
            yield Check(
                "freeze", _AREA, Result.WARN, f"CMK_FREEZE: nothing happens by itself until {freeze.ends.isoformat()}",
                "wait for its end, or shorten CMK_FREEZE",
            )  # fmt: skip


def _paused(choices: Choices) -> Iterator[Check]:
    if choices.paused:
        yield Check(
            "paused", _AREA, Result.WARN, f"CMK_PAUSED: nothing happens by itself in {listed(sorted(choices.paused))}",
            "take the subscriptions out of CMK_PAUSED when they may go on",
        )  # fmt: skip


def _mode(choices: Choices) -> Iterator[Check]:
    controls = {"": choices.mode, **choices.modes}
    held = [f"{control or 'all controls'}: {mode}" for control, mode in controls.items() if mode is not Mode.AUTO]
    if held:
        yield Check(
            "mode", _AREA, Result.WARN, f"CMK_MODE holds back what could happen by itself ({', '.join(held)})",
            "set it to auto when you trust what you see",
        )  # fmt: skip


def _nowhere(choices: Choices) -> Iterator[Check]:
    if not choices.auto_scope:
        yield Check(
            "auto-scope-empty", _AREA, Result.WARN, "CMK_AUTO_SCOPE is empty: nothing happens by itself anywhere",
            "name subscriptions, groups or ids there when you trust what you see",
        )  # fmt: skip


def scope(choices: Choices) -> Check:
    """Say whether what may happen by itself lies in what is looked after at all."""
    outside = [
        it for it in choices.auto_scope if choices.subscriptions and it.split("/")[2] not in choices.subscriptions
    ]
    if outside:
        return Check(
            "auto-scope", _AREA, Result.FAIL, f"CMK_AUTO_SCOPE names what CMK_SUBSCRIPTIONS leaves out: {listed(outside)}",
            "add the subscription to CMK_SUBSCRIPTIONS, or take the scope out of CMK_AUTO_SCOPE: nothing there is looked at",
        )  # fmt: skip
    return Check("auto-scope", _AREA, Result.PASS, "what may happen by itself lies in what is looked after")


def databricks(choices: Choices, ours: frozenset[str], named: frozenset[str] | None) -> Check:
    """Say whether the object id of AzureDatabricks can be right. `named`: in the writer's conditions; None: not known.

    Resource Manager cannot tell whose object id it is. What can be compared: our own identities, and the condition.
    """
    name = "azure-databricks"
    if not choices.databricks:
        return Check(
            name, _AREA, Result.FAIL, "CMK_DATABRICKS_PRINCIPAL_ID is not set: vaults that managed services or disks use stay Unknown",
            f"set it to what this prints: {DATABRICKS}",
        )  # fmt: skip
    if choices.databricks in ours:
        return Check(
            name, _AREA, Result.FAIL, "CMK_DATABRICKS_PRINCIPAL_ID is an identity of cmkwarden, not AzureDatabricks",
            f"set it to what this prints: {DATABRICKS}",
        )  # fmt: skip
    if named and choices.databricks not in named:
        return Check(
            name, _AREA, Result.FAIL,
            f"CMK_DATABRICKS_PRINCIPAL_ID is {choices.databricks}, and the writer's condition names {listed(sorted(named))}",
            f"one of them is wrong; right is what this prints: {DATABRICKS}",
        )  # fmt: skip
    if not named:
        return Check(
            name, _AREA, Result.UNKNOWN, "nothing here can tell whether CMK_DATABRICKS_PRINCIPAL_ID is AzureDatabricks: no condition of the writer names it",
            f"compare it with what this prints: {DATABRICKS}",
        )  # fmt: skip
    return Check(name, _AREA, Result.PASS, "CMK_DATABRICKS_PRINCIPAL_ID is what the writer's condition names")


def easy_auth(home: Home) -> Check:
    """Say whether App Service's sign-in is in front of the app, as its environment tells. We check every token ourselves."""
    name, area = "easy-auth", "sign-in"
    if home.signs_in is None:
        return Check(name, area, Result.PASS, "this app runs outside App Service: nobody signs in with a browser")
    if not home.signs_in:
        return Check(
            name, area, Result.WARN, "App Service Authentication is off: tokens are taken, and no browser can sign in to the console",
            "switch it on with Entra and the token store, let requests without a sign-in through, and leave out /runtime/webhooks",
        )  # fmt: skip
    return Check(name, area, Result.PASS, "App Service Authentication is on; each token is checked here all the same")
