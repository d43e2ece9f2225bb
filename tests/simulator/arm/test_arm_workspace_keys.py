"""Keys behind the layers: what fails an operation and in which words, what nobody checks, and when a cluster starts."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.simulator.arm.bricks import (
    API,
    DATABRICKS,
    GROUP,
    PROTECTED,
    VERSION,
    assign,
    client,
    cluster,
    dbfs,
    done,
    grant,
    hybrid,
    key_vault,
    layer,
    outcome,
    place,
    put,
    revoke,
    seed_key,
    serverless,
    shown,
    values,
)
from tests.simulator.arm.stage import SUB, TENANT, Stage

FAILED = "ApplianceProvisioningFailed"
PREREQUISITES = "Missing pre-requisites to enable EncryptionAtRest/Customer Managed Key for this storage account."
AUTHENTICATION = "The operation failed because of authentication issue on the keyvault"


def services(kv: str, version: str = VERSION) -> dict[str, Any]:
    """The encryption of managed services."""
    return {"entities": {"managedServices": layer(kv, version=version)}}


def failure(stage: Stage, name: str, body: dict[str, Any]) -> str:
    """The text of an operation that fails, without the frame that names the workspace."""
    ended = outcome(stage, put(stage, name, body))
    assert (ended["status"], ended["error"]["code"], ended["error"]["details"]) == ("Failed", FAILED, [])
    text: str = ended["error"]["message"]
    frame = f"Unable to perform update operation for the workspace : '{place(stage, name)}' failed : '"
    assert text.startswith(frame), text
    return text.removeprefix(frame).removesuffix("'.")


def storage(stage: Stage, name: str) -> str:
    """The object id of the account behind DBFS."""
    return str(shown(stage, name)["properties"]["storageAccountIdentity"]["principalId"])


def state(stage: Stage, name: str) -> Any:
    """The provisioning state."""
    return shown(stage, name)["properties"]["provisioningState"]


def prepared(stage: Stage, name: str) -> str:
    """A workspace that is ready for a key behind DBFS; returns the account's identity."""
    done(stage, name, hybrid(name, parameters={"prepareEncryption": {"value": True}}))
    return storage(stage, name)


def test_managed_services_without_a_grant(stage: Stage) -> None:
    """Databricks tries the key at once and says which right it lacks (Azure/azure-powershell#22898)."""
    vault = key_vault(stage, "kvb-ms1")
    done(stage, "ws-ms1", hybrid("ws-ms1"))
    grant(stage, vault, DATABRICKS, ("wrapKey", "unwrapKey"))

    text = failure(stage, "ws-ms1", hybrid("ws-ms1", encryption=services("kvb-ms1")))

    assert text == (
        "PERMISSION_DENIED: Invalid permissions on the specified KeyVault https://kvb-ms1.vault.azure.net/. Please give "
        "Databricks the following access permissions to the given KeyVault: [Get, Wrap, Unwrap]. Wrapped Message: "
        'Status code 403, {"error":{"code":"Forbidden","message":"The user, group or application '
        f"'name=AzureDatabricks;appid=2ff814a6-3304-4ab8-85cb-cd0e6f879c1d;oid={DATABRICKS};"
        f"iss=https://sts.windows.net/{TENANT}/' does not have keys get permission on key vault "
        "'kvb-ms1;location=westeurope'. For help resolving this issue, please see "
        'https://go.microsoft.com/fwlink/?linkid=2125287","innererror":{"code":"AccessDenied"}}}'
    )
    assert state(stage, "ws-ms1") == "Failed"
    assert "encryption" not in shown(stage, "ws-ms1")["properties"]
    grant(stage, vault, DATABRICKS)
    healed = done(stage, "ws-ms1", hybrid("ws-ms1", encryption=services("kvb-ms1")))
    assert healed["properties"]["provisioningState"] == "Succeeded"


def test_the_sdk_sees_a_failure_with_status_200(stage: Stage) -> None:
    """AZURE 0, hazard 9: the reason is in the body, not in the status."""
    key_vault(stage, "kvb-ms2")
    body: Any = hybrid("ws-ms2", encryption=services("kvb-ms2"))

    with pytest.raises(HttpResponseError) as caught:
        client(stage).workspaces.begin_create_or_update(GROUP, "ws-ms2", body).result(10)

    assert caught.value.status_code == 200
    assert caught.value.error
    assert caught.value.error.code == FAILED
    assert str(caught.value.error.message).startswith("PERMISSION_DENIED: Invalid permissions")


@pytest.mark.parametrize(
    ("kv", "version", "said"),
    [
        ("kvb-nowhere", VERSION, 'Status code 404, {"error":{"code":"VaultNotFound"'),
        (
            "kvb-ms3",
            "f" * 32,
            'Status code 404, {"error":{"code":"KeyNotFound","message":"A key with (name/id) cmk/ffff',
        ),
        ("kvb-ms4", VERSION, "Operation wrapKey is not allowed on a disabled key."),
        ("kvb-ms8", VERSION, "Operation wrapKey is not allowed on an expired key."),
        ("kvb-ms9", VERSION, "Operation unwrapKey is not permitted on this key."),
        ("kvb-ms5", VERSION, 'Status code 401, {"error":{"code":"Unauthorized","message":"AKV10032: Invalid issuer.'),
    ],
)
def test_managed_services_with_a_key_that_is_not_there(stage: Stage, kv: str, version: str, said: str) -> None:
    """No vault, no version, a key that is off, expired or meant for less, another tenant: the frame is the same."""
    for each, more in (
        ("kvb-ms3", {}),
        ("kvb-ms4", {}),
        ("kvb-ms5", {"tenantId": SUB}),
        ("kvb-ms8", {}),
        ("kvb-ms9", {}),
    ):
        grant(stage, key_vault(stage, each, **more), DATABRICKS)
    vaults = f"{stage.group(GROUP)}/providers/Microsoft.KeyVault/vaults"
    seed_key(stage, f"{vaults}/kvb-ms4/keys/cmk", VERSION, enabled=False)
    seed_key(stage, f"{vaults}/kvb-ms8/keys/cmk", VERSION, exp=1)
    seed_key(stage, f"{vaults}/kvb-ms9/keys/cmk", VERSION, ops=("wrapKey",))
    name = f"ws-ms3-{kv}"
    done(stage, name, hybrid(name))

    text = failure(stage, name, hybrid(name, encryption=services(kv, version)))

    assert text.startswith(f"PERMISSION_DENIED: Invalid permissions on the specified KeyVault https://{kv}.vault")
    assert said in text


def test_a_closed_vault_lets_trusted_services_by(stage: Stage) -> None:
    """Unless it is told not to (AZURE 1.5)."""
    closed: dict[str, Any] = {"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"}}
    shut: dict[str, Any] = {"networkAcls": {"defaultAction": "Deny", "bypass": "None"}}
    for name, properties in (("kvb-net1", closed), ("kvb-net2", shut)):
        grant(stage, key_vault(stage, name, **properties), DATABRICKS)
    done(stage, "ws-net2", hybrid("ws-net2"))

    assert done(stage, "ws-net1", serverless(encryption=services("kvb-net1")))
    assert "ForbiddenByFirewall" in failure(stage, "ws-net2", hybrid("ws-net2", encryption=services("kvb-net2")))


def test_managed_services_do_not_ask_for_purge_protection(stage: Stage) -> None:
    """AZURE 0, hazard 16; a role assignment counts on an RBAC vault."""
    vault = key_vault(stage, "kvb-ms6", enableRbacAuthorization=True)
    assign(stage, vault, DATABRICKS)

    made = done(stage, "ws-ms6", serverless(encryption=services("kvb-ms6")))

    assert "enablePurgeProtection" not in stage.call("GET", vault).json()["properties"]
    assert made["properties"]["encryption"] == services("kvb-ms6")


def test_a_creation_that_fails_leaves_a_failed_workspace(stage: Stage) -> None:
    """It can be read, is no workspace yet, can be put again, and can be deleted."""
    vault = key_vault(stage, "kvb-ms7")
    body = hybrid("ws-ms7", encryption=services("kvb-ms7"))
    ended = outcome(stage, put(stage, "ws-ms7", body))
    failed = shown(stage, "ws-ms7")["properties"]
    start = cluster(stage, "ws-ms7")
    grant(stage, vault, DATABRICKS)
    again = done(stage, "ws-ms7", body)["properties"]

    assert ended["error"]["message"].startswith("PERMISSION_DENIED")
    assert (failed["provisioningState"], "workspaceUrl" in failed) == ("Failed", False)
    assert "associated worker environments" in start["error"]["message"]
    assert (again["provisioningState"], "workspaceUrl" in again) == ("Succeeded", True)


def test_a_managed_group_that_exists_fails_the_creation(stage: Stage) -> None:
    """pulumi/pulumi-azure-native#3643; also when another workspace owns it, and whatever is deleted then stays."""
    done(stage, "ws-mrg1", hybrid("ws-mrg1"))
    theirs = shown(stage, "ws-mrg1")["properties"]["managedResourceGroupId"]
    body = hybrid("x", managedResourceGroupId=theirs)
    ended = [outcome(stage, put(stage, "ws-mrg2", body)) for _ in range(2)]
    outcome(stage, stage.call("DELETE", place(stage, "ws-mrg2"), version=API))

    said = f"The managed resource group '{theirs}' already exists. Please specify a new non-existent managed "
    assert [each["error"]["message"] for each in ended] == [said + "resource group"] * 2
    assert stage.call("GET", theirs).status_code == 200


@pytest.mark.parametrize("properties", [{}, {"enableSoftDelete": True}])
def test_dbfs_needs_a_protected_vault(stage: Stage, properties: dict[str, Any]) -> None:
    """Without purge protection the storage account refuses, and the workspace stays Failed (AZURE 1.6)."""
    name = f"db1-{len(properties)}"
    vault = key_vault(stage, f"kvb-{name}", **properties)
    grant(stage, vault, prepared(stage, f"ws-{name}"))
    before = shown(stage, f"ws-{name}")["properties"]

    text = failure(stage, f"ws-{name}", hybrid(f"ws-{name}", parameters=dbfs(f"kvb-{name}")))

    account = before["parameters"]["storageAccountName"]["value"]
    assert text == f"Unable to update storage account '{account}': '{PREREQUISITES}'"
    assert shown(stage, f"ws-{name}")["properties"] == {**before, "provisioningState": "Failed"}


def test_dbfs_needs_an_identity_first(stage: Stage) -> None:
    """Without prepareEncryption there is nobody to grant anything to."""
    key_vault(stage, "kvb-db2", **PROTECTED)
    done(stage, "ws-db2", hybrid("ws-db2"))
    unprepared = dbfs("kvb-db2") | {"prepareEncryption": {"value": False}}

    assert PREREQUISITES in failure(stage, "ws-db2", hybrid("ws-db2", parameters=unprepared))
    assert AUTHENTICATION in failure(stage, "ws-db2", hybrid("ws-db2", parameters=dbfs("kvb-db2")))


@pytest.mark.parametrize("rights", [(), ("get", "wrapKey"), ("get", "unwrapKey", "sign")])
def test_dbfs_needs_all_three_rights(stage: Stage, rights: tuple[str, ...]) -> None:
    """PowerShell/PowerShell#20404."""
    name = f"db3-{len(rights)}"
    vault = key_vault(stage, f"kvb-{name}", **PROTECTED)
    grant(stage, vault, prepared(stage, f"ws-{name}"), rights)

    assert AUTHENTICATION in failure(stage, f"ws-{name}", hybrid(f"ws-{name}", parameters=dbfs(f"kvb-{name}")))
    assert state(stage, f"ws-{name}") == "Failed"


@pytest.mark.parametrize(
    ("kv", "key", "said"),
    [
        ("kvb-nowhere", "cmk", "The key vault vault is not found."),
        ("[x", "cmk", "The key vault vault is not found."),
        ("kvb-db4", "none", "The key vault key is not found to unwrap the encryption key."),
        ("kvb-db5", "cmk", AUTHENTICATION),
    ],
)
def test_dbfs_with_a_key_that_is_not_there(stage: Stage, kv: str, key: str, said: str) -> None:
    """No vault, no key, a vault of another tenant."""
    name = f"ws-db4-{kv.strip('[')}-{key}"
    oid = prepared(stage, name)
    for each, more in (("kvb-db4", {}), ("kvb-db5", {"tenantId": SUB})):
        grant(stage, key_vault(stage, each, **PROTECTED, **more), oid)

    assert f"': '{said}'" in failure(stage, name, hybrid(name, parameters=dbfs(kv, key)))


def test_dbfs_goes_back_and_keeps_its_identity(stage: Stage) -> None:
    """KeySource Default; while it runs the old key's fields are still there, afterwards none of them (INDEX, shape 3)."""
    vault = key_vault(stage, "kvb-db6", **PROTECTED)
    oid = prepared(stage, "ws-db6")
    grant(stage, vault, oid)
    on = values(done(stage, "ws-db6", hybrid("ws-db6", parameters=dbfs("kvb-db6", version=""))))["encryption"]
    account = f"/subscriptions/{SUB}/resourceGroups/mrg-ws-db6/providers/Microsoft.Storage/storageAccounts/"
    account += values(shown(stage, "ws-db6"))["storageAccountName"]
    keyed = stage.call("GET", account).json()
    default = hybrid("ws-db6", parameters={"encryption": {"value": {"keySource": "Default"}}})
    answer = put(stage, "ws-db6", default)
    outcome(stage, answer)

    assert (on["keySource"], on["keyversion"]) == ("Microsoft.Keyvault", "")
    assert keyed["properties"]["encryption"]["keySource"] == "Microsoft.Keyvault"
    assert keyed["identity"]["principalId"] == oid
    assert answer.json()["properties"]["parameters"]["encryption"]["value"] == {**on, "keySource": "Default"}
    off = shown(stage, "ws-db6")["properties"]
    assert off["parameters"]["encryption"] == {"type": "Object", "value": {"keySource": "Default"}}
    assert off["parameters"]["prepareEncryption"]["value"] is True
    assert off["storageAccountIdentity"]["principalId"] == oid
    assert stage.call("GET", account).json()["properties"]["encryption"]["keySource"] == "Microsoft.Storage"


def test_a_disk_key_is_taken_unseen_and_the_cluster_finds_out(stage: Stage) -> None:
    """AZURE 0, hazard 1: Succeeded with a vault that is not there; KeyVaultAccessForbidden at the first start."""
    name = "ws-md1"
    done(stage, name, hybrid(name))
    before = cluster(stage, name)
    body = hybrid(name, encryption={"entities": {"managedDisk": layer("kvb-md1")}})
    made = done(stage, name, body)["properties"]
    without_vault = cluster(stage, name)
    vault = key_vault(stage, "kvb-md1")
    grant(stage, vault, made["managedDiskIdentity"]["principalId"], ("get", "wrapKey"))
    half = cluster(stage, name)
    grant(stage, vault, made["managedDiskIdentity"]["principalId"])
    granted = cluster(stage, name)
    revoke(stage, vault, made["managedDiskIdentity"]["principalId"])

    assert (before, granted) == ({"started": True}, {"started": True})
    assert without_vault == half == cluster(stage, name)
    assert half["error"] == {
        "code": "KeyVaultAccessForbidden",
        "message": f"Unable to access key vault resource 'https://kvb-md1.vault.azure.net/keys/cmk/{VERSION}' to enable "
        "encryption at rest. Please grant get, wrap and unwrap key permissions to disk encryption set "
        f"'{made['diskEncryptionSetId'].rsplit('/', 1)[-1]}'. "
        "Please visit https://aka.ms/keyvaultaccessssecmk for more information.",
    }


def test_a_new_disk_key_keeps_the_set_and_its_identity(stage: Stage) -> None:
    """A PUT with another version changes the active key only; with rotation the newest version is what counts."""
    name, other = "ws-md2", "f" * 32
    first = layer("kvb-md2", version=other, rotationToLatestKeyVersionEnabled=False)
    made = done(stage, name, hybrid(name, encryption={"entities": {"managedDisk": first}}))["properties"]
    grant(stage, key_vault(stage, "kvb-md2"), made["managedDiskIdentity"]["principalId"])
    stuck = cluster(stage, name)["started"]
    second = layer("kvb-md2", version=other, rotationToLatestKeyVersionEnabled=True)
    after = done(stage, name, hybrid(name, encryption={"entities": {"managedDisk": second}}))["properties"]

    assert (stuck, cluster(stage, name)["started"]) == (False, True)
    for each in ("managedDiskIdentity", "diskEncryptionSetId"):
        assert after[each] == made[each]
    assert stage.call("GET", after["diskEncryptionSetId"]).json()["properties"]["rotationToLatestKeyVersionEnabled"]


def test_a_cluster_of_no_workspace(stage: Stage) -> None:
    """Nothing starts where nothing is; serverless has no disks of its own."""
    done(stage, "ws-less2", serverless())

    assert cluster(stage, "ws-none")["error"]["code"] == "ResourceNotFound"
    assert cluster(stage, "ws-less2") == {"started": True}
