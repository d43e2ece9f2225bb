"""Build the steps that several remediators need, and the requests that carry them out. Remediators choose."""

from collections.abc import Mapping
from typing import Any

from shared.core.errors import BadInput
from shared.core.moves import grant, key, logs, vault, workspace
from shared.core.steps import Request, Step

_REQUESTS = {
    vault.PROTECT: vault.protect_request,
    vault.RECOVER: vault.recover_request,
    key.CREATE: key.create_request,
    logs.SEND: logs.send_request,
    grant.POLICY_SET: grant.set_policy_request,
    grant.POLICY_REMOVE: grant.remove_policy_request,
    grant.ROLE_ASSIGN: grant.assign_role_request,
    grant.ROLE_DELETE: grant.delete_role_request,
}


def request(step: Step, current: Mapping[str, Any]) -> Request:
    """Return the ARM write that a step stands for, made from what its resource was read to be just now, where that matters.

    The set of kinds is closed: an unknown one is BadInput.
    """
    if step.kind in workspace.ON_WORKSPACE:
        return workspace.request(step, current)
    build = _REQUESTS.get(step.kind)
    if build is None:
        raise BadInput("UnknownStep", f"there is no step of kind {step.kind!r}")
    return build(step)
