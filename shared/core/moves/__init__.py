"""Build the steps that several remediators need, and the requests that carry them out. Remediators choose."""

from shared.core.errors import BadInput
from shared.core.moves import grant, vault
from shared.core.steps import Request, Step

_REQUESTS = {
    vault.PROTECT: vault.protect_request,
    grant.POLICY_SET: grant.set_policy_request,
    grant.POLICY_REMOVE: grant.remove_policy_request,
    grant.ROLE_ASSIGN: grant.assign_role_request,
    grant.ROLE_DELETE: grant.delete_role_request,
}


def request(step: Step) -> Request:
    """Return the ARM write that a step stands for. The set of kinds is closed: an unknown one is BadInput."""
    build = _REQUESTS.get(step.kind)
    if build is None:
        raise BadInput("UnknownStep", f"there is no step of kind {step.kind!r}")
    return build(step)
