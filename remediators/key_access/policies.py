"""Access policies: what an identity holds beyond the three, what it lacks, and what is odd about its entries."""

from collections.abc import Iterator
from datetime import datetime

from remediators.key_access.case import MISSING, SECRETS, Case, shown
from shared.core.commands import az_policy_removal
from shared.core.control import Verdict
from shared.core.facts import Policy
from shared.core.graph import NEEDED, SECRET_READING, Kind, Plane, allowed
from shared.core.moves import grant as moves
from shared.core.sights import sight_of

_THREE = {"keys/get": "get", "keys/wrapkey": "wrapKey", "keys/unwrapkey": "unwrapKey"}
_SERVICES = frozenset({Kind.STORAGE, Kind.DISKS})  # Azure's own services: they ask for keys and for nothing else
_READING = SECRET_READING[Plane.POLICIES]


def assess(case: Case) -> Iterator[Verdict]:
    """Yield what there is to say of one identity: its keys, its other permissions, its odd entries."""
    own = case.vault.policies_of(case.principal)
    yield _keys(case, own)
    if case.identity.kind not in _SERVICES:
        yield _others(case, own)
    yield _odd(case)


def key_permission_is_missing(case: Case) -> frozenset[str]:
    """Return which of the three an identity in use lacks: a workspace is broken, or about to be."""
    return NEEDED[Plane.POLICIES] - case.graph.held(case.principal) if case.uses else frozenset()


def key_permissions_are_too_broad(case: Case) -> frozenset[str]:
    """Return what an identity may do with keys beyond the three."""
    return frozenset(it for it in case.graph.held(case.principal) if it.startswith("keys/")) - NEEDED[Plane.POLICIES]


def policies_are_doubled(own: tuple[Policy, ...]) -> bool:
    """Whether several entries speak of one identity: whoever reads the first alone is misled."""
    return len(own) > 1


def other_permissions_are_held(case: Case) -> frozenset[str]:
    """Return what an identity may do with secrets, certificates and storage keys."""
    return frozenset(it for it in case.graph.held(case.principal) if not it.startswith("keys/"))


def _keys(case: Case, own: tuple[Policy, ...]) -> Verdict:
    held = case.graph.held(case.principal)
    missing, beyond = key_permission_is_missing(case), key_permissions_are_too_broad(case)
    others = other_permissions_are_held(case) if case.identity.kind in _SERVICES else frozenset[str]()
    names = [
        name
        for name, applies in (
            ("KeyPermissionMissing", bool(missing)),
            ("KeyPermissionsTooBroad", bool(beyond)),
            ("PoliciesAreDoubled", policies_are_doubled(own)),
            ("OtherPermissionsHeld", bool(others)),
        )
        if applies
    ]
    if not names:
        return case.fine()
    kept = [name for permission, name in _THREE.items() if missing or permission in held]
    after = {"keys": kept, **(dict.fromkeys(("secrets", "certificates", "storage"), ()) if others else {})}
    step = moves.set_policy(case.vault, own, after, case.principal, grants=bool(missing))
    said = (
        f"lacks {', '.join(shown(missing))} on the keys that it is there for"
        if missing
        else f"holds more than Get, Wrap Key and Unwrap Key: {', '.join(shown(beyond | others)) or 'several entries'}"
    )
    return case.found(
        names, said, steps=(step,), asks=MISSING if missing else "", since=_since(case, own),
        beyond=sorted(beyond | others), missing=shown(missing),
    )  # fmt: skip


def _others(case: Case, own: tuple[Policy, ...]) -> Verdict:
    kept = _READING if case.identity.kind is Kind.DATABRICKS else frozenset[str]()
    beyond = other_permissions_are_held(case) - kept
    if not beyond:
        return case.fine("secrets")
    secrets = [name for name in ("get", "list") if f"secrets/{name}" in kept & case.graph.held(case.principal)]
    step = moves.set_policy(
        case.vault, own, {"secrets": secrets, "certificates": [], "storage": []}, case.principal, grants=False
    )
    return case.found(
        ["OtherPermissionsHeld"], f"holds permissions on more than keys: {', '.join(shown(beyond))}", part="secrets",
        steps=(step,), asks=SECRETS, beyond=sorted(beyond), kept=secrets,
    )  # fmt: skip


def _odd(case: Case) -> Verdict:
    """Entries that Azure reads in another way: by way of an application, or of another tenant. Nobody but a person decides."""
    odd = [it for it in case.vault.policies if it.principal == case.principal and not case.vault.is_plain(it)]
    if not any(allowed(it) for it in odd):
        return case.fine("elsewhere")
    names = [
        name
        for name, applies in (
            ("CompoundIdentity", any(it.application for it in odd)),
            ("ForeignTenant", any(it.tenant not in {case.vault.tenant, ""} for it in odd)),
        )
        if applies
    ]
    return case.found(
        names, "has policies that speak of it by way of an application or in another tenant", part="elsewhere",
        entries=[dict(it.raw) for it in odd], proposed=[az_policy_removal(case.vault, it) for it in odd],
    )  # fmt: skip


def _since(case: Case, own: tuple[Policy, ...]) -> datetime | None:
    """Return since when what it holds has been seen: Azure keeps no time for a policy, we do."""
    first = {it.grant: it.first for it in case.memory.sights}
    times = [time for it in own if (time := first.get(sight_of(it), case.now))]
    return max(times, default=None)
