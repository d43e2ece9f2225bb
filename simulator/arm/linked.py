"""Linked access checks: rights on other resources that a body names, asked for before the provider sees the request.

Azure publishes no list of them. Each row says where it was seen; UNVERIFIED ones are the careful guess of AZURE 3.3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.arm.answer import GATEWAY, Json, Refused

ANY_TYPE = "*"


@dataclass(frozen=True, slots=True)
class Link:
    """Whoever writes this type with such a body needs the action on what the body names."""

    type: str
    action: str
    named: Callable[[Json], list[str]]


def _subnets(body: Json) -> list[str]:
    """The two subnets of a workspace in somebody's own network."""
    network = _parameter(body, "customVirtualNetworkId")
    names = (_parameter(body, name) for name in ("customPublicSubnetName", "customPrivateSubnetName"))
    return [f"{network}/subnets/{name}" for name in names if network and name]


def _parameter(body: Json, name: str) -> str:
    given = _properties(body).get("parameters")
    held = given.get(name) if isinstance(given, dict) else None
    return str(held.get("value") or "") if isinstance(held, dict) else ""


def _connector(body: Json) -> list[str]:
    held = _properties(body).get("accessConnector")
    return [str(held["id"])] if isinstance(held, dict) and held.get("id") else []


def _identities(body: Json) -> list[str]:
    """The user-assigned identities that a resource is to use; null takes one away."""
    identity = body.get("identity")
    held = identity.get("userAssignedIdentities") if isinstance(identity, dict) else None
    return [str(name) for name, value in held.items() if value is not None] if isinstance(held, dict) else []


def _rules(body: Json) -> list[str]:
    acls = _properties(body).get("networkAcls")
    rules = acls.get("virtualNetworkRules") if isinstance(acls, dict) else None
    return [str(each["id"]) for each in rules or [] if isinstance(each, dict) and each.get("id")]


def _property(name: str) -> Callable[[Json], list[str]]:
    return lambda body: [str(_properties(body)[name])] if _properties(body).get(name) else []


def _properties(body: Json) -> Json:
    held = body.get("properties")
    return held if isinstance(held, dict) else {}


def _assignable(body: Json) -> list[str]:
    scopes = _properties(body).get("assignableScopes")
    return [str(each) for each in scopes] if isinstance(scopes, list) else []


DIAGNOSTICS = "microsoft.insights/diagnosticsettings"
LINKS = (
    # Whoever makes a custom role must be allowed to at all its assignableScopes [LEARN role-definitions].
    Link("microsoft.authorization/roledefinitions", "Microsoft.Authorization/roleDefinitions/write", _assignable),
    # Whoever creates a workspace in a network needs it [LEARN databricks vnet-inject, quoted in MicrosoftDocs/azure-docs
    # #80901]; that an update of one asks for it too is UNVERIFIED.
    Link("microsoft.databricks/workspaces", "Microsoft.Network/virtualNetworks/subnets/join/action", _subnets),
    Link("microsoft.databricks/workspaces", "Microsoft.Databricks/accessConnectors/read", _connector),  # UNVERIFIED
    # Recorded with Microsoft.VirtualMachineImages (arm_errors.jsonl).
    Link(ANY_TYPE, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", _identities),
    # JimGBritt/AzurePolicy#17, MicrosoftDocs/azure-docs#80159 and CDCgov/prime-reportstream#7678, in this order.
    Link(DIAGNOSTICS, "Microsoft.OperationalInsights/workspaces/sharedKeys/action", _property("workspaceId")),
    Link(DIAGNOSTICS, "Microsoft.Storage/storageAccounts/listKeys/action", _property("storageAccountId")),
    Link(
        DIAGNOSTICS,
        "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
        _property("eventHubAuthorizationRuleId"),
    ),
    # Built-in roles name it for storage accounts (role_definitions.jsonl); for vaults UNVERIFIED.
    Link(
        "microsoft.keyvault/vaults", "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action", _rules
    ),
)


def needed(kind: str, body: Json) -> Iterator[tuple[str, str]]:
    """Action and scope for everything that a body of this type (lower case) links to."""
    for link in LINKS:
        if link.type in {kind, ANY_TYPE}:
            for scope in link.named(body):
                if scope.startswith("/"):
                    yield link.action, scope


def refusal(client: str, oid: str, action: str, scope: str, missing: list[tuple[str, str]]) -> Refused:
    """The 403 for it, in the words that reports quote (JimGBritt/AzurePolicy#17; the newer `(respectively)`)."""
    actions = ",".join(f"{each}" for each, _ in missing)
    scopes = ",".join(where for _, where in missing)
    return Refused(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{client}' with object id '{oid}' has permission to perform action '{action}' on scope '{scope}'; "
        f"however, it does not have permission to perform action(s) '{actions}' on the linked scope(s) '{scopes}' "
        "(respectively) or the linked scope(s) are invalid.",
        GATEWAY,
    )
