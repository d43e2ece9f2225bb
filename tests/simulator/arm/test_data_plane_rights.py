"""Who may do what at a vault's own address: access policies, data actions, the firewall, with the real clients."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys.crypto import KeyWrapAlgorithm

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage
from tests.simulator.arm.vaultdoor import ROLES, at, crypto, key_client, made_vault, seeded_key

NEEDED = ["get", "wrapKey", "unwrapKey"]
ALL = ["all"]
SECRET = b"thirty-two bytes of a data key ."


def test_the_sdk_respects_the_permission_list(stage: Stage) -> None:
    """Exactly get, wrap and unwrap: everything else is 403 with Key Vault's text and the inner code."""
    vault = made_vault(stage, "kv-narrow-1", NEEDED)
    seeded_key(stage, vault, "cmk")
    client = key_client(stage, "kv-narrow-1")
    writer = IDENTITIES["writer"]

    with pytest.raises(HttpResponseError) as refused:
        list(client.list_properties_of_keys())

    assert client.get_key("cmk").name == "cmk"
    assert refused.value.status_code == 403
    answer = at(stage, "kv-narrow-1", "GET", "/keys").json()["error"]
    assert (answer["code"], answer["innererror"]) == ("Forbidden", {"code": "AccessDenied"})
    assert answer["message"] == (
        f"The user, group or application 'appid={writer['client_id']};oid={writer['principal_id']};"
        f"iss=https://sts.windows.net/{TENANT}/' does not have keys list permission on key vault "
        "'kv-narrow-1;location=westeurope'. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125287"
    )
    for verb, path in (("DELETE", "/keys/cmk"), ("POST", "/keys/cmk/rotate"), ("GET", "/keys/cmk/rotationpolicy")):
        assert at(stage, "kv-narrow-1", verb, path, {} if verb == "POST" else None).status_code == 403
    assert at(stage, "kv-narrow-1", "GET", "/keys/cmk", who="reader").status_code == 403


def test_a_compound_entry_is_not_for_the_plain_caller(stage: Stage) -> None:
    """An entry with an application id speaks of that application only; one of another tenant of nobody here."""
    oid = IDENTITIES["writer"]["principal_id"]
    right = {"objectId": oid.upper(), "tenantId": TENANT, "permissions": {"keys": ["GET"]}}
    compound = {**right, "applicationId": IDENTITIES["writer"]["client_id"]}
    foreign = {**right, "tenantId": "99999999-0000-4000-8000-000000000009"}
    vault = made_vault(stage, "kv-compound-1", accessPolicies=[compound, foreign])
    seeded_key(stage, vault, "cmk")

    before = at(stage, "kv-compound-1", "GET", "/keys/cmk").status_code
    stage.call("PATCH", vault, {"properties": {"accessPolicies": [compound, foreign, right]}})

    assert before == 403
    assert at(stage, "kv-compound-1", "GET", "/keys/cmk").status_code == 200


def test_an_rbac_vault_asks_for_data_actions(stage: Stage) -> None:
    """Policies are ignored; Owner does not help; a role at one key opens that key alone."""
    vault = made_vault(stage, "kv-rbac-1", ALL, enableRbacAuthorization=True)
    for name in ("one", "two"):
        seeded_key(stage, vault, name)

    refused = at(stage, "kv-rbac-1", "GET", "/keys/one").json()["error"]
    _assign(stage, f"{vault}/keys/one", "e147488a-f6f5-4113-8e2d-b22465e65bf6")
    one = key_client(stage, "kv-rbac-1").get_key("one")
    wrapped = crypto(stage, one).wrap_key(KeyWrapAlgorithm.rsa_oaep, SECRET)
    two = at(stage, "kv-rbac-1", "GET", "/keys/two").status_code

    assert refused["innererror"] == {"code": "ForbiddenByRbac"}
    assert "Action: 'Microsoft.KeyVault/vaults/keys/read'\r\n" in refused["message"]
    assert f"Resource: '{vault.lower()}/keys/one'\r\nAssignment: (not found)" in refused["message"]
    assert crypto(stage, one).unwrap_key(KeyWrapAlgorithm.rsa_oaep, wrapped.encrypted_key).key == SECRET
    assert two == 403
    assert at(stage, "kv-rbac-1", "GET", "/keys").status_code == 403


def test_what_a_role_takes_back_is_not_given(stage: Stage) -> None:
    """notDataActions; an action of the control plane with the same name gives nothing either."""
    vault = made_vault(stage, "kv-rbac-2", enableRbacAuthorization=True)
    seeded_key(stage, vault, "cmk")
    role = str(uuid.uuid5(uuid.NAMESPACE_URL, "all but wrap"))
    permissions = {
        "actions": ["Microsoft.KeyVault/vaults/keys/rotate/action"],
        "dataActions": ["Microsoft.KeyVault/vaults/KEYS/*"],
        "notDataActions": ["Microsoft.KeyVault/vaults/keys/wrap/action", "*/rotate/action"],
    }
    body = {
        "properties": {
            "roleName": "all but wrap",
            "type": "CustomRole",
            "assignableScopes": [f"/subscriptions/{SUB}"],
            "permissions": [permissions],
        }
    }
    made = stage.call("PUT", f"/subscriptions/{SUB}{ROLES}/{role}", body, version="2022-04-01")
    assert made.status_code == 201, made.text
    _assign(stage, vault, role)
    use = {"alg": "RSA-OAEP", "value": "AAAA"}

    assert at(stage, "kv-rbac-2", "GET", "/keys/cmk").status_code == 200
    assert at(stage, "kv-rbac-2", "POST", "/keys/cmk/encrypt", use).status_code == 200
    assert at(stage, "kv-rbac-2", "POST", "/keys/cmk/wrapkey", use).status_code == 403
    assert at(stage, "kv-rbac-2", "POST", "/keys/cmk/rotate").status_code == 403


def test_a_role_at_the_subscription_reaches_down(stage: Stage) -> None:
    """Inherited like any other right; it is gone with its assignment."""
    vault = made_vault(stage, "kv-rbac-3", enableRbacAuthorization=True)
    seeded_key(stage, vault, "cmk")
    where = _assign(stage, f"/subscriptions/{SUB}", "12338af0-0e69-4776-bea7-57ae8d297424")

    before = at(stage, "kv-rbac-3", "GET", "/keys").status_code
    stage.call("DELETE", where, version="2022-04-01")

    assert before == 200
    assert at(stage, "kv-rbac-3", "GET", "/keys").status_code == 403


def test_a_firewall_shuts_out_strangers_and_lets_databricks_in(stage: Stage) -> None:
    """Deny: 403 ForbiddenByFirewall for us, not for a trusted service, unless the bypass is off; an IP rule opens it."""
    grants = [
        {"tenantId": TENANT, "objectId": IDENTITIES[who]["principal_id"], "permissions": {"keys": ["get"]}}
        for who in ("writer", "azure_databricks")
    ]
    shut = {"defaultAction": "Deny", "bypass": "AzureServices"}
    vault = made_vault(stage, "kv-wall-1", accessPolicies=grants, networkAcls=shut)
    seeded_key(stage, vault, "cmk")

    stranger = at(stage, "kv-wall-1", "GET", "/keys/cmk")
    trusted = at(stage, "kv-wall-1", "GET", "/keys/cmk", who="azure_databricks")
    stage.call("PATCH", vault, {"properties": {"networkAcls": {**shut, "bypass": "None"}}})
    barred = at(stage, "kv-wall-1", "GET", "/keys/cmk", who="azure_databricks")
    stage.call("PATCH", vault, {"properties": {"networkAcls": {**shut, "ipRules": [{"value": "203.0.113.0/24"}]}}})
    named = at(stage, "kv-wall-1", "GET", "/keys/cmk")

    assert stranger.status_code == 403
    assert stranger.json()["error"]["innererror"] == {"code": "ForbiddenByFirewall"}
    assert "Client address is not authorized and caller is not a trusted service" in stranger.json()["error"]["message"]
    assert trusted.status_code == 200
    assert barred.status_code == 403
    assert named.status_code == 200


def test_a_vault_without_public_network_says_so(stage: Stage) -> None:
    """ForbiddenByConnection."""
    made_vault(stage, "kv-wall-2", ALL, publicNetworkAccess="Disabled")

    error = at(stage, "kv-wall-2", "GET", "/keys").json()["error"]

    assert error["innererror"] == {"code": "ForbiddenByConnection"}


def _assign(stage: Stage, scope: str, role: str) -> str:
    """Give the writer a role at a scope; returns the id of the assignment."""
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{role}"))
    body = {
        "properties": {
            "roleDefinitionId": f"/subscriptions/{SUB}{ROLES}/{role}",
            "principalId": IDENTITIES["writer"]["principal_id"],
            "principalType": "ServicePrincipal",
        }
    }
    where = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    answer = stage.call("PUT", where, body, version="2022-04-01")
    assert answer.status_code == 201, answer.text
    return where
