"""Azure's built-in roles, as far as this tenant knows them: GUID, actions, data actions (AZURE 3.1).

Only what decides is kept, as recorded (role_definitions.jsonl). Descriptions and dates are left out: nothing reads them.
"""

from typing import Any, NamedTuple

from simulator.arm.answer import Json
from simulator.arm.role_texts import DESCRIPTIONS

AUTHORIZATION = "Microsoft.Authorization/roleDefinitions"
VAULTS = "Microsoft.KeyVault/vaults"
KEYS, SECRETS = f"{VAULTS}/keys", f"{VAULTS}/secrets"
STORAGE = "Microsoft.Storage/storageAccounts"
BLOBS, QUEUES, TABLES = (
    f"{STORAGE}/blobServices/containers",
    f"{STORAGE}/queueServices/queues",
    f"{STORAGE}/tableServices/tables",
)
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
INSIGHTS = "Microsoft.OperationalInsights/workspaces"
ASSIGN = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete")
# What most roles share.
AUTH_READ, ALERTS = "Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*"
DEPLOY, SUPPORT = "Microsoft.Resources/deployments/*", "Microsoft.Support/*"
GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
COMMON = (AUTH_READ, ALERTS, DEPLOY, GROUP_READ)
VAULT_READS = (
    *COMMON,
    SUPPORT,
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    f"{VAULTS}/*/read",
    "Microsoft.KeyVault/operations/read",
)


class Builtin(NamedTuple):
    """One role."""

    guid: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    condition: str = ""

    def body(self, scope: str) -> Json:
        """As a GET of roleDefinitions shows it at a scope."""
        permission: dict[str, Any] = {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": list(self.data),
            "notDataActions": [],
        }
        if self.condition:
            permission |= {"conditionVersion": "2.0", "condition": self.condition}
        return {
            "properties": {
                "roleName": self.name,
                "type": "BuiltInRole",
                "description": DESCRIPTIONS.get(self.guid, ""),
                "assignableScopes": ["/"],
                "permissions": [permission],
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2021-11-11T20:13:00.0000000Z",
                "createdBy": None,
                "updatedBy": None,
            },
            "id": f"{scope}/providers/{AUTHORIZATION}/{self.guid}",
            "type": AUTHORIZATION,
            "name": self.guid,
        }


def _each(prefix: str, words: str, suffix: str = "") -> tuple[str, ...]:
    """`prefix/word` for each word."""
    return tuple(f"{prefix}/{word}{suffix}" for word in words.split())


def _delegation(*roles: str) -> str:
    """The condition of roles that may give and take only certain other roles, as recorded."""
    among = "[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals"
    both = (
        f"((!(ActionMatches{{'{action}'}})) OR ({source}{among}{{{', '.join(roles)}}}))"
        for action, source in zip(ASSIGN, ("@Request", "@Resource"), strict=True)
    )
    return " AND ".join(both)


OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ADMINISTRATOR, READER = "00482a5a-887f-4fb3-b363-3b7fe8e74483", "21090545-7ca7-4776-b22c-e363652d74d2"
SERVICE_USER, CRYPTO_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6", "12338af0-0e69-4776-bea7-57ae8d297424"
CRYPTO_OFFICER, CERTIFICATES_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "a4417e6f-fecd-4de8-b567-7b0420556985"
SECRETS_OFFICER, SECRETS_USER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "4633458b-17de-408a-b874-0445c86b69e6"

GENERAL = (
    Builtin(OWNER, "Owner", ("*",)),
    Builtin(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        ("*",),
        (
            *_each("Microsoft.Authorization", "*/Delete */Write elevateAccess/Action"),
            *_each("Microsoft.Blueprint/blueprintAssignments", "write delete"),
            "Microsoft.Compute/galleries/share/action",
            *_each("Microsoft.Purview/consents", "write delete"),
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            *_each("Microsoft.Subscription", "cancel enable", "/action"),
        ),
    ),
    Builtin("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", ("*/read",)),
    Builtin(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        ("*/read", "Microsoft.Authorization/*", SUPPORT),
    ),
    Builtin(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        (*ASSIGN, "*/read", SUPPORT),
    ),
    Builtin(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        (*_each(IDENTITIES, "*/read */assign/action"), AUTH_READ, ALERTS, GROUP_READ, DEPLOY, SUPPORT),
    ),
    Builtin(
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Managed Identity Contributor",
        (
            *_each(IDENTITIES, "read write delete"),
            *_each(f"{IDENTITIES}/federatedIdentityCredentials", "read write delete"),
            f"{IDENTITIES}/revokeTokens/action",
            *(AUTH_READ, ALERTS, GROUP_READ, DEPLOY, SUPPORT),
        ),
    ),
)
VAULT = (
    Builtin(
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        "Key Vault Contributor",
        (AUTH_READ, ALERTS, "Microsoft.KeyVault/*", DEPLOY, GROUP_READ, SUPPORT),
        _each("Microsoft.KeyVault", "locations/deletedVaults/purge/action hsmPools/* managedHsms/*"),
    ),
    Builtin(ADMINISTRATOR, "Key Vault Administrator", VAULT_READS, data=(f"{VAULTS}/*",)),
    Builtin(READER, "Key Vault Reader", VAULT_READS, data=(f"{VAULTS}/*/read", f"{SECRETS}/readMetadata/action")),
    Builtin(
        SERVICE_USER,
        "Key Vault Crypto Service Encryption User",
        _each("Microsoft.EventGrid/eventSubscriptions", "write read delete"),
        data=_each(KEYS, "read wrap/action unwrap/action"),
    ),
    Builtin(
        CRYPTO_USER,
        "Key Vault Crypto User",
        data=(f"{KEYS}/read", *_each(KEYS, "update backup encrypt decrypt wrap unwrap sign verify", "/action")),
    ),
    Builtin(
        CRYPTO_OFFICER, "Key Vault Crypto Officer", VAULT_READS, data=(f"{KEYS}/*", f"{VAULTS}/keyrotationpolicies/*")
    ),
    Builtin(
        "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
        "Key Vault Crypto Service Release User",
        data=(f"{KEYS}/release/action",),
    ),
    Builtin(SECRETS_OFFICER, "Key Vault Secrets Officer", VAULT_READS, data=(f"{SECRETS}/*",)),
    Builtin(SECRETS_USER, "Key Vault Secrets User", data=_each(SECRETS, "getSecret readMetadata", "/action")),
    Builtin(
        CERTIFICATES_OFFICER,
        "Key Vault Certificates Officer",
        VAULT_READS,
        data=_each(VAULTS, "certificatecas/* certificates/* certificatecontacts/write"),
    ),
    Builtin(
        "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        "Key Vault Certificate User",
        data=(f"{VAULTS}/certificates/read", *_each(SECRETS, "getSecret readMetadata", "/action"), f"{KEYS}/read"),
    ),
    Builtin(
        "8b54135c-b56d-4d72-a534-26097cfdc8d8",
        "Key Vault Data Access Administrator",
        (
            *(*ASSIGN, AUTH_READ, DEPLOY, GROUP_READ),
            *("Microsoft.Resources/subscriptions/read", "Microsoft.Management/managementGroups/read"),
            *(DEPLOY, SUPPORT, f"{VAULTS}/*/read"),
        ),
        condition=_delegation(
            *(ADMINISTRATOR, CERTIFICATES_OFFICER, CRYPTO_OFFICER, SERVICE_USER),
            *(CRYPTO_USER, READER, SECRETS_OFFICER, SECRETS_USER),
        ),
    ),
    Builtin(
        "a68e7c17-0ab2-4c09-9a58-125dae29748c",
        "Key Vault Purge Operator",
        (
            *COMMON,
            "Microsoft.KeyVault/deletedVaults/read",
            *_each(
                "Microsoft.KeyVault/locations", "deletedVaults/read deletedVaults/purge/action operationResults/read"
            ),
        ),
    ),
)
DATA = (
    Builtin(
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "Storage Queue Data Contributor",
        _each(QUEUES, "delete read write"),
        data=_each(f"{QUEUES}/messages", "delete read write process/action"),
    ),
    Builtin(
        "8a0f0c08-91a1-4084-bc3d-661d67233fed",
        "Storage Queue Data Message Processor",
        data=_each(f"{QUEUES}/messages", "read process/action"),
    ),
    Builtin(
        "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
        "Storage Queue Data Message Sender",
        data=(f"{QUEUES}/messages/add/action",),
    ),
    Builtin(
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "Storage Table Data Contributor",
        _each(TABLES, "read write delete"),
        data=_each(f"{TABLES}/entities", "read write delete add/action update/action"),
    ),
    Builtin(
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Storage Blob Data Owner",
        (f"{BLOBS}/*", f"{STORAGE}/blobServices/generateUserDelegationKey/action"),
        data=(f"{BLOBS}/blobs/*",),
    ),
    Builtin(
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Contributor",
        (*_each(BLOBS, "delete read write"), f"{STORAGE}/blobServices/generateUserDelegationKey/action"),
        data=_each(f"{BLOBS}/blobs", "delete read write move/action add/action"),
    ),
    Builtin(
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", ("*/read", f"{INSIGHTS}/search/action", SUPPORT)
    ),
    Builtin(
        "73c42c96-874c-492b-b04d-ab87d138a893",
        "Log Analytics Reader",
        ("*/read", *_each(INSIGHTS, "analytics/query/action search/action"), SUPPORT),
        (f"{INSIGHTS}/sharedKeys/read",),
    ),
    Builtin(
        "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
        "Log Analytics Contributor",
        (
            *("*/read", "Microsoft.ClassicCompute/virtualMachines/extensions/*"),
            *(
                "Microsoft.ClassicStorage/storageAccounts/listKeys/action",
                "Microsoft.Compute/virtualMachines/extensions/*",
            ),
            *("Microsoft.HybridCompute/machines/extensions/write", ALERTS, "Microsoft.Insights/diagnosticSettings/*"),
            *("Microsoft.OperationalInsights/*", "Microsoft.OperationsManagement/*", DEPLOY),
            "Microsoft.Resources/subscriptions/resourcegroups/deployments/*",
            *(f"{STORAGE}/listKeys/action", SUPPORT),
        ),
    ),
    Builtin(
        "428e0ff0-5e57-4d9c-a221-2c70d0e0a443",
        "EventGrid EventSubscription Contributor",
        (
            AUTH_READ,
            *_each("Microsoft.EventGrid", "eventSubscriptions/* topicTypes/eventSubscriptions/read"),
            *_each("Microsoft.EventGrid/locations", "eventSubscriptions/read topicTypes/eventSubscriptions/read"),
            *(ALERTS, DEPLOY, GROUP_READ, SUPPORT),
        ),
    ),
)
BUILTIN = (*GENERAL, *VAULT, *DATA)
