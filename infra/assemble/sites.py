"""The two function apps of one package, each on a Flex Consumption plan of its own, and who may reach them.

`front` takes requests and events and cannot write to Azure; `hand` writes, and takes no requests.
"""

from infra.assemble import grants, names, settings
from infra.assemble.arm import Json, identify, resource
from infra.assemble.identities import IDENTITIES, held_by, identity_id
from infra.assemble.logs import COMPONENT_ID
from infra.assemble.storage import DEFAULT, endpoint

KIND, PLAN = "Microsoft.Web/sites", "Microsoft.Web/serverfarms"
PARTS = {"front": (names.FRONT, names.STATE), "hand": (names.HAND, names.HAND_ACCOUNT)}


def resources() -> list[Json]:
    """Return plans, apps, their settings and what shuts the old doors of App Service."""
    found = []
    for part in PARTS:
        found += [_plan(part), _site(part), _settings(part), *(_no_password(part, door) for door in ("ftp", "scm"))]
    return found


def _plan(part: str) -> Json:
    """Return a plan: a Flex Consumption plan takes one app."""
    return resource(
        PLAN,
        f"[format('{{0}}-plan', variables('{part}'))]",
        location="[parameters('location')]",
        tags="[parameters('tags')]",
        kind="functionapp",
        sku={"name": "FC1", "tier": "FlexConsumption"},
        properties={"reserved": True},
    )


def plan_id(part: str) -> str:
    """Return the expression of a plan's id."""
    return identify(PLAN, f"format('{{0}}-plan', variables('{part}'))")


def _site(part: str) -> Json:
    name, account = PARTS[part]
    package = identify("Microsoft.Storage/storageAccounts/blobServices/containers", account, DEFAULT, f"'{names.PACKAGE}'")  # fmt: skip
    return resource(
        KIND,
        f"[{name}]",
        location="[parameters('location')]",
        tags=f"[union(parameters('tags'), createObject('azd-service-name', '{part}'))]",
        kind="functionapp,linux",
        identity=held_by(part),
        dependsOn=[f"[{plan_id(part)}]", f"[{package}]", *_identities(part), grants.given()],
        properties={
            "serverFarmId": f"[{plan_id(part)}]",
            "httpsOnly": True,
            "clientAffinityEnabled": False,
            "publicNetworkAccess": f"[if({names.IS_PRIVATE}, 'Disabled', 'Enabled')]",
            "virtualNetworkSubnetId": f"[if({names.IS_PRIVATE}, parameters('integrationSubnetId'), null())]",
            "functionAppConfig": _flex(part, account),
            "siteConfig": _doors(part),
        },
    )


def _identities(part: str) -> list[str]:
    return [name for name in held_by(part)["userAssignedIdentities"] if name != f"[{identity_id(part)}]"]


def _flex(part: str, account: str) -> Json:
    return {
        "deployment": {
            "storage": {
                "type": "blobContainer",
                "value": f"[format('{{0}}/{names.PACKAGE}', {endpoint(account, 'blob')})]",
                "authentication": {
                    "type": "UserAssignedIdentity",
                    "userAssignedIdentityResourceId": f"[{identity_id(part)}]",
                },
            }
        },
        "runtime": {"name": "python", "version": "3.13"},
        "scaleAndConcurrency": {
            "instanceMemoryMB": "[parameters('instanceMemory')]",
            "maximumInstanceCount": "[parameters('maximumInstances')]",
        },
    }


def _doors(part: str) -> Json:
    """Return how an app may be reached. Hand's own address is shut to everybody; its deployment takes a sign-in of Entra."""
    return {
        "ftpsState": "Disabled",
        "http20Enabled": True,
        "ipSecurityRestrictionsDefaultAction": "Deny" if part == "hand" else "Allow",
        "minTlsVersion": "1.2",
        "remoteDebuggingEnabled": False,
        "scmIpSecurityRestrictionsDefaultAction": "Allow",
        "scmIpSecurityRestrictionsUseMain": False,
        "scmMinTlsVersion": "1.2",
    }


def _settings(part: str) -> Json:
    name, _ = PARTS[part]
    return resource(
        f"{KIND}/config",
        f"[format('{{0}}/appsettings', {name})]",
        dependsOn=[f"[{identify(KIND, name)}]", f"[{COMPONENT_ID}]", *(f"[{identity_id(it)}]" for it in IDENTITIES)],
        properties=f"[{settings.together(part)}]",
    )


def _no_password(part: str, door: str) -> Json:
    """Return what turns a publishing password off: nobody signs in but with Entra."""
    name, _ = PARTS[part]
    return resource(
        f"{KIND}/basicPublishingCredentialsPolicies",
        f"[format('{{0}}/{door}', {name})]",
        dependsOn=[f"[{identify(KIND, name)}]"],
        properties={"allow": False},
    )
