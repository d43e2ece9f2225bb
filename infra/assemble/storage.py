"""Two storage accounts without keys: the state that both apps share, and what hand alone may write: its own package.

Whoever can write an app's package is that app, with all its identities. So the package of hand lies where front has
no role: a bug in a page must not become a way to the writer.
"""

from infra.assemble import names
from infra.assemble.arm import Json, identify, resource

KIND = "Microsoft.Storage/storageAccounts"
DEFAULT = "'default'"  # what Azure calls each service of an account
_DAYS = 7  # that a dead letter is kept: it is a raw event, with names of people in its claims


def resources() -> list[Json]:
    """Return both accounts with all that is in them."""
    return [
        account(names.STATE, bypass="AzureServices"),
        account(names.HAND_ACCOUNT, bypass="None"),
        *services(names.STATE, ("blob", "queue", "table")),
        *services(names.HAND_ACCOUNT, ("blob",)),
        *(container(names.STATE, it) for it in (names.DEAD_LETTERS, names.PACKAGE)),
        container(names.HAND_ACCOUNT, names.PACKAGE),
        *(_inside("queue", queue) for queue in (*names.QUEUES, *names.POISON)),
        *(_inside("table", table) for table in names.TABLES),
        lifecycle(),
    ]


def account(name: str, bypass: str) -> Json:
    """Return one account. `bypass`: Event Grid reaches a closed account as a trusted service, with its topic's own identity.

    Source: Storage queue as an event handler (Event Grid documentation): behind a firewall only a system-assigned
    identity is let in, and only with the bypass.
    """
    return resource(
        KIND,
        f"[{name}]",
        location="[parameters('location')]",
        tags="[parameters('tags')]",
        sku={"name": "[parameters('storageSku')]"},
        kind="StorageV2",
        properties={
            "accessTier": "Hot",
            "allowBlobPublicAccess": False,
            "allowCrossTenantReplication": False,
            "allowSharedKeyAccess": False,
            "defaultToOAuthAuthentication": True,
            "isLocalUserEnabled": False,
            "minimumTlsVersion": "TLS1_2",
            "networkAcls": {
                "bypass": bypass,
                "defaultAction": f"[if({names.IS_PRIVATE}, 'Deny', 'Allow')]",
            },
            # Not Disabled in the private mode: that would shut out Event Grid as well.
            "publicNetworkAccess": "Enabled"
            if bypass != "None"
            else f"[if({names.IS_PRIVATE}, 'Disabled', 'Enabled')]",
            "supportsHttpsTrafficOnly": True,
        },
    )


def services(name: str, kinds: tuple[str, ...]) -> list[Json]:
    """Return the services of an account. Blobs that are deleted are gone: a dead letter must not live on for a week."""
    return [
        resource(
            f"{KIND}/{kind}Services",
            f"[format('{{0}}/default', {name})]",
            dependsOn=[f"[{identify(KIND, name)}]"],
            properties={"deleteRetentionPolicy": {"enabled": False}} if kind == "blob" else {},
        )
        for kind in kinds
    ]


def container(name: str, called: str) -> Json:
    """Return a private blob container."""
    return resource(
        f"{KIND}/blobServices/containers",
        f"[format('{{0}}/default/{called}', {name})]",
        dependsOn=[f"[{identify(KIND + '/blobServices', name, DEFAULT)}]"],
        properties={"publicAccess": "None"},
    )


def _inside(kind: str, called: str) -> Json:
    """Return a queue or a table. All are made here, so that what is listed after a deployment is all there is."""
    return resource(
        f"{KIND}/{kind}Services/{kind}s",
        f"[format('{{0}}/default/{called}', {names.STATE})]",
        dependsOn=[f"[{identify(f'{KIND}/{kind}Services', names.STATE, DEFAULT)}]"],
        properties={},
    )


def lifecycle() -> Json:
    """Return the rule that empties the container of dead letters."""
    rule = {
        "name": "dead-letters-are-kept-for-a-week",
        "type": "Lifecycle",
        "enabled": True,
        "definition": {
            "filters": {"blobTypes": ["blockBlob"], "prefixMatch": [f"{names.DEAD_LETTERS}/"]},
            "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": _DAYS}}},
        },
    }
    return resource(
        f"{KIND}/managementPolicies",
        f"[format('{{0}}/default', {names.STATE})]",
        dependsOn=[f"[{identify(KIND + '/blobServices', names.STATE, DEFAULT)}]"],
        properties={"policy": {"rules": [rule]}},
    )


def endpoint(account_name: str, service: str) -> str:
    """Return the expression of a service's address, without a slash at its end: as the app builds on it."""
    return f"format('https://{{0}}.{service}.{{1}}', {account_name}, environment().suffixes.storage)"
