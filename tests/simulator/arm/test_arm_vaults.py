"""Vaults through the real SDK: their life, and every refusal in Key Vault's own words."""

import json
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.keyvault import KeyVaultManagementClient

from tests.simulator.arm.stage import IDENTITIES, OTHER_SUB, SUB, TENANT, Stage, vault

GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-vaults"
READER = IDENTITIES["reader"]["principal_id"]


@pytest.fixture
def vaults(stage: Stage) -> str:
    """Where the vaults of these tests are."""
    return stage.group("rg-vaults") + "/providers/Microsoft.KeyVault/vaults"


def test_a_new_vault_is_registering_and_then_succeeded(stage: Stage, vaults: str) -> None:
    """The first answer has no slash after the URI and no purge protection; a GET shows it settled."""
    made = stage.call("PUT", f"{vaults}/kv-Life1", vault())
    read = stage.call("GET", f"{vaults}/KV-LIFE1").json()

    assert made.status_code == 200
    assert made.json()["properties"] == {
        "sku": {"family": "A", "name": "standard"},
        "tenantId": TENANT,
        "accessPolicies": [],
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": True,
        "vaultUri": "https://kv-Life1.vault.azure.net",
        "provisioningState": "RegisteringDns",
        "publicNetworkAccess": "Enabled",
    }
    assert read["name"] == "kv-Life1"
    assert read["properties"]["provisioningState"] == "Succeeded"
    assert read["properties"]["vaultUri"] == "https://kv-life1.vault.azure.net/"
    assert read["systemData"]["createdBy"] == "olga.owner@example.com"
    assert read["systemData"]["createdByType"] == "User"


def test_the_writer_turns_purge_protection_on_with_the_sdk(stage: Stage, vaults: str) -> None:
    """A PATCH by the SDK changes what it names and leaves policies and tags alone."""
    policy = {"tenantId": TENANT, "objectId": "aa", "permissions": {"keys": ["Get", "wrapKey"]}}
    sent = {**vault(accessPolicies=[policy], enableRbacAuthorization=False), "tags": {"Owner": "team"}}
    stage.call("PUT", f"{vaults}/kv-sdk1", sent)
    client = KeyVaultManagementClient(stage.credential("writer"), SUB, **stage.sdk())
    change: Any = {"properties": {"enableSoftDelete": True, "enablePurgeProtection": True}}

    client.vaults.update("rg-vaults", "kv-sdk1", change)

    read = stage.call("GET", f"{vaults}/kv-sdk1").json()
    assert read["properties"]["enablePurgeProtection"] is True
    assert read["properties"]["accessPolicies"] == [policy]
    assert read["tags"] == {"Owner": "team"}
    assert read["systemData"]["lastModifiedByType"] == "Application"


def test_an_empty_patch_changes_nothing(stage: Stage, vaults: str) -> None:
    """PATCH {} answers the whole vault as it is."""
    stage.call("PUT", f"{vaults}/kv-empty1", vault())
    before = stage.call("GET", f"{vaults}/kv-empty1").json()["properties"]

    assert stage.call("PATCH", f"{vaults}/kv-empty1", {}).json()["properties"] == before


def test_the_sdk_waits_until_a_vault_is_registered(stage: Stage, vaults: str) -> None:
    """With a slow DNS the long-running PUT of the SDK polls until Succeeded."""
    stage.tell("POST", "/knobs", {"dns_seconds": 0.1})
    stage.sdk()
    client = KeyVaultManagementClient(stage.owner(), SUB, **stage.sdk())
    body: Any = vault()

    made = client.vaults.begin_create_or_update("rg-vaults", "kv-slow1", body).result(10)

    assert made.properties.provisioning_state == "Succeeded"


def test_purge_protection_cannot_be_turned_off(stage: Stage, vaults: str, reference: Path) -> None:
    """PUT and PATCH with false are refused in the words that users reported."""
    reported = json.loads((reference / "arm_traffic/reported_errors.json").read_text())[0]
    stage.call("PUT", f"{vaults}/kv-purge1", vault(enablePurgeProtection=True))

    put = stage.call("PUT", f"{vaults}/kv-purge1", vault(enablePurgeProtection=False))
    patch = stage.call("PATCH", f"{vaults}/kv-purge1", {"properties": {"enablePurgeProtection": False}})

    for answer in (put, patch):
        assert answer.status_code == reported["status"]
        assert answer.json()["error"] == {"code": reported["code"], "message": reported["message"]}


def test_purge_protection_survives_a_put_without_it(stage: Stage, vaults: str) -> None:
    """What is on stays on when a PUT leaves it out."""
    stage.call("PUT", f"{vaults}/kv-keep1", vault(enablePurgeProtection=True))

    answer = stage.call("PUT", f"{vaults}/kv-keep1", vault())

    assert answer.json()["properties"]["enablePurgeProtection"] is True


def test_retention_is_set_once(stage: Stage, vaults: str) -> None:
    """A second value is refused, the same value is not."""
    stage.call("PUT", f"{vaults}/kv-days1", vault(softDeleteRetentionInDays=7))

    changed = stage.call("PATCH", f"{vaults}/kv-days1", {"properties": {"softDeleteRetentionInDays": 30}})
    same = stage.call("PATCH", f"{vaults}/kv-days1", {"properties": {"softDeleteRetentionInDays": 7}})

    assert changed.status_code == 400
    assert changed.json()["error"]["message"] == (
        'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.'
    )
    assert same.status_code == 200


def test_retention_is_seven_to_ninety_days(stage: Stage, vaults: str) -> None:
    """Six days are too few."""
    answer = stage.call("PUT", f"{vaults}/kv-days2", vault(softDeleteRetentionInDays=6))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_soft_delete_cannot_be_turned_off(stage: Stage, vaults: str) -> None:
    """True never becomes false."""
    stage.call("PUT", f"{vaults}/kv-soft1", vault())

    answer = stage.call("PATCH", f"{vaults}/kv-soft1", {"properties": {"enableSoftDelete": False}})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith('The property "enableSoftDelete" can be set to false')


def test_a_legacy_vault_is_put_right(stage: Stage, vaults: str) -> None:
    """A seeded vault with soft delete off takes both settings in one PATCH and then has 90 days."""
    identity = f"{vaults}/kv-legacy1"
    properties = {**vault()["properties"], "enableSoftDelete": False, "accessPolicies": []}
    stage.tell("POST", "/seed", {"resources": [{"id": identity, "location": "eastus", "properties": properties}]})

    answer = stage.call("PATCH", identity, {"properties": {"enableSoftDelete": True, "enablePurgeProtection": True}})

    made = answer.json()["properties"]
    assert (made["enableSoftDelete"], made["enablePurgeProtection"]) == (True, True)
    assert made["softDeleteRetentionInDays"] == 90


@pytest.mark.parametrize(("version", "expected"), [("2025-05-01", None), ("2026-02-01", True)])
def test_the_default_access_model_depends_on_the_version(
    stage: Stage, vaults: str, version: str, expected: bool | None
) -> None:
    """RBAC is the default of a new vault from 2026-02-01 on; before, nothing is shown; an old vault keeps what it has."""
    name = f"kv-model{version[3]}x{version[-4]}"
    made = stage.call("PUT", f"{vaults}/{name}", vault(), version=version).json()
    kept = stage.call("PUT", f"{vaults}/{name}", vault(), version="2026-05-15").json()

    assert made["properties"].get("enableRbacAuthorization") is expected
    assert kept["properties"].get("enableRbacAuthorization") is expected


@pytest.mark.parametrize("name", ["1kv", "kv--two", "kv-", "kv", "a" * 25, "kv_x1"])
def test_bad_names_are_refused(stage: Stage, vaults: str, name: str) -> None:
    """A name must do as a host name."""
    answer = stage.call("PUT", f"{vaults}/{name}", vault())

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VaultNameNotValid")


def test_names_are_global(stage: Stage, vaults: str) -> None:
    """A name that another subscription uses is taken."""
    stage.call("PUT", f"{vaults}/kv-global1", vault())
    elsewhere = stage.group("rg-else", OTHER_SUB) + "/providers/Microsoft.KeyVault/vaults"

    answer = stage.call("PUT", f"{elsewhere}/KV-global1", vault())

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "VaultAlreadyExists")


def test_a_deleted_vault_holds_its_name_and_can_be_recovered(stage: Stage, vaults: str, reference: Path) -> None:
    """Delete, refuse the name in the reported words, list it, recover it as it was."""
    reported = json.loads((reference / "arm_traffic/reported_errors.json").read_text())[1]
    stage.call("PUT", f"{vaults}/kv-grave1", vault(enablePurgeProtection=True))

    assert stage.call("DELETE", f"{vaults}/kv-grave1").status_code == 200
    again = stage.call("PUT", f"{vaults}/kv-grave1", vault())
    where = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-grave1"
    deleted = stage.call("GET", where).json()["properties"]
    purged = stage.call("POST", f"{where}/purge")
    recovered = stage.call("PUT", f"{vaults}/kv-grave1", vault(createMode="recover"))

    assert (again.status_code, again.json()["error"]["message"]) == (409, reported["message"])
    assert (deleted["vaultId"], deleted["purgeProtectionEnabled"]) == (f"{vaults}/kv-grave1", True)
    assert (purged.status_code, purged.json()["error"]["code"]) == (405, "MethodNotAllowed")
    assert recovered.json()["properties"]["enablePurgeProtection"] is True
    assert "createMode" not in recovered.json()["properties"]


def test_deleting_a_vault_takes_its_role_assignments_with_it(stage: Stage, vaults: str) -> None:
    """Recovery does not bring them back."""
    stage.call("PUT", f"{vaults}/kv-grants1", vault())
    assignment = f"{vaults}/kv-grants1/providers/Microsoft.Authorization/roleAssignments/{TENANT}"
    role = "/providers/Microsoft.Authorization/roleDefinitions/e147488a-f6f5-4113-8e2d-b22465e65bf6"
    body = {"properties": {"roleDefinitionId": role, "principalId": READER, "principalType": "ServicePrincipal"}}
    assert stage.call("PUT", assignment, body, version="2022-04-01").status_code == 201

    stage.call("DELETE", f"{vaults}/kv-grants1")
    stage.call("PUT", f"{vaults}/kv-grants1", vault(createMode="recover"))

    assert stage.call("GET", assignment, version="2022-04-01").status_code == 404


def test_policies_are_merged_replaced_and_removed(stage: Stage, vaults: str) -> None:
    """Add never narrows, replace sets one entry, remove takes it away; the answer is no vault."""
    stage.call("PUT", f"{vaults}/kv-pol1", vault())

    def change(verb: str, keys: list[str]) -> dict[str, Any]:
        entry = {"tenantId": TENANT, "objectId": "aa", "permissions": {"keys": keys}}
        answer = stage.call(
            "PUT", f"{vaults}/kv-pol1/accessPolicies/{verb}", {"properties": {"accessPolicies": [entry]}}
        )
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        return body

    first = change("add", ["Get", "list"])
    added = change("add", ["get", "wrapKey"])
    replaced = change("replace", ["wrapKey"])
    removed = change("remove", ["WrapKey"])

    assert first["id"] == f"{vaults}/kv-pol1/accessPolicies/"
    assert first["type"] == "Microsoft.KeyVault/vaults/accessPolicies"
    assert added["properties"]["accessPolicies"][0]["permissions"]["keys"] == ["Get", "list", "wrapKey"]
    assert replaced["properties"]["accessPolicies"][0]["permissions"]["keys"] == ["wrapKey"]
    assert removed["properties"]["accessPolicies"] == []


def test_refusals_of_the_gateway(stage: Stage, vaults: str) -> None:
    """Missing version, subscription, group and vault, bad JSON, bad method: each in ARM's words."""
    missing = stage.call("GET", f"{vaults}/kv-none")
    strange = f"/subscriptions/{TENANT}/resourceGroups/x/providers/Microsoft.KeyVault/vaults/kv"
    no_group = f"/subscriptions/{SUB}/resourceGroups/nowhere/providers/Microsoft.KeyVault/vaults/kv1"

    assert missing.json()["error"]["message"] == (
        "The Resource 'Microsoft.KeyVault/vaults/kv-none' under resource group 'rg-vaults' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    assert missing.headers["x-ms-failure-cause"] == "gateway"
    assert _code(stage.call("GET", f"{vaults}/kv", version=None)) == (400, "MissingApiVersionParameter")
    assert _code(stage.call("GET", strange)) == (404, "SubscriptionNotFound")
    assert _code(stage.call("GET", no_group)) == (404, "ResourceGroupNotFound")
    assert _code(stage.call("PUT", f"{vaults}/kv-bad", [])) == (400, "InvalidRequestContent")
    assert stage.call("POST", f"{vaults}/kv-bad").status_code == 405
    assert stage.call("GET", f"{GROUP}/providers/Microsoft.Nothing/things/x").status_code == 404


def test_doubled_slashes_and_any_casing_reach_the_same_vault(stage: Stage, vaults: str) -> None:
    """Clients send both."""
    stage.call("PUT", f"{vaults}/kv-case1", vault())

    answer = stage.call("GET", f"/{vaults}/kv-case1".upper().replace("/PROVIDERS", "//providers"))

    assert (answer.status_code, answer.json()["name"]) == (200, "kv-case1")


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_reader_may_not_write_with_the_sdk(stage: Stage, vaults: str) -> None:
    """The SDK raises 403 AuthorizationFailed."""
    stage.call("PUT", f"{vaults}/kv-reader1", vault())
    client = KeyVaultManagementClient(stage.credential("reader"), SUB, **stage.sdk())
    change: Any = {"properties": {"enablePurgeProtection": True}}

    assert client.vaults.get("rg-vaults", "kv-reader1").name == "kv-reader1"
    with pytest.raises(HttpResponseError) as refused:
        client.vaults.update("rg-vaults", "kv-reader1", change)

    assert refused.value.status_code == 403
    assert refused.value.error
    assert refused.value.error.code == "AuthorizationFailed"


def test_purging_a_vault_takes_its_time(stage: Stage, vaults: str) -> None:
    """202 with an operation, which is NotStarted (202) and then Succeeded (200) as recorded; then the name is free."""
    stage.tell("POST", "/knobs", {"purge_seconds": 60})
    stage.call("PUT", f"{vaults}/kv-purged1", vault())
    stage.call("DELETE", f"{vaults}/kv-purged1")
    where = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-purged1"

    asked = stage.call("POST", f"{where}/purge")
    early = stage.call("GET", asked.headers["Location"])
    held = stage.call("PUT", f"{vaults}/kv-purged1", vault())
    stage.tell("POST", "/clock", {"advance": 61})
    late = stage.call("GET", asked.headers["Location"])

    assert (asked.status_code, asked.content) == (202, b"")
    assert (early.status_code, early.json()["status"]) == (202, "NotStarted")
    assert early.headers["Location"] == asked.headers["Location"]
    assert held.status_code == 409
    assert (late.status_code, late.json()["status"]) == (200, "Succeeded")
    assert set(late.json()) == {"createdDateTime", "lastActionDateTime", "status"}
    assert stage.call("GET", where).status_code == 404
    assert stage.call("PUT", f"{vaults}/kv-purged1", vault()).status_code == 200


def test_a_deleted_vault_is_destroyed_at_the_end_of_its_days(stage: Stage, vaults: str) -> None:
    """Purge protection or not; a vault that was recovered meanwhile stays."""
    for name in ("kv-days7", "kv-days8"):
        stage.call("PUT", f"{vaults}/{name}", vault(softDeleteRetentionInDays=7, enablePurgeProtection=True))
        stage.call("DELETE", f"{vaults}/{name}")
    stage.call("PUT", f"{vaults}/kv-days8", vault(createMode="recover"))

    stage.tell("POST", "/clock", {"advance": 7 * 86_400 + 1})

    deleted = stage.call("GET", f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/deletedVaults").json()["value"]
    assert [each["name"] for each in deleted if each["name"].startswith("kv-days")] == []
    assert stage.call("GET", f"{vaults}/kv-days8").status_code == 200


@pytest.mark.parametrize("model", [True, False])
def test_a_recovered_vault_keeps_its_access_model(stage: Stage, vaults: str, model: bool) -> None:
    """Whatever the api-version's default is, and whatever else the PUT says."""
    name = f"{vaults}/kv-recover{int(model)}"
    stage.call("PUT", name, vault(enableRbacAuthorization=model))
    stage.call("DELETE", name)

    body = vault(createMode="recover", enableRbacAuthorization=not model, sku={"family": "A", "name": "premium"})
    back = stage.call("PUT", name, body, version="2026-05-15").json()["properties"]

    assert back["enableRbacAuthorization"] is model
    assert back["sku"]["name"] == "standard"


def test_an_unknown_permission_is_refused_in_any_case(stage: Stage, vaults: str) -> None:
    """Words in any casing pass, an invented one does not, in a vault and in accessPolicies alike."""

    def policy(word: str) -> dict[str, Any]:
        return {"accessPolicies": [{"tenantId": TENANT, "objectId": "aa", "permissions": {"keys": [word]}}]}

    good = stage.call("PUT", f"{vaults}/kv-words1", vault(**policy("GetRotationPolicy")))
    bad = stage.call("PUT", f"{vaults}/kv-words1", vault(**policy("gett")))
    added = stage.call("PUT", f"{vaults}/kv-words1/accessPolicies/add", {"properties": policy("wrap")})

    assert good.json()["properties"]["accessPolicies"][0]["permissions"]["keys"] == ["GetRotationPolicy"]
    assert _code(bad) == (400, "BadRequest")
    assert _code(added) == (400, "BadRequest")


def test_what_clients_ask_besides(stage: Stage, vaults: str) -> None:
    """HSMs, secrets, private links and endpoints: empty lists, or what was seeded; a PUT does not lose endpoints."""
    connection = f"{vaults}/kv-side1/privateEndpointConnections/pe-1"
    kept = [{"id": connection, "properties": {"provisioningState": "Succeeded"}}]
    properties = {**vault()["properties"], "enableSoftDelete": True, "privateEndpointConnections": kept}
    seeds = [
        {"id": f"{vaults}/kv-side1", "location": "westeurope", "properties": properties},
        {"id": connection, "properties": {"provisioningState": "Succeeded"}},
    ]
    stage.tell("POST", "/seed", {"resources": seeds})
    provider = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault"

    for path in (
        f"{provider}/managedHSMs",
        f"{provider}/deletedManagedHSMs",
        f"{GROUP}/providers/Microsoft.KeyVault/managedHSMs",
        f"{vaults}/kv-side1/secrets",
    ):
        assert stage.call("GET", path).json() == {"value": []}, path
    endpoints = stage.call("GET", f"{vaults}/kv-side1/privateEndpointConnections").json()["value"]
    links = stage.call("GET", f"{vaults}/kv-side1/privateLinkResources").json()["value"]
    put = stage.call("PUT", f"{vaults}/kv-side1", vault()).json()["properties"]

    assert [each["name"] for each in endpoints] == ["pe-1"]
    assert links[0]["properties"]["requiredZoneNames"] == ["privatelink.vaultcore.azure.net"]
    assert put["privateEndpointConnections"] == kept


def test_a_taken_name_is_told_in_the_recorded_words(stage: Stage, vaults: str, reference: Path) -> None:
    """checkNameAvailability, typo and all (keyvault_other.jsonl)."""
    lines = (reference / "arm_traffic/keyvault_other.jsonl").read_text().splitlines()
    record = next(each for each in map(json.loads, lines) if "checkNameAvailability" in each["url"])
    stage.call("PUT", f"{vaults}/sample-vault", vault())
    where = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/checkNameAvailability"

    assert stage.call("POST", where, record["request_body"]).json() == record["response_body"]
    assert stage.call("POST", where, {"name": "kv-nobody-has"}).json() == {"nameAvailable": True}


def test_the_access_model_is_changed_by_those_who_assign_roles(stage: Stage, vaults: str) -> None:
    """Whoever may only write vaults may not switch it, with PATCH or PUT; the owner may; the rest of a PATCH passes."""
    stage.call("PUT", f"{vaults}/kv-switch1", vault(enableRbacAuthorization=False))
    change = {"properties": {"enableRbacAuthorization": True}}

    patched = stage.call("PATCH", f"{vaults}/kv-switch1", change, who="writer")
    put = stage.call("PUT", f"{vaults}/kv-switch1", vault(enableRbacAuthorization=True), who="writer")
    same = stage.call("PUT", f"{vaults}/kv-switch1", vault(enableRbacAuthorization=False), who="writer")
    owner = stage.call("PATCH", f"{vaults}/kv-switch1", change)

    assert _code(patched) == _code(put) == (403, "InsufficientPermissions")
    assert patched.json()["error"]["message"].startswith("Caller is not allowed to change permission model.")
    assert same.status_code == 200
    assert owner.json()["properties"]["enableRbacAuthorization"] is True


def test_a_null_in_a_patch_says_nothing(stage: Stage, vaults: str) -> None:
    """Clients send null for what they leave out."""
    stage.call("PUT", f"{vaults}/kv-null1", vault())
    sent = {"properties": {"enableSoftDelete": None, "enablePurgeProtection": True, "networkAcls": None}}

    answer = stage.call("PATCH", f"{vaults}/kv-null1", sent)

    assert answer.status_code == 200
    assert answer.json()["properties"]["enablePurgeProtection"] is True
    assert answer.json()["properties"]["enableSoftDelete"] is True
