"""A short play that asks something of every provider, and the answers with what the server invents taken out."""

from typing import Any

import requests

from tests.simulator.truth import shape

SUB = "22222222-0000-4000-8000-000000000001"
TENANT = "11111111-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUB}/resourceGroups/play"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/play-vault"
SPACE = f"{GROUP}/providers/Microsoft.Databricks/workspaces/play"
ROLE = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
GUID = "00000000-0000-4000-8000-0000000000ab"
SOMEBODY = "33333333-0000-4000-8000-00000000000a"
RIGHTS = {"keys": ["get", "list"]}
PROPERTIES = {
    "tenantId": TENANT,
    "sku": {"family": "A", "name": "standard"},
    "accessPolicies": [{"tenantId": TENANT, "objectId": SOMEBODY, "permissions": RIGHTS}],
}
KEY = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": {
    "keyName": "k", "keyVersion": "v" * 32, "keyVaultUri": "https://play-vault.vault.azure.net/"}}  # fmt: skip
WORKSPACE: dict[str, Any] = {
    "location": "westeurope",
    "sku": {"name": "premium"},
    "properties": {
        "managedResourceGroupId": f"/subscriptions/{SUB}/resourceGroups/managed",
        "parameters": {"prepareEncryption": {"value": True}},
    },
}
KUSTO = {
    "subscriptions": [SUB],
    "query": "resources | where type =~ 'microsoft.keyvault/vaults' | project name, location",
}
Step = tuple[str, str, str, Any]
STEPS: tuple[Step, ...] = (
    ("GET", "/subscriptions", "2022-12-01", None),
    ("GET", f"/subscriptions/{SUB}", "2022-12-01", None),
    ("GET", f"/subscriptions/{SUB}/providers", "2022-12-01", None),
    ("PUT", GROUP, "2022-12-01", {"location": "westeurope", "tags": {"a": "b"}}),
    ("GET", f"/subscriptions/{SUB}/resourceGroups", "2022-12-01", None),
    ("PUT", VAULT, "2023-07-01", {"location": "westeurope", "properties": PROPERTIES}),
    ("PUT", VAULT, "2023-07-01", {"location": "westeurope", "properties": {"sku": 1}}),
    ("PATCH", VAULT, "2023-07-01", {"properties": {"enablePurgeProtection": False}}),
    ("PATCH", VAULT, "2023-07-01", {"properties": {"enablePurgeProtection": True}}),
    ("GET", VAULT, "2023-07-01", None),
    ("GET", VAULT, "", None),
    ("GET", f"{VAULT}-not", "2023-07-01", None),
    ("PUT", f"{VAULT}/accessPolicies/add", "2023-07-01", {"properties": {"accessPolicies": PROPERTIES["accessPolicies"]}}),
    ("GET", f"{GROUP}/providers/Microsoft.KeyVault/vaults", "2023-07-01", None),
    ("PUT", f"{VAULT}/keys/k", "2023-07-01", {"properties": {"kty": "RSA"}}),
    ("GET", f"{VAULT}/keys", "2023-07-01", None),
    ("POST", f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/checkNameAvailability", "2023-07-01",
     {"name": "play-vault", "type": "Microsoft.KeyVault/vaults"}),
    ("PUT", f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i", "2024-11-30", {"location": "westeurope"}),
    ("GET", f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", "2024-11-30", None),
    ("PUT", SPACE, "2026-01-01", {**WORKSPACE, "sku": {"name": "gold"}}),
    ("PUT", SPACE, "2024-05-01", WORKSPACE),
    ("GET", SPACE, "2024-05-01", None),
    ("PUT", SPACE, "2024-05-01",
     {**WORKSPACE, "properties": {**WORKSPACE["properties"], "encryption": {"entities": {"managedServices": KEY}}}}),
    ("PATCH", SPACE, "2024-05-01", {"tags": {"x": "y"}}),
    ("GET", f"{GROUP}/providers/Microsoft.Databricks/workspaces", "2024-05-01", None),
    ("PUT", f"{GROUP}/providers/Microsoft.Databricks/accessConnectors/c", "2024-05-01", {"location": "westeurope"}),
    ("PUT", f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/d", "2023-04-02",
     {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"activeKey": {
         "sourceVault": {"id": VAULT}, "keyUrl": "https://play-vault.vault.azure.net/keys/k/" + "v" * 32}}}),
    ("GET", "/providers/Microsoft.Authorization/roleDefinitions", "2022-04-01", None),
    ("GET", ROLE, "2022-04-01", None),
    ("PUT", f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{GUID}", "2022-04-01",
     {"properties": {"roleDefinitionId": ROLE, "principalId": SOMEBODY, "principalType": "ServicePrincipal"}}),
    ("GET", f"{GROUP}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01", None),
    ("PUT", f"{GROUP}/providers/Microsoft.Authorization/locks/l", "2020-05-01", {"properties": {"level": "CanNotDelete"}}),
    ("DELETE", VAULT, "2023-07-01", None),
    ("DELETE", f"{GROUP}/providers/Microsoft.Authorization/locks/l", "2020-05-01", None),
    ("POST", "/providers/Microsoft.ResourceGraph/resources", "2021-03-01", KUSTO),
    ("POST", "/providers/Microsoft.ResourceGraph/resources", "2021-03-01", {**KUSTO, "query": "resources |"}),
    ("GET", f"/subscriptions/{SUB}/resources", "2021-04-01", None),
    ("DELETE", VAULT, "2023-07-01", None),
    ("GET", f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/deletedVaults", "2023-07-01", None),
    ("POST", f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/play-vault/purge",
     "2023-07-01", None),
    ("GET", f"{GROUP}/providers/Microsoft.Unknown/things/t", "2023-07-01", None),
    ("DELETE", SPACE, "2024-05-01", None),
    ("GET", "/common/discovery/v2.0/keys", "2023-07-01", None),
)  # fmt: skip


def play(arm: str, token: str, ca: str) -> list[Any]:
    """Every answer, without inventions: status, headers that matter, body."""
    session = requests.Session()
    session.trust_env = False
    answers = []
    for method, path, version, body in STEPS:
        reply = session.request(
            method,
            arm + path,
            params={"api-version": version} if version else None,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            verify=ca,
        )
        lower = {name.lower(): value for name, value in reply.headers.items()}
        kept = {name: shape.form(lower[name]) for name in shape.HEADERS if name in lower}
        answers.append((method, path, reply.status_code, kept, shape.abstract(reply.json() if reply.content else None)))
    session.close()
    return answers
