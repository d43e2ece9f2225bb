"""Keys in Resource Manager with the real SDK: made once, read in many ways, gone and back with their vault."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys.crypto import KeyWrapAlgorithm
from azure.mgmt.keyvault import KeyVaultManagementClient

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage, vault
from tests.simulator.arm.vaultdoor import at, crypto, key_client, made_vault, seeded_key

ALL = ["all"]
SECRET = b"thirty-two bytes of a data key ."


def test_a_key_is_made_once(stage: Stage) -> None:
    """create_if_not_exist makes one key with one version; the second call returns it untouched."""
    vault_id = made_vault(stage, "kv-arm-1", softDeleteRetentionInDays=7)
    sent: Any = {
        "properties": {"kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"]},
        "tags": {"owner": "cmk"},
    }

    first = _client(stage).keys.create_if_not_exist("rg-keys", "kv-arm-1", "cmk", sent)
    second = stage.call("PUT", f"{vault_id}/keys/cmk", {"properties": {"kty": "RSA", "keySize": 4096}})
    read = _client(stage).keys.get("rg-keys", "kv-arm-1", "cmk")

    shown = second.json()["properties"]
    assert second.status_code == 200
    assert shown["keySize"] == 3072
    assert shown["keyUri"] == "https://kv-arm-1.vault.azure.net:443/keys/cmk"
    assert shown["keyUriWithVersion"].startswith("https://kv-arm-1.vault.azure.net:443/keys/cmk/")
    assert read.as_dict() == first.as_dict()
    assert second.json()["location"] == "westeurope"
    assert second.json()["tags"] == {"owner": "cmk"}
    assert shown["attributes"]["recoveryLevel"] == "CustomizedRecoverable+Purgeable"
    versions = list(_client(stage).keys.list_versions("rg-keys", "kv-arm-1", "cmk"))
    assert [each.key_uri_with_version for each in versions] == [shown["keyUriWithVersion"]]


def test_lists_are_short_and_come_in_pages(stage: Stage) -> None:
    """A row has attributes and addresses, nothing else (spec example listKeys.json)."""
    vault_id = made_vault(stage, "kv-arm-2", ALL)
    for number in range(5):
        seeded_key(stage, vault_id, f"k{number}")
    stage.tell("POST", "/knobs", {"page_size": 2})

    names = [each.name for each in _client(stage).keys.list("rg-keys", "kv-arm-2")]
    row = stage.call("GET", f"{vault_id}/keys").json()["value"][0]
    version = stage.call("GET", f"{vault_id}/keys/k0/versions").json()["value"][0]

    assert names == ["k0", "k1", "k2", "k3", "k4"]
    assert set(row["properties"]) == {"attributes", "keyUri"}
    assert set(version["properties"]) == {"attributes", "keyUri", "keyUriWithVersion"}
    assert version["type"] == "Microsoft.KeyVault/vaults/keys/versions"
    assert stage.call("GET", version["id"]).json()["properties"]["kty"] == "RSA"


def test_both_planes_show_the_same_key(stage: Stage) -> None:
    """A rotation at the vault is a new version in ARM; the rotation policy is one, in each plane's spelling."""
    vault_id = made_vault(stage, "kv-arm-3", ALL)
    policy = {
        "lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "rotate"}}],
        "attributes": {"expiryTime": "P2Y"},
    }
    sent = {"properties": {"kty": "RSA", "rotationPolicy": policy}}
    made = stage.call("PUT", f"{vault_id}/keys/cmk", sent).json()["properties"]

    rotated = key_client(stage, "kv-arm-3").rotate_key("cmk")

    seen = stage.call("GET", f"{vault_id}/keys/cmk").json()["properties"]
    assert made["rotationPolicy"]["lifetimeActions"] == policy["lifetimeActions"]
    assert rotated.id == seen["keyUriWithVersion"].replace(":443", "")
    assert seen["keyUriWithVersion"] != made["keyUriWithVersion"]
    assert seen["rotationPolicy"]["attributes"]["expiryTime"] == "P2Y"
    assert seen["attributes"]["exp"] - seen["attributes"]["created"] == 730 * 86_400
    at_vault = at(stage, "kv-arm-3", "GET", "/keys/cmk/rotationpolicy").json()
    assert at_vault["lifetimeActions"][0]["action"] == {"type": "Rotate"}
    assert at_vault["attributes"]["expiryTime"] == "P2Y"


def test_the_recovery_level_changes_with_the_vault(stage: Stage) -> None:
    """Turning purge protection on takes Purgeable away from the keys that are there."""
    vault_id = made_vault(stage, "kv-arm-4", ALL)
    seeded_key(stage, vault_id, "cmk", attributes={"recoveryLevel": "Purgeable"})

    before = _level(stage, f"{vault_id}/keys/cmk")
    stage.call("PATCH", vault_id, {"properties": {"enablePurgeProtection": True}})

    assert before == "Recoverable+Purgeable"
    assert _level(stage, f"{vault_id}/keys/cmk") == "Recoverable"


def test_keys_go_and_come_back_with_their_vault(stage: Stage) -> None:
    """Soft-deleted with it; recovered with every version and its secret; a role at the key is gone for good."""
    vault_id = made_vault(stage, "kv-arm-5", ALL)
    client = key_client(stage, "kv-arm-5")
    old, new = client.create_rsa_key("cmk"), client.create_rsa_key("cmk")
    client.create_rsa_key("other")
    client.begin_delete_key("other").wait()
    sealed = crypto(stage, old).wrap_key(KeyWrapAlgorithm.rsa_oaep, SECRET)
    role = f"{vault_id}/keys/cmk/providers/Microsoft.Authorization/roleAssignments/{TENANT}"
    _grant(stage, role)

    stage.call("DELETE", vault_id)
    gone = stage.call("GET", f"{vault_id}/keys/cmk")
    stage.call("PUT", vault_id, vault(createMode="recover"))

    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "ParentResourceNotFound")
    assert client.get_key("cmk").id == new.id
    assert [each.name for each in client.list_deleted_keys()] == ["other"]
    assert crypto(stage, old).unwrap_key(KeyWrapAlgorithm.rsa_oaep, sealed.encrypted_key).key == SECRET
    assert stage.call("GET", role, version="2022-04-01").status_code == 404


def test_purging_a_vault_destroys_its_keys(stage: Stage) -> None:
    """A vault of the same name starts with none."""
    vault_id = made_vault(stage, "kv-arm-6", ALL)
    client = key_client(stage, "kv-arm-6")
    client.create_rsa_key("cmk")
    client.create_rsa_key("dead")
    client.begin_delete_key("dead").wait()

    stage.call("DELETE", vault_id)
    _client(stage).vaults.begin_purge_deleted("kv-arm-6", "westeurope").result(10)
    made_vault(stage, "kv-arm-6", ALL)

    assert list(client.list_properties_of_keys()) == []
    assert list(client.list_deleted_keys()) == []


def test_a_purged_key_is_gone_even_if_its_name_returns(stage: Stage) -> None:
    """A key seeded again under the same version has another secret: what was wrapped before stays shut."""
    uri = f"https://kv-arm-14.vault.azure.net:443/keys/cmk/{'a' * 32}"
    vault_id = made_vault(stage, "kv-arm-14", ALL)
    seeded_key(stage, vault_id, "cmk", keyUriWithVersion=uri)
    value = {"alg": "RSA-OAEP", "value": "AAAA"}
    sealed = at(stage, "kv-arm-14", "POST", "/keys/cmk/wrapkey", value).json()["value"]

    stage.call("DELETE", vault_id)
    _client(stage).vaults.begin_purge_deleted("kv-arm-14", "westeurope").result(10)
    made_vault(stage, "kv-arm-14", ALL)
    seeded_key(stage, vault_id, "cmk", keyUriWithVersion=uri)

    opened = at(stage, "kv-arm-14", "POST", "/keys/cmk/unwrapkey", {"alg": "RSA-OAEP", "value": sealed})
    assert opened.status_code == 400


def test_a_legacy_vault_takes_its_keys_with_it_for_good(stage: Stage) -> None:
    """Without soft delete nothing is kept, neither of a key nor of the vault."""
    vault_id = made_vault(stage, "kv-arm-7", ALL, enableSoftDelete=False)
    client = key_client(stage, "kv-arm-7")
    client.create_rsa_key("one")
    client.create_rsa_key("two")

    answer = at(stage, "kv-arm-7", "DELETE", "/keys/one").json()
    stage.call("DELETE", vault_id)
    made_vault(stage, "kv-arm-7", ALL)

    assert "recoveryId" not in answer
    assert list(client.list_properties_of_keys()) == []


def test_what_is_refused(stage: Stage) -> None:
    """A missing key, a missing vault, a held name, a size and a kind that do not exist, a bad name."""
    vault_id = made_vault(stage, "kv-arm-8", ALL)
    client = key_client(stage, "kv-arm-8")
    client.create_rsa_key("dead")
    client.begin_delete_key("dead").wait()
    keys = _client(stage).keys
    sent: Any = {"properties": {"kty": "RSA"}}

    with pytest.raises(ResourceNotFoundError) as missing:
        keys.get("rg-keys", "kv-arm-8", "none")
    with pytest.raises(ResourceNotFoundError) as no_vault:
        keys.create_if_not_exist("rg-keys", "kv-arm-none", "cmk", sent)
    with pytest.raises(ResourceExistsError):
        keys.create_if_not_exist("rg-keys", "kv-arm-8", "dead", sent)

    assert missing.value.error
    assert missing.value.error.code == "KeyNotFound"
    assert no_vault.value.error
    assert no_vault.value.error.code == "ParentResourceNotFound"
    for name, properties in (
        ("size", {"kty": "RSA", "keySize": 1024}),
        ("kind", {"kty": "AES"}),
        ("none", {}),
        ("hsm", {"kty": "RSA-HSM"}),
        ("bad_name", {"kty": "RSA"}),
    ):
        assert stage.call("PUT", f"{vault_id}/keys/{name}", {"properties": properties}).status_code == 400, name
    assert stage.call("DELETE", f"{vault_id}/keys/dead").status_code == 405


def test_the_reader_makes_no_keys(stage: Stage) -> None:
    """ARM's own right decides, not the vault's policies."""
    made_vault(stage, "kv-arm-9", accessPolicies=[_entry("reader")])
    sent: Any = {"properties": {"kty": "RSA"}}

    with pytest.raises(HttpResponseError) as refused:
        _client(stage, "reader").keys.create_if_not_exist("rg-keys", "kv-arm-9", "cmk", sent)

    assert refused.value.status_code == 403
    assert "Microsoft.KeyVault/vaults/keys/write" in str(refused.value)


def test_a_key_is_seeded_before_its_vault(stage: Stage) -> None:
    """Order does not matter; a version that the body names is the one that there is, in any case of the name."""
    group = stage.group("rg-keys")
    vault_id = f"{group}/providers/Microsoft.KeyVault/vaults/kv-arm-10"
    named = "https://kv-arm-10.vault.azure.net:443/keys/cmk/0123456789abcdef0123456789abcdef"
    seeded_key(stage, vault_id, "cmk", keyUriWithVersion=named)
    made_vault(stage, "kv-arm-10", ALL)

    versions = stage.call("GET", f"{vault_id}/KEYS/CMK/versions").json()["value"]

    assert [each["name"] for each in versions] == ["0123456789abcdef0123456789abcdef"]
    assert key_client(stage, "kv-arm-10").get_key("CMK").properties.version == versions[0]["name"]


def test_old_versions_can_be_seeded(stage: Stage) -> None:
    """Each with its own attributes; the latest is the one that the key names."""
    vault_id = made_vault(stage, "kv-arm-13", ALL)
    key = seeded_key(stage, vault_id, "cmk")
    older = {"id": f"{key}/versions/{'0' * 32}", "properties": {"attributes": {"enabled": False, "created": 1}}}
    stage.tell("POST", "/seed", {"resources": [older]})

    client = key_client(stage, "kv-arm-13")
    states = {each.version: each.enabled for each in client.list_properties_of_key_versions("cmk")}
    old = client.get_key("cmk", "0" * 32)

    assert len(states) == 2
    assert states["0" * 32] is False
    assert client.get_key("cmk").properties.enabled is True
    assert old.id == f"https://kv-arm-13.vault.azure.net/keys/cmk/{'0' * 32}"


def test_no_kelvin_sign_is_a_k(stage: Stage) -> None:
    """Ids are compared without case in ASCII only: U+212A is not the letter k."""
    vault_id = made_vault(stage, "kv-arm-11", ALL)
    seeded_key(stage, vault_id, "k")

    assert stage.call("GET", f"{vault_id}/keys/K").status_code == 200
    assert stage.call("GET", f"{vault_id}/keys/\N{KELVIN SIGN}").status_code == 404
    assert at(stage, "kv-arm-11", "GET", "/keys/\N{KELVIN SIGN}").status_code == 404


def test_neither_keys_nor_versions_are_in_the_resource_graph(stage: Stage) -> None:
    """The table of resources has vaults and nothing of what is in them."""
    vault_id = made_vault(stage, "kv-arm-12", ALL)
    seeded_key(stage, vault_id, "cmk")
    query = {"query": "resources | where id contains 'kv-arm-12' | project id"}

    rows = stage.call("POST", "/providers/Microsoft.ResourceGraph/resources", query, version="2021-03-01").json()

    assert rows["data"] == [{"id": vault_id}]


def _client(stage: Stage, who: str = "owner") -> KeyVaultManagementClient:
    return KeyVaultManagementClient(stage.owner() if who == "owner" else stage.credential(who), SUB, **stage.sdk())


def _level(stage: Stage, key_id: str) -> str:
    level: str = stage.call("GET", key_id).json()["properties"]["attributes"]["recoveryLevel"]
    return level


def _entry(who: str) -> dict[str, Any]:
    return {"tenantId": TENANT, "objectId": IDENTITIES[who]["principal_id"], "permissions": {"keys": ALL}}


def _grant(stage: Stage, where: str) -> None:
    role = "/providers/Microsoft.Authorization/roleDefinitions/e147488a-f6f5-4113-8e2d-b22465e65bf6"
    oid = IDENTITIES["writer"]["principal_id"]
    body = {"properties": {"roleDefinitionId": role, "principalId": oid, "principalType": "ServicePrincipal"}}
    assert stage.call("PUT", where, body, version="2022-04-01").status_code == 201
