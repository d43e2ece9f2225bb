"""Role definitions and role assignments, with the answers that recordings show (role_assignments.jsonl, AZURE 3.2).

It stores and lists them; whether a call is allowed is decided by the access rules that watch the store.
"""

import re

from simulator.arm.access import ASSIGNMENTS, DEFINITIONS
from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.clock import stamp
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.roles import BUILTIN
from simulator.arm.router import ancestors, covers

FIXED = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
PRINCIPAL = re.compile(r"(?:principalId eq|assignedTo\()\s*'([^']*)'\)?", re.IGNORECASE)
ROLE_NAME = re.compile(r"roleName eq '([^']*)'", re.IGNORECASE)


def read_assignment(call: Call) -> Answer:
    """GET."""
    body = call.sim.world.get(call.target.id)
    if body is None:
        raise Refused(404, "RoleAssignmentNotFound", f"The role assignment '{call.target.name}' is not found.")
    return Answer(200, body)


def create_assignment(call: Call) -> Answer:
    """PUT: 201; 409 when the same principal holds the same role at the same scope under another name."""
    sent = call.body().get("properties") or {}
    role, principal = str(sent.get("roleDefinitionId", "")), str(sent.get("principalId", ""))
    guid = role.rsplit("/", 1)[-1].lower()
    if guid not in call.sim.access.roles:
        raise Refused(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{guid}' does not exist.",
        )
    old = call.sim.world.get(call.target.id)
    if old is not None and _triple(old) != (principal.lower(), guid, call.target.scope.lower()):
        raise Refused(400, "RoleAssignmentUpdateNotPermitted", FIXED)
    if old is None and _twin(call, principal.lower(), guid):
        raise Refused(409, "RoleAssignmentExists", "The role assignment already exists.")
    body = _assignment(call, sent, guid, old)
    call.sim.world.put(body)
    # `createdBy` is null in every recorded PUT answer (INDEX, shape 13).
    first = {**body, "properties": {**body["properties"], "createdBy": None}}
    return Answer(201, first, existed=old is not None)


def delete_assignment(call: Call) -> Answer:
    """DELETE: 200 with the body, 204 when there was none."""
    old = call.sim.world.get(call.target.id)
    call.sim.world.drop(call.target.path)
    return Answer(200, old) if old else Answer(204)


def list_assignments(call: Call) -> Answer:
    """Assignments that reach a scope from above, and unless `atScope()` is asked for, those below it."""
    scope, wanted = call.target.scope.lower(), call.query.get("$filter", "")
    above = set(ancestors(scope)) | {call.sim.config.root.lower()}
    below = "atscope()" not in wanted.lower().replace(" ", "")
    principal = PRINCIPAL.search(wanted)
    found = [
        body
        for body in call.sim.world.of_kind(ASSIGNMENTS)
        if (where := _triple(body)[2]) in above or (below and covers(scope, where))
    ]
    if principal:
        found = [body for body in found if _triple(body)[0] == principal[1].lower()]
    return page(call, found)


def read_definition(call: Call) -> Answer:
    """GET, by GUID, at any scope."""
    for body in _definitions(call):
        if body["name"].lower() == call.target.name.lower():
            return Answer(200, body)
    raise Refused(
        404,
        "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{call.target.name}' does not exist.",
    )


def create_definition(call: Call) -> Answer:
    """PUT of a custom role: 201."""
    sent = call.body().get("properties") or {}
    if not sent.get("roleName") or not sent.get("permissions"):
        raise Refused(400, "RoleDefinitionInvalid", "The role definition needs a roleName and permissions.")
    existed = call.sim.world.get(call.target.id) is not None
    lists = ("actions", "notActions", "dataActions", "notDataActions")
    body: Json = {
        "properties": {
            "roleName": sent["roleName"],
            "type": "CustomRole",
            "description": sent.get("description", ""),
            "assignableScopes": sent.get("assignableScopes", []),
            "permissions": [{name: each.get(name, []) for name in lists} for each in sent["permissions"]],
            **_stamps(call, None),
        },
        "id": call.target.path,
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": call.target.name,
    }
    call.sim.world.put(body)
    return Answer(201, body, existed=existed)


def list_definitions(call: Call) -> Answer:
    """Built-in and custom roles."""
    name = ROLE_NAME.search(call.query.get("$filter", ""))
    found = _definitions(call)
    if name:
        found = [each for each in found if each["properties"]["roleName"].lower() == name[1].lower()]
    return page(call, found)


def _definitions(call: Call) -> list[Json]:
    """A role's id carries the subscription even when it is asked for at a vault (INDEX, shape 13)."""
    subscription = call.target.subscription
    scope = f"/subscriptions/{subscription}" if subscription else ""
    return [each.body(scope) for each in BUILTIN] + list(call.sim.world.of_kind(DEFINITIONS))


def _assignment(call: Call, sent: Json, guid: str, old: Json | None) -> Json:
    subscription = call.target.subscription
    where = f"/subscriptions/{subscription}" if subscription else ""
    return {
        "properties": {
            "roleDefinitionId": f"{where}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
            "principalId": sent["principalId"],
            "principalType": sent.get("principalType") or "ServicePrincipal",
            "scope": call.target.scope,
            "condition": sent.get("condition"),
            "conditionVersion": sent.get("conditionVersion"),
            **_stamps(call, old),
            "delegatedManagedIdentityResourceId": sent.get("delegatedManagedIdentityResourceId"),
            "description": sent.get("description"),
        },
        "id": call.target.path,
        "type": "Microsoft.Authorization/roleAssignments",
        "name": call.target.name,
    }


def _stamps(call: Call, old: Json | None) -> Json:
    before = old["properties"] if old else {}
    return {
        "createdOn": before.get("createdOn") or stamp(),
        "updatedOn": stamp(),
        "createdBy": before.get("createdBy") or call.caller.oid,
        "updatedBy": call.caller.oid,
    }


def _triple(body: Json) -> tuple[str, str, str]:
    """Principal, role and scope, ready to compare."""
    properties = body.get("properties") or {}
    scope = properties.get("scope") or str(body["id"]).lower().rpartition("/providers/microsoft.authorization/")[0]
    role = str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1]
    return str(properties.get("principalId", "")).lower(), role.lower(), str(scope).lower() or "/"


def _twin(call: Call, principal: str, guid: str) -> bool:
    wanted = (principal, guid, call.target.scope.lower())
    return any(_triple(each) == wanted for each in call.sim.world.of_kind(ASSIGNMENTS))


KINDS = (
    Kind(
        "Microsoft.Authorization/roleAssignments",
        item={"GET": read_assignment, "PUT": create_assignment, "DELETE": delete_assignment},
        collection={"GET": list_assignments},
    ),
    Kind(
        "Microsoft.Authorization/roleDefinitions",
        item={"GET": read_definition, "PUT": create_definition},
        collection={"GET": list_definitions},
    ),
)
