"""Role definitions: the built-in ones, and custom roles with the scopes at which they may be assigned.

Names are unique in the tenant and a role in use cannot be deleted. Texts are Azure's where a source is named.
"""

import re
from collections.abc import Iterator

from simulator.arm.access import DEFINITIONS, role_of
from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.providers.authorization import is_guid, stamps
from simulator.arm.providers.odata import named
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.roles import BUILTIN
from simulator.arm.router import fold

TYPE = "Microsoft.Authorization/roleDefinitions"
HINT = " Supported filters are either roleName eq '{value}' or type eq 'BuiltInRole|CustomRole'."
FILTER = re.compile(
    r"\s*(?:(?P<below>atScopeAndBelow\(\))|roleName\s+eq\s+'(?P<name>[^']*)'|type\s+eq\s+'(?P<type>\w+)')\s*",
    re.IGNORECASE,
)
LISTS = ("actions", "notActions", "dataActions", "notDataActions")


def read(call: Call) -> Answer:
    """GET, by GUID, at any scope."""
    return Answer(200, _found(call))


def create(call: Call) -> Answer:
    """PUT of a custom role: 201, for changes too (recorded twice with the same id)."""
    sent = call.body().get("properties") or {}
    _check(call, sent)
    old = _stored(call, call.target.name)
    if old:
        _check_scopes_left(call, sent)
    body: Json = {
        "properties": {
            "roleName": sent["roleName"],
            "type": "CustomRole",
            "description": sent.get("description") or "",
            "assignableScopes": sent["assignableScopes"],
            "permissions": [{name: each.get(name) or [] for name in LISTS} for each in sent["permissions"]],
            **stamps(call, old),
        },
        "id": old["id"] if old else call.target.path,
        "type": TYPE,
        "name": old["name"] if old else call.target.name,
    }
    call.sim.world.put(body)
    return Answer(201, _at_home(call, body), existed=old is not None)


def delete(call: Call) -> Answer:
    """DELETE: 200 with the body, 204 when there was none, refused while it is assigned."""
    if fold(call.target.name) in {each.guid for each in BUILTIN}:
        raise Refused(403, "RoleDefinitionBuiltIn", "A built-in role cannot be changed or deleted.")
    old = _stored(call, call.target.name)
    if old is None:
        return Answer(204)
    if any(role_of(each) == fold(call.target.name) for each in call.sim.access.stored()):
        # [LEARN role-based-access-control/troubleshooting] has code and text; the status is not known.
        raise Refused(400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role.")
    call.sim.world.drop(old["id"])
    return Answer(200, _at_home(call, old))


def list_definitions(call: Call) -> Answer:
    """Built-in roles, and the custom ones that may be assigned here; `atScopeAndBelow()` adds those for places below."""
    wanted = named(call.query.get("$filter", ""), FILTER, HINT)
    found = []
    for body in _all(call):
        properties = body["properties"]
        if "name" in wanted and fold(str(properties.get("roleName"))) != wanted["name"]:
            continue
        if "type" in wanted and fold(str(properties.get("type"))) != wanted["type"]:
            continue
        if _is_seen(call, body, below="below" in wanted):
            found.append(_at_home(call, body))
    return page(call, found)


def _all(call: Call) -> Iterator[Json]:
    yield from call.sim.world.of_kind(DEFINITIONS)
    for each in BUILTIN:
        yield each.body("")


def _is_seen(call: Call, body: Json, *, below: bool) -> bool:
    scope, tree = fold(call.target.scope), call.sim.access.tree
    above = {*tree.above(scope), fold(call.sim.config.root)}
    scopes = [fold(str(each)) for each in body["properties"].get("assignableScopes") or ["/"]]
    return any(each in above or (below and tree.is_above(scope, each)) for each in scopes)


def _found(call: Call) -> Json:
    for body in _all(call):
        if fold(str(body["name"])) == fold(call.target.name):
            return _at_home(call, body)
    # hashicorp/terraform-provider-azurerm#10602 has the text.
    raise Refused(
        404,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{call.target.name}' does not exist.",
    )


def _stored(call: Call, guid: str) -> Json | None:
    """A custom role by its GUID: it is one in the whole tenant, wherever it was made."""
    return next((each for each in call.sim.world.of_kind(DEFINITIONS) if fold(str(each["name"])) == fold(guid)), None)


def _at_home(call: Call, body: Json) -> Json:
    """A role's id carries the subscription even when it is asked for at a vault (INDEX, shape 13)."""
    home = f"/subscriptions/{call.target.subscription}" if call.target.subscription else ""
    return {**body, "id": f"{home}/providers/{TYPE}/{body['name']}", "type": TYPE}


def _check(call: Call, sent: Json) -> None:
    if not is_guid(call.target.name):
        raise _bad(f"The role definition ID '{call.target.name}' is not valid: it must be a GUID.")
    if not sent.get("roleName") or not sent.get("permissions") or not isinstance(sent["permissions"], list):
        raise _bad("The role definition needs a roleName and permissions.")
    if not sent.get("assignableScopes") or not all(str(each).startswith("/") for each in sent["assignableScopes"]):
        raise _bad("The role definition needs assignableScopes.")
    if fold(call.target.name) in {each.guid for each in BUILTIN}:
        raise Refused(403, "RoleDefinitionBuiltIn", "A built-in role cannot be changed or deleted.")
    for body in _all(call):
        same = fold(str(body["properties"].get("roleName"))) == fold(str(sent["roleName"]))
        if same and fold(str(body["name"])) != fold(call.target.name):
            # hashicorp/terraform-provider-azurerm#10602 has status, code and text.
            text = "A role definition cannot be updated with a name that already exists."
            raise Refused(409, "RoleDefinitionWithSameNameExists", text)


def _check_scopes_left(call: Call, sent: Json) -> None:
    """No scope may be taken from a role while it is assigned there (Azure/bicep#17145 has code and text)."""
    left, tree = {fold(str(each)) for each in sent["assignableScopes"]}, call.sim.access.tree
    for body in call.sim.access.stored():
        scope = str((body.get("properties") or {}).get("scope") or "/")
        reached = {*tree.above(scope), fold(call.sim.config.root)}
        if role_of(body) == fold(call.target.name) and not left & reached:
            raise Refused(
                400,
                "RoleScopeBeingRemovedContainsAssignments",
                f"Role assignments found under scope '{scope}' which is being removed. Removing this scope from the role "
                "will orphan these assignments. Delete these assignments before removing the scope.",
            )


def _bad(message: str) -> Refused:
    return Refused(400, "InvalidRoleDefinition", message)


KINDS = (
    Kind(
        TYPE,
        item={"GET": read, "PUT": create, "DELETE": delete},
        collection={"GET": list_definitions},
    ),
)
