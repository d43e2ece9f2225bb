"""Role assignments, with the answers that recordings show (role_assignments.jsonl, AZURE 3.2).

It stores and lists them; whether a call is allowed is decided by the access rules that watch the store.
"""

import re
import uuid

from simulator.arm.abac import BadCondition, parse
from simulator.arm.access import role_of
from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.clock import stamp
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold

TYPE = "Microsoft.Authorization/roleAssignments"
ROLE_PREFIX = "/providers/microsoft.authorization/roledefinitions/"
FIXED = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
FILTER = re.compile(
    r"\s*(?:(?P<at>atScope\(\))|principalId\s+eq\s+'?(?P<principal>[^']+?)'?|assignedTo\('(?P<assigned>[^']*)'\))\s*",
    re.IGNORECASE,
)
# Older versions do not know these fields (recorded with 2015-07-01, 2018-01-01-preview and 2018-09-01-preview).
CONDITIONS_SINCE, TYPE_SINCE = "2020", "2018"
NEW_FIELDS = ("condition", "conditionVersion", "delegatedManagedIdentityResourceId", "description")


def read(call: Call) -> Answer:
    """GET."""
    body = call.sim.world.get(call.target.id)
    if body is None:
        raise Refused(404, "RoleAssignmentNotFound", f"The role assignment '{call.target.name}' is not found.")
    return Answer(200, _shown(call, body))


def create(call: Call) -> Answer:
    """PUT: 201; 409 when the same principal holds the same role at the same scope under another name."""
    sent = _sent(call)
    principal, guid = str(sent["principalId"]), role_of({"properties": sent})
    _check_role(call, guid)
    _check_principal(call, principal, str(sent.get("principalType") or ""))
    _check_condition(sent)
    old = call.sim.world.get(call.target.id)
    wanted = (fold(principal), guid, fold(call.target.scope))
    if old is not None and _triple(old) != wanted:
        raise Refused(400, "RoleAssignmentUpdateNotPermitted", FIXED)
    if old is None and any(_triple(each) == wanted for each in call.sim.access.stored()):
        raise Refused(409, "RoleAssignmentExists", "The role assignment already exists.")
    body = _assignment(call, sent, guid, old)
    call.sim.world.put(body)
    # `createdBy` is null in every recorded PUT answer (INDEX, shape 13).
    first = {**body, "properties": {**body["properties"], "createdBy": None}}
    return Answer(201, _shown(call, first), existed=old is not None)


def delete(call: Call) -> Answer:
    """DELETE: 200 with the body, 204 when there was none."""
    old = call.sim.world.get(call.target.id)
    call.sim.world.drop(call.target.path)
    return Answer(200, _shown(call, old)) if old else Answer(204)


def list_assignments(call: Call) -> Answer:
    """Assignments that reach a scope from above, and unless `atScope()` is asked for, those below it."""
    return page(call, [_shown(call, body) for body in reaching(call)])


def reaching(call: Call) -> list[Json]:
    """The stored assignments that the scope and the filter of a call ask for."""
    scope, (at_scope, holders) = fold(call.target.scope), _wanted(call)
    above = {*call.sim.access.tree.above(scope), fold(call.sim.config.root)}
    found = []
    for body in call.sim.access.stored():
        principal, _, where = _triple(body)
        below = not at_scope and call.sim.access.tree.is_above(scope, where)
        if (where in above or below) and (holders is None or principal in holders):
            found.append(body)
    return found


def _wanted(call: Call) -> tuple[bool, set[str] | None]:
    """Whether only the scope and what is above it, and whose; other filters are refused as Azure does."""
    text = call.query.get("$filter", "")
    at_scope, holders = False, None
    for part in re.split(r"\band\b", text, flags=re.IGNORECASE) if text.strip() else []:
        match = FILTER.fullmatch(part)
        if match is None or (holders is not None and not match["at"]):
            # turbot/steampipe-plugin-azure quotes it, with Azure/azure-rest-api-specs#28255.
            supported = "'atScope()' or 'principalId eq '{value}' or assignedTo('{value}')'"
            raise Refused(
                400,
                "UnsupportedQuery",
                f"The filter '{text}' is not supported. Supported filters are either {supported}.",
            )
        if match["at"]:
            at_scope = True
        elif match["principal"]:
            holders = {fold(match["principal"])}
        else:  # groups count here, through other groups too (LOCAL 8; recorded with a Group in the answer)
            holders = set(call.sim.directory.circle(match["assigned"]))
    return at_scope, holders


def _sent(call: Call) -> Json:
    """The properties of the body; a name or a role that is no GUID is refused, in our words."""
    sent: Json = call.body().get("properties") or {}
    for field in ("roleDefinitionId", "principalId"):
        if not sent.get(field):
            raise _bad("BadRequestFormat", f"The request was incorrectly formatted: '{field}' is missing.")
    if not is_guid(call.target.name):
        raise _bad(
            "InvalidRoleAssignmentId", f"The role assignment ID '{call.target.name}' is not valid: it must be a GUID."
        )
    if not is_guid(str(sent["principalId"])):
        raise _bad(
            "InvalidPrincipalId", f"A valid principal ID must be provided for role assignment: '{sent['principalId']}'."
        )
    role = fold(str(sent["roleDefinitionId"]))
    if ROLE_PREFIX not in role or not is_guid(role.rsplit("/", 1)[-1]):
        raise _bad("InvalidRoleDefinitionId", f"The role definition ID '{sent['roleDefinitionId']}' is not valid.")
    return sent


def _check_role(call: Call, guid: str) -> None:
    """The role must exist, and be assignable here."""
    role = call.sim.access.roles.get(guid)
    above = {*call.sim.access.tree.above(call.target.scope), fold(call.sim.config.root)}
    if role is None or not above.intersection(role.scopes):
        text = f"The specified role definition with ID '{guid.replace('-', '')}' does not exist."
        raise Refused(404, "RoleDefinitionDoesNotExist", text)


def _check_principal(call: Call, principal: str, kind: str) -> None:
    """Ids stand without hyphens in these texts, and the spelling is Azure's (role_assignments.jsonl)."""
    plain, known = principal.replace("-", "").lower(), call.sim.directory.get(principal)
    # The check is skipped for a new service principal whose type is sent (hashicorp/terraform-provider-azurerm,
    # skip_service_principal_aad_check); for groups it is not (MicrosoftDocs/azure-docs#103085).
    hidden = call.sim.directory.is_young(principal) and fold(kind) != "serviceprincipal"
    if known is None or hidden:
        raise _bad(
            "PrincipalNotFound",
            f"Principal {plain} does not exist in the directory {call.sim.config.tenant}. Check that you have the correct "
            "principal ID. If you are creating this principal and then immediately assigning a role, this error might be "
            "related to a replication delay. In this case, set the role assignment principalType property to a value, such "
            "as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        )
    if kind and fold(kind) != fold(known.type):
        raise _bad(
            "UnmatchedPrincipalType",
            f"The PrincipalId '{plain}' has type '{known.type}' , which is different from specified PrinciaplType '{kind}'.",
        )


def _check_condition(sent: Json) -> None:
    """A condition that is not understood is refused, never ignored [LEARN conditions-troubleshoot has the text]."""
    if not sent.get("condition"):
        return
    text = "The given role assignment condition is invalid."
    if sent.get("conditionVersion") != "2.0":
        raise _bad("InvalidCondition", f"{text} The conditionVersion must be '2.0'.")
    try:
        parse(str(sent["condition"]))
    except BadCondition as error:
        raise _bad("InvalidCondition", f"{text} {error}") from None


def _assignment(call: Call, sent: Json, guid: str, old: Json | None) -> Json:
    known = call.sim.directory.get(str(sent["principalId"]))
    return {
        "properties": {
            "roleDefinitionId": f"{_home(call)}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
            "principalId": sent["principalId"],
            "principalType": known.type if known else sent.get("principalType"),
            "scope": call.target.scope,
            "condition": sent.get("condition") or None,
            "conditionVersion": sent.get("conditionVersion") if sent.get("condition") else None,
            **stamps(call, old),
            "delegatedManagedIdentityResourceId": sent.get("delegatedManagedIdentityResourceId"),
            "description": sent.get("description"),
        },
        "id": call.target.path,
        "type": TYPE,
        "name": call.target.name,
    }


def _home(call: Call) -> str:
    """A role's id carries the subscription that was asked, also for what is assigned above it (INDEX, shape 13)."""
    return f"/subscriptions/{call.target.subscription}" if call.target.subscription else ""


def _shown(call: Call, body: Json) -> Json:
    """An assignment as this call sees it: by api-version, by subscription, and Unknown when its principal is gone."""
    shown = dict(body.get("properties") or {})
    if call.target.subscription and shown.get("roleDefinitionId"):
        shown["roleDefinitionId"] = f"{_home(call)}/providers/Microsoft.Authorization/roleDefinitions/{role_of(body)}"
    if call.sim.directory.is_gone(str(shown.get("principalId", ""))):
        shown["principalType"] = "Unknown"
    if call.version < CONDITIONS_SINCE:
        for name in NEW_FIELDS:
            shown.pop(name, None)
    if call.version < TYPE_SINCE:
        shown.pop("principalType", None)
    return {**body, "properties": shown}


def stamps(call: Call, old: Json | None) -> Json:
    """Who made it, and who changed it last."""
    before = (old.get("properties") or {}) if old else {}
    return {
        "createdOn": before.get("createdOn") or stamp(),
        "updatedOn": stamp(),
        "createdBy": before.get("createdBy") or call.caller.oid,
        "updatedBy": call.caller.oid,
    }


def is_guid(text: str) -> bool:
    """Whether it is one, with or without hyphens."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _triple(body: Json) -> tuple[str, str, str]:
    """Principal, role and scope, ready to compare."""
    properties = body.get("properties") or {}
    scope = properties.get("scope") or fold(str(body["id"])).rpartition("/providers/microsoft.authorization/")[0]
    return fold(str(properties.get("principalId", ""))), role_of(body), fold(str(scope)) or "/"


def _bad(code: str, message: str) -> Refused:
    return Refused(400, code, message)


KINDS = (
    Kind(
        TYPE,
        item={"GET": read, "PUT": create, "DELETE": delete},
        collection={"GET": list_assignments},
    ),
)
