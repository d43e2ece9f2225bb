"""How to put it right: one diagnostic setting of our own, or what must be put right before there can be one."""

from shared.core.choices import Choices
from shared.core.control import Finding
from shared.core.facts import LogSetting, Vault
from shared.core.moves import logs as moves
from shared.core.steps import Step

MOST = 5  # diagnostic settings that Azure allows on one resource (AZURE 8.1)


def obstacle(settings: tuple[LogSetting, ...], choices: Choices) -> Finding | None:
    """Return what stands against a setting of ours, if something does."""
    if choices.log_workspace is None:
        return Finding(
            "NoLogWorkspace", "no workspace is chosen (CMK_LOG_WORKSPACE): a person must send the log somewhere, or choose one"
        )  # fmt: skip
    own = _own(settings)
    if own is None and len(settings) >= MOST:
        return Finding(
            "NoRoomForASetting",
            f"the vault has {len(settings)} diagnostic settings and Azure allows {MOST}: let one of them send the audit log, "
            "or take one away",
        )
    if own and (own.elsewhere or own.workspace not in {"", choices.log_workspace.key}):
        return Finding(
            "OwnNameIsTaken",
            f"there is a setting {moves.NAME} that sends to another place: cmkwarden would take that away. Rename it, or "
            "let it send the audit log",
        )
    return None


def steps(vault: Vault, settings: tuple[LogSetting, ...], choices: Choices) -> tuple[Step, ...]:
    """Return the write, or nothing where something stands against it."""
    if choices.log_workspace is None or obstacle(settings, choices):
        return ()
    return (moves.send(vault, choices.log_workspace, _own(settings)),)


def _own(settings: tuple[LogSetting, ...]) -> LogSetting | None:
    return next((it for it in settings if it.name.lower() == moves.NAME), None)
