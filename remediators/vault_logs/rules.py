"""What must hold of a vault's logs. Rules are named for the violation; all are pure."""

from typing import Any

from remediators.vault_logs import plan
from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, Unknown, Verdict
from shared.core.facts import LogSetting, Snapshot, Unreadable
from shared.core.scope import InScope, cmk_vault

_LONGEST = 260  # characters of a name that are shown
_SHOWN = 20
_ASKS = (
    "the audit log says who used which key when: whoever may read {workspace} will see it, and Log Analytics bills what it "
    "takes in. Is that the right place?"
)


def judge(snapshot: Snapshot, memory: Memory, choices: Choices) -> Verdict:
    """Judge one vault. What could not be read is Unknown, never compliant."""
    scope = cmk_vault(snapshot, memory, choices)
    if not isinstance(scope, InScope):
        return scope
    found = snapshot.logging
    if found is None:
        return Unknown(Finding("NotRead", "where the logs of the vault go was not read"))
    if isinstance(found, Unreadable):
        return Unknown(Finding(found.reason, f"where the logs of the vault go could not be read: {found.message}"))
    evidence = {"settings": [_shown(it) for it in found[:_SHOWN]], "in_scope_because": scope.because}
    if not audit_log_goes_nowhere(found):
        return Compliant(Finding("AuditLogIsSent", "the audit log goes to a Log Analytics workspace", evidence))
    workspace = str(choices.log_workspace)
    return NonCompliant(
        _finding(found, evidence),
        asks=_ASKS.format(workspace=workspace),
        steps=plan.steps(scope.vault, found, choices),
        stops=plan.obstacle(found, choices),
    )


def audit_log_goes_nowhere(settings: tuple[LogSetting, ...]) -> bool:
    """No setting sends it to a workspace. A switched off category is not sent, whatever stands in the setting."""
    return not any(it.is_seen for it in settings)


def audit_log_goes_only_elsewhere(settings: tuple[LogSetting, ...]) -> bool:
    """It is kept, in a storage account or an event hub: nobody can ask there who used a key, and no alert looks."""
    return any(it.audits and it.elsewhere for it in settings)


def _finding(settings: tuple[LogSetting, ...], evidence: dict[str, Any]) -> Finding:
    if audit_log_goes_only_elsewhere(settings):
        places = sorted({place for it in settings if it.audits for place in it.elsewhere})
        return Finding(
            "AuditLogGoesElsewhere",
            f"the audit log goes to {', '.join(places)} alone: nobody can ask there who used a key, and no alert looks at it",
            evidence,
        )
    return Finding(
        "AuditLogIsOff", "the audit log goes nowhere: nobody can say afterwards who used a key, or took one away", evidence
    )  # fmt: skip


def _shown(setting: LogSetting) -> dict[str, Any]:
    return {
        "name": setting.name[:_LONGEST],
        "audits": setting.audits,
        "workspace": setting.workspace,
        "elsewhere": list(setting.elsewhere),
    }
