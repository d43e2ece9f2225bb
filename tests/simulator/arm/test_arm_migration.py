"""The migration recipe (AZURE 1.7) walked with the real clients: each step, and what happens when one is left out.

The workspace starts with nothing of its own; at the end all three layers use the customer's key and clusters start.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.databricks import AzureDatabricksManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient

from tests.simulator.arm.bricks import (
    API,
    CRYPTO_USER,
    DATABRICKS,
    GROUP,
    PREVIEW,
    client,
    cluster,
    dbfs,
    hybrid,
    layer,
    open_vault,
    seed_key,
)
from tests.simulator.arm.stage import SUB, TENANT, Owner, Stage

SERVED = (
    *("id", "name", "type", "systemData", "workspaceId", "workspaceUrl", "provisioningState", "createdBy", "updatedBy"),
    *("createdDateTime", "isUcEnabled", "storageAccountIdentity", "managedDiskIdentity", "diskEncryptionSetId"),
    *("privateEndpointConnections", "privateLinkAssets"),
)
NUMBERS = count()
READ_ONLY = ("resourceTags", "enableFedRampCertification")


class Migration:
    """One workspace on its way, with the clients that take it there."""

    def __init__(self, stage: Stage, version: str, *, rbac: bool) -> None:
        self.stage, self.rbac = stage, rbac
        number = next(NUMBERS)
        self.name, self.kv = f"ws-mig{number}", f"kvb-mig{number}"
        self.bricks: AzureDatabricksManagementClient = client(stage, version)
        self.vaults = KeyVaultManagementClient(Owner(stage.token("owner")), SUB, **stage.sdk())
        self.roles = AuthorizationManagementClient(Owner(stage.token("owner")), SUB, **stage.sdk())
        self.vault = open_vault(stage, self.kv, enableRbacAuthorization=rbac)
        self.version = self.make_key()

    def make_key(self) -> str:
        """The key, made only if there is none; returns its newest version."""
        wanted: Any = {"properties": {"kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"]}}
        made = self.vaults.keys.create_if_not_exist(GROUP, self.kv, "cmk", wanted)
        return str(made.properties.key_uri_with_version).rsplit("/", 1)[-1]

    def layers(self, *names: str) -> dict[str, Any]:
        """The entities of these layers."""
        return {"entities": {name: layer(self.kv, version=self.version) for name in names}}

    def dbfs(self) -> dict[str, Any]:
        """The parameters for the key behind DBFS."""
        return dbfs(self.kv, version=self.version)

    def read(self) -> dict[str, Any]:
        """A fresh GET, as wire JSON."""
        body: dict[str, Any] = self.bricks.workspaces.get(GROUP, self.name).as_dict()
        return body

    def put(self, **changes: Any) -> None:
        """The whole body from a fresh GET with what is to change; waits for the end."""
        body: Any = again(self.read())
        parameters = {**body["properties"]["parameters"], **changes.pop("parameters", {})}
        body["properties"] |= {"parameters": parameters, **changes}
        self.bricks.workspaces.begin_create_or_update(GROUP, self.name, body).result(10)

    def grant(self, principal: str) -> None:
        """Get, wrap and unwrap, in the vault's own model."""
        if self.rbac:
            role = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CRYPTO_USER}"
            wanted: Any = {
                "properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}
            }
            self.roles.role_assignments.create(self.vault, principal, wanted)
            return
        entry = {
            "tenantId": TENANT,
            "objectId": principal,
            "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]},
        }
        parameters: Any = {"properties": {"accessPolicies": [entry]}}
        self.vaults.vaults.update_access_policy(GROUP, self.kv, "add", parameters)

    def refused(self, **changes: Any) -> str:
        """A PUT whose operation fails; the text."""
        with pytest.raises(HttpResponseError) as caught:
            self.put(**changes)
        assert (caught.value.status_code, self.read()["properties"]["provisioningState"]) == (200, "Failed")
        assert caught.value.error
        return str(caught.value.error.message)


def again(body: dict[str, Any]) -> dict[str, Any]:
    """A body that may be PUT: the one that was read, without what the service owns (AZURE 1.7)."""
    kept = {name: each for name, each in body.items() if name not in SERVED}
    properties = {name: each for name, each in body["properties"].items() if name not in SERVED}
    parameters = {
        name: {"value": each["value"]} for name, each in properties["parameters"].items() if name not in READ_ONLY
    }
    return {**kept, "properties": {**properties, "parameters": parameters}}


@pytest.fixture(params=[(API, False), (API, True), (PREVIEW, False)], ids=["policies", "roles", "preview"])
def migration(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Migration]:
    """A plain premium workspace and a vault with a key that nobody may use."""
    version, rbac = request.param
    story = Migration(stage, version, rbac=rbac)
    body: Any = hybrid(story.name, tags={"owner": "team"}, publicNetworkAccess="Enabled", requiredNsgRules="AllRules")
    story.bricks.workspaces.begin_create_or_update(GROUP, story.name, body).result(10)
    yield story
    story.bricks.workspaces.begin_delete(GROUP, story.name).result(10)
    for each in (story.bricks, story.vaults, story.roles):
        each.close()


def test_the_recipe_brings_every_layer_over(migration: Migration) -> None:
    """Vault, grant, DBFS, managed services, disks: in this order nothing fails and nothing is lost."""
    before = migration.read()
    assert migration.make_key() == migration.version
    protection: Any = {"properties": {"enableSoftDelete": True, "enablePurgeProtection": True}}
    migration.vaults.vaults.update(GROUP, migration.kv, protection)
    migration.grant(DATABRICKS)

    migration.put(parameters={"prepareEncryption": {"value": True}})
    migration.grant(migration.read()["properties"]["storageAccountIdentity"]["principalId"])
    migration.put(parameters=migration.dbfs())
    migration.put(encryption=migration.layers("managedServices"))
    migration.put(encryption=migration.layers("managedServices", "managedDisk"))
    between = cluster(migration.stage, migration.name)
    migration.grant(migration.read()["properties"]["managedDiskIdentity"]["principalId"])

    after = migration.read()
    assert between["error"]["code"] == "KeyVaultAccessForbidden"
    assert cluster(migration.stage, migration.name) == {"started": True}
    assert after["properties"]["provisioningState"] == "Succeeded"
    assert after["properties"]["encryption"] == migration.layers("managedServices", "managedDisk")
    assert after["properties"]["parameters"]["encryption"]["value"] == migration.dbfs()["encryption"]["value"]
    for name in ("workspaceId", "workspaceUrl", "createdDateTime", "publicNetworkAccess", "managedResourceGroupId"):
        assert after["properties"][name] == before["properties"][name]
    for name, each in before["properties"]["parameters"].items():
        if name != "prepareEncryption":
            assert after["properties"]["parameters"][name] == each
    assert after["tags"] == {"owner": "team"}


def test_a_step_left_out_is_said_in_its_own_words(migration: Migration) -> None:
    """No grant, no protection, no entity carried along: each is refused, and doing it heals."""
    migration.put(parameters={"prepareEncryption": {"value": True}})
    identity = migration.read()["properties"]["storageAccountIdentity"]["principalId"]

    ungranted = migration.refused(encryption=migration.layers("managedServices"))
    migration.grant(DATABRICKS)
    migration.put(encryption=migration.layers("managedServices"))
    unprotected = migration.refused(parameters=migration.dbfs())
    protection: Any = {"properties": {"enableSoftDelete": True, "enablePurgeProtection": True}}
    migration.vaults.vaults.update(GROUP, migration.kv, protection)
    denied = migration.refused(parameters=migration.dbfs())
    migration.grant(identity)
    migration.put(parameters=migration.dbfs())
    migration.put(encryption=migration.layers("managedServices", "managedDisk"))
    with pytest.raises(HttpResponseError) as dropped:
        migration.put(encryption=migration.layers("managedServices"))

    assert "PERMISSION_DENIED: Invalid permissions on the specified KeyVault" in ungranted
    assert "Missing pre-requisites to enable EncryptionAtRest" in unprotected
    assert "The operation failed because of authentication issue on the keyvault" in denied
    assert dropped.value.error
    assert (dropped.value.status_code, dropped.value.error.code) == (400, "DiskEncryptionPropertiesRequired")
    assert migration.read()["properties"]["provisioningState"] == "Succeeded"


def test_each_step_may_be_done_twice(migration: Migration) -> None:
    """A run that starts over finds what is there: same identities, same set, same key."""
    migration.grant(DATABRICKS)
    for _ in range(2):
        migration.put(parameters={"prepareEncryption": {"value": True}})
        migration.put(encryption=migration.layers("managedServices", "managedDisk"))
    first = migration.read()
    migration.put()

    second = migration.read()
    for name in ("storageAccountIdentity", "managedDiskIdentity", "diskEncryptionSetId", "encryption", "parameters"):
        assert second["properties"][name] == first["properties"][name]


def test_managed_services_move_to_a_new_version(migration: Migration) -> None:
    """Rotation is a PUT of the next version; one that is not there is refused."""
    newer = "fedcba9876543210fedcba9876543210"
    migration.grant(DATABRICKS)
    migration.put(encryption=migration.layers("managedServices"))
    early = migration.refused(encryption={"entities": {"managedServices": layer(migration.kv, version=newer)}})
    kept = migration.read()["properties"]["encryption"]
    seed_key(migration.stage, f"{migration.vault}/keys/cmk", newer)
    migration.put(encryption={"entities": {"managedServices": layer(migration.kv, version=newer)}})

    now = migration.read()["properties"]["encryption"]["entities"]["managedServices"]["keyVaultProperties"]
    assert "KeyNotFound" in early
    assert kept["entities"]["managedServices"]["keyVaultProperties"]["keyVersion"] == migration.version
    assert now["keyVersion"] == newer
