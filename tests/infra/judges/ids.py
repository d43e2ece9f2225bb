"""ARM ids: `resourceId` and its sisters, and the id that a resource of a template gets."""

from collections.abc import Callable

from tests.infra.judges.complaint import Fault
from tests.infra.judges.scope import MANAGEMENT, Scope


def joined(place: str, kind: str, names: list[str]) -> str:
    """Return the id of a resource below a place. Raises Fault where the type needs another number of names."""
    provider, *types = kind.split("/")
    if len(types) != len(names) or not types:
        raise Fault(f"type {kind} needs {len(types)} name(s), not the {len(names)} of {'/'.join(names)!r}")
    if kind.lower() == "microsoft.resources/resourcegroups":
        return f"{place}/resourceGroups/{names[0]}"
    pairs = "/".join(f"{one}/{name}" for one, name in zip(types, names, strict=True))
    return f"{place}/providers/{provider}/{pairs}"


def own(scope: Scope, kind: str, name: str, extends: str) -> str:
    """Return the id of a resource deployed in a scope; `extends` is what its `scope` says, whole or from the provider on."""
    place = scope.id
    if extends and not extends.startswith("/"):
        provider, *rest = extends.split("/")
        place = joined(place, "/".join([provider, *rest[::2]]), rest[1::2])
    elif extends:
        place = extends.rstrip("/")
    return joined(place, kind, name.split("/"))


def _split(values: tuple[str, ...]) -> tuple[list[str], str, list[str]]:
    """Part the arguments before the type (which alone has a slash), the type, and the names."""
    at = next((at for at, value in enumerate(values) if "/" in str(value)), -1)
    if at < 0:
        raise Fault(f"no resource type among {', '.join(map(str, values))}")
    return list(values[:at]), values[at], list(values[at + 1 :])


def _resource(scope: Scope, *values: str) -> str:
    before, kind, names = _split(values)
    if len(before) > 2:
        raise Fault(f"before the type come a subscription and a resource group, not {before}")
    group = before[-1] if before else scope.group if scope.kind == "resourceGroup" else ""
    subscription = before[0] if len(before) == 2 else scope.subscription
    place = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "")
    return joined(place, kind, names)


def _subscription(scope: Scope, *values: str) -> str:
    before, kind, names = _split(values)
    return joined(f"/subscriptions/{before[0] if before else scope.subscription}", kind, names)


def _management(scope: Scope, *values: str) -> str:
    before, kind, names = _split(values)
    return joined(MANAGEMENT + (before[0] if before else scope.management), kind, names)


def _tenant(_: Scope, *values: str) -> str:
    _before, kind, names = _split(values)
    return joined("", kind, names)


def _extension(_: Scope, place: str, kind: str, *names: str) -> str:
    return joined(place.rstrip("/"), kind, list(names))


# https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#resourceid
IDS: dict[str, Callable[..., str]] = {
    "resourceid": _resource,
    "subscriptionresourceid": _subscription,
    "managementgroupresourceid": _management,
    "tenantresourceid": _tenant,
    "extensionresourceid": _extension,
}
