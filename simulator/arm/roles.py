"""Azure's built-in roles, as far as this tenant knows them: GUID, actions, data actions (AZURE 3.1).

Only what decides is kept. Descriptions and dates are left out: nothing here reads them.
"""

from typing import NamedTuple

from simulator.arm.answer import Json

AUTHORIZATION = "Microsoft.Authorization/roleDefinitions"
KEYS = "Microsoft.KeyVault/vaults/keys"
SECRETS = "Microsoft.KeyVault/vaults/secrets"
# Control-plane reads that most Key Vault roles share.
VAULT_READS = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    "Microsoft.KeyVault/vaults/*/read",
    "Microsoft.KeyVault/operations/read",
)
EVENTS = tuple(f"Microsoft.EventGrid/eventSubscriptions/{verb}" for verb in ("write", "read", "delete"))


class Builtin(NamedTuple):
    """One role."""

    guid: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data: tuple[str, ...] = ()

    def body(self, scope: str) -> Json:
        """As a GET of roleDefinitions shows it at a scope."""
        return {
            "properties": {
                "roleName": self.name,
                "type": "BuiltInRole",
                "description": "",
                "assignableScopes": ["/"],
                "permissions": [
                    {
                        "actions": list(self.actions),
                        "notActions": list(self.not_actions),
                        "dataActions": list(self.data),
                        "notDataActions": [],
                    }
                ],
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2021-11-11T20:13:00.0000000Z",
                "createdBy": None,
                "updatedBy": None,
            },
            "id": f"{scope}/providers/{AUTHORIZATION}/{self.guid}",
            "type": AUTHORIZATION,
            "name": self.guid,
        }


OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

BUILTIN = (
    Builtin(OWNER, "Owner", ("*",)),
    Builtin(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
        ),
    ),
    Builtin("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", ("*/read",)),
    Builtin(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        ("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    Builtin(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    Builtin(
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        "Key Vault Contributor",
        (*VAULT_READS[:5], "Microsoft.KeyVault/*"),
        (
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/hsmPools/*",
            "Microsoft.KeyVault/managedHsms/*",
        ),
    ),
    Builtin(
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        VAULT_READS,
        (),
        ("Microsoft.KeyVault/vaults/*",),
    ),
    Builtin(
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        VAULT_READS,
        (),
        ("Microsoft.KeyVault/vaults/*/read", f"{SECRETS}/readMetadata/action"),
    ),
    Builtin(
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        "Key Vault Crypto Service Encryption User",
        EVENTS,
        (),
        (f"{KEYS}/read", f"{KEYS}/wrap/action", f"{KEYS}/unwrap/action"),
    ),
    Builtin(
        "12338af0-0e69-4776-bea7-57ae8d297424",
        "Key Vault Crypto User",
        (),
        (),
        (
            f"{KEYS}/read",
            *(
                f"{KEYS}/{verb}/action"
                for verb in ("update", "backup", "encrypt", "decrypt", "wrap", "unwrap", "sign", "verify")
            ),
        ),
    ),
    Builtin(
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        "Key Vault Crypto Officer",
        VAULT_READS,
        (),
        (f"{KEYS}/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"),
    ),
    Builtin(
        "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
        "Key Vault Crypto Service Release User",
        (),
        (),
        (f"{KEYS}/release/action",),
    ),
    Builtin(
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        VAULT_READS,
        (),
        (f"{SECRETS}/*",),
    ),
    Builtin(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        (),
        (),
        (f"{SECRETS}/getSecret/action", f"{SECRETS}/readMetadata/action"),
    ),
    Builtin(
        "a4417e6f-fecd-4de8-b567-7b0420556985",
        "Key Vault Certificates Officer",
        VAULT_READS,
        (),
        (
            "Microsoft.KeyVault/vaults/certificatecas/*",
            "Microsoft.KeyVault/vaults/certificates/*",
            "Microsoft.KeyVault/vaults/certificatecontacts/write",
        ),
    ),
    Builtin(
        "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        "Key Vault Certificate User",
        (),
        (),
        (
            "Microsoft.KeyVault/vaults/certificates/read",
            f"{SECRETS}/getSecret/action",
            f"{SECRETS}/readMetadata/action",
            f"{KEYS}/read",
        ),
    ),
    Builtin(
        "8b54135c-b56d-4d72-a534-26097cfdc8d8",
        "Key Vault Data Access Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            *VAULT_READS,
        ),
    ),
    Builtin(
        "a68e7c17-0ab2-4c09-9a58-125dae29748c",
        "Key Vault Purge Operator",
        (
            "Microsoft.KeyVault/locations/deletedVaults/*/read",
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
        ),
    ),
    Builtin(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        ),
    ),
    Builtin("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", ("*/read", "Microsoft.Support/*")),
)
