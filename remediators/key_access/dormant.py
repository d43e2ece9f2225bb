"""Grants of the model that the vault does not go by. They do nothing today; switching the model would wake them."""

from collections.abc import Iterator, Sequence

from remediators.key_access.case import Case, shown
from shared.core.control import Compliant, Finding, NonCompliant, Verdict
from shared.core.facts import Roles, Snapshot, Vault
from shared.core.graph import NEEDED, SECRET_READING, Grant, Kind, Plane

SUBJECT = "dormant"


def is_known(snapshot: Snapshot) -> bool:
    """Whether the grants of the other model were read: policies always are, roles only where they decide something."""
    return isinstance(snapshot.vault, Vault) and (snapshot.vault.rbac or isinstance(snapshot.roles, Roles))


def assess(cases: Sequence[Case]) -> Iterator[Verdict]:
    """Yield one verdict for the vault, where anybody knows."""
    if not cases or not is_known(cases[0].snapshot):
        return
    graph = cases[0].graph
    other = Plane.POLICIES if graph.plane is Plane.ROLES else Plane.ROLES
    kinds = {case.principal: case.identity.kind for case in cases}
    broad = [
        it for it in graph.grants if it.plane is other and it.principal in kinds and _beyond(it, kinds[it.principal])
    ]
    if not broad:
        yield Compliant(Finding("NothingDormant", "no broad grant waits for the other model"), SUBJECT)
        return
    finding = Finding(
        "DormantGrants",
        f"the vault goes by {graph.plane}; broad grants of the other model are ignored today, and would count on the "
        "day somebody switches it: take them away before that",
        {"model": str(graph.plane), "principals": shown({it.principal for it in broad}), "grants": len(broad)},
    )
    yield NonCompliant(finding, SUBJECT)


def _beyond(grant: Grant, kind: Kind) -> frozenset[str]:
    # Databricks writes itself a policy for secret scopes even where it is ignored.
    kept = SECRET_READING[grant.plane] if kind is Kind.DATABRICKS else frozenset[str]()
    return grant.allows - NEEDED[grant.plane] - kept
