"""A vault's own address through the real key clients: sign-in, wrapping, rotation, the way to the grave."""

import base64
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.keys import (
    KeyRotationLifetimeAction,
    KeyRotationPolicy,
    KeyRotationPolicyAction,
    KeyVaultKey,
)
from azure.keyvault.keys.crypto import KeyWrapAlgorithm

from tests.simulator.arm.stage import TENANT, Stage
from tests.simulator.arm.vaultdoor import at, crypto, key_client, made_vault, seconds, seeded_key

NEEDED = ["get", "wrapKey", "unwrapKey"]
ALL = ["all"]
SECRET = b"thirty-two bytes of a data key ."


def test_a_call_without_token_is_challenged(stage: Stage) -> None:
    """401 with the recorded body and a challenge that names the vault's tenant."""
    made_vault(stage, "kv-door-1", ALL)

    answer = at(stage, "kv-door-1", "GET", "/keys", who="")

    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
    }
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'
    )


def test_a_token_for_another_service_is_refused(stage: Stage) -> None:
    """ARM's token opens no vault, and neither does the audience with a slash."""
    made_vault(stage, "kv-door-2", ALL)

    for audience in ("https://management.azure.com", "https://vault.azure.net/"):
        answer = at(stage, "kv-door-2", "GET", "/keys", resource=audience)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"].startswith("AKV10022: Invalid audience. Expected")
        assert answer.json()["error"]["message"].endswith(f"found: {audience}.")
        assert "WWW-Authenticate" in answer.headers


def test_the_vault_of_another_tenant_refuses_our_issuer(stage: Stage) -> None:
    """A vault trusts its own tenant only."""
    other = "99999999-0000-4000-8000-000000000009"
    made_vault(stage, "kv-door-3", ALL, tenantId=other)

    answer = at(stage, "kv-door-3", "GET", "/keys")

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("AKV10032: Invalid issuer.")
    assert other in answer.headers["WWW-Authenticate"]


def test_the_client_gets_a_seeded_key_in_both_ways(stage: Stage) -> None:
    """By name and by version it is the same key, with the attributes that the vault's settings give it."""
    vault = made_vault(stage, "kv-get-1", ["Get"], enablePurgeProtection=True)
    seeded_key(stage, vault, "cmk", keySize=3072)
    client = key_client(stage, "kv-get-1")

    latest = client.get_key("cmk")
    again = client.get_key("cmk", latest.properties.version)

    assert latest.id == f"https://kv-get-1.vault.azure.net/keys/cmk/{latest.properties.version}"
    assert len(_modulus(latest)) == 384
    assert _modulus(again) == _modulus(latest)
    assert latest.properties.enabled is True
    assert latest.properties.recovery_level == "Recoverable"
    assert latest.properties.recoverable_days == 90
    assert list(latest.key_operations) == ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]


@pytest.mark.parametrize(
    ("settings", "level", "days"),
    [
        ({"enableSoftDelete": False}, "Purgeable", 0),
        ({}, "Recoverable+Purgeable", 90),
        ({"softDeleteRetentionInDays": 7}, "CustomizedRecoverable+Purgeable", 7),
        ({"softDeleteRetentionInDays": 7, "enablePurgeProtection": True}, "CustomizedRecoverable", 7),
    ],
)
def test_the_recovery_level_follows_the_vault(stage: Stage, settings: Any, level: str, days: int) -> None:
    """Every combination that was recorded."""
    name = f"kv-level-{level.replace('+', '')[-9:].lower()}{days}"
    vault = made_vault(stage, name, ALL, **settings)
    seeded_key(stage, vault, "k")

    attributes = at(stage, name, "GET", "/keys/k").json()["attributes"]

    assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == (level, days)


@pytest.mark.parametrize(
    "algorithm", [KeyWrapAlgorithm.rsa_oaep, KeyWrapAlgorithm.rsa_oaep_256, KeyWrapAlgorithm.rsa1_5]
)
def test_what_is_wrapped_is_unwrapped(stage: Stage, algorithm: KeyWrapAlgorithm) -> None:
    """With each RSA algorithm; the wrapped bytes are none of the secret."""
    vault = made_vault(stage, f"kv-wrap-{algorithm.name.replace('_', '').lower()[:9]}", NEEDED)
    seeded_key(stage, vault, "cmk")
    client = crypto(stage, key_client(stage, vault.rsplit("/", 1)[-1]).get_key("cmk"))

    wrapped = client.wrap_key(algorithm, SECRET)
    opened = client.unwrap_key(algorithm, wrapped.encrypted_key)

    assert opened.key == SECRET
    assert SECRET not in wrapped.encrypted_key
    assert len(wrapped.encrypted_key) == 256


def test_the_vault_wraps_too_and_no_other_version_unwraps(stage: Stage) -> None:
    """The service's own wrapkey; after a rotation the old version still opens it and the new one does not."""
    made_vault(stage, "kv-wrap-2", ALL)
    client = key_client(stage, "kv-wrap-2")
    old = client.create_rsa_key("cmk", size=2048)
    value = base64.urlsafe_b64encode(SECRET).rstrip(b"=").decode()

    wrapped = at(stage, "kv-wrap-2", "POST", "/keys/cmk/wrapkey", {"alg": "RSA-OAEP-256", "value": value}).json()
    new = client.rotate_key("cmk")
    body = {"alg": "RSA-OAEP-256", "value": wrapped["value"]}
    by_old = at(stage, "kv-wrap-2", "POST", f"/keys/cmk/{old.properties.version}/unwrapkey", body)
    by_new = at(stage, "kv-wrap-2", "POST", f"/keys/cmk/{new.properties.version}/unwrapkey", body)

    assert wrapped["kid"] == old.id
    assert by_old.json() == {"kid": old.id, "value": value}
    assert (by_new.status_code, by_new.json()["error"]["code"]) == (400, "BadParameter")


def test_a_disabled_key_does_nothing_but_can_be_read(stage: Stage) -> None:
    """Wrap and unwrap are refused, with KeyDisabled."""
    vault = made_vault(stage, "kv-off-1", ALL)
    seeded_key(stage, vault, "cmk", attributes={"enabled": False})
    body = {"alg": "RSA-OAEP", "value": "AAAA"}

    for word in ("wrapkey", "unwrapkey"):
        error = at(stage, "kv-off-1", "POST", f"/keys/cmk/{word}", body).json()["error"]
        assert error["innererror"] == {"code": "KeyDisabled"}
        assert error["message"].lower() == f"operation {word} is not allowed on a disabled key."
    assert key_client(stage, "kv-off-1").get_key("cmk").properties.enabled is False


@pytest.mark.parametrize(("attribute", "away"), [("exp", -60), ("nbf", 3600)])
def test_outside_its_days_a_key_only_opens(stage: Stage, attribute: str, away: int) -> None:
    """An expired key and one that is not valid yet still unwrap; they do not wrap."""
    name = f"kv-days-{attribute}"
    vault = made_vault(stage, name, ALL)
    seeded_key(stage, vault, "cmk")
    client = key_client(stage, name)
    sealed = crypto(stage, client.get_key("cmk")).wrap_key(KeyWrapAlgorithm.rsa_oaep, SECRET)
    changed = at(stage, name, "PATCH", "/keys/cmk", {"attributes": {attribute: seconds(away)}})

    wrap = at(stage, name, "POST", "/keys/cmk/wrapkey", {"alg": "RSA-OAEP", "value": "AAAA"})
    opened = crypto(stage, client.get_key("cmk")).unwrap_key(KeyWrapAlgorithm.rsa_oaep, sealed.encrypted_key)

    assert changed.status_code == 200
    assert wrap.status_code == 403
    assert opened.key == SECRET


def test_a_key_does_only_what_it_is_for(stage: Stage) -> None:
    """An operation that the key's list lacks is refused, whoever asks."""
    made_vault(stage, "kv-ops-1", ALL)
    key_client(stage, "kv-ops-1").create_rsa_key("cmk", key_operations=["wrapKey"])

    answer = at(stage, "kv-ops-1", "POST", "/keys/cmk/unwrapkey", {"alg": "RSA-OAEP", "value": "AAAA"})

    assert answer.json()["error"] == {
        "code": "Forbidden",
        "message": "Operation unwrapKey is not permitted on this key.",
        "innererror": {"code": "KeyOperationForbidden"},
    }


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_keys_are_made_in_three_sizes(stage: Stage, size: int) -> None:
    """And in no other; a vault without the premium sku has no HSM."""
    made_vault(stage, f"kv-size-{size}", ALL)
    client = key_client(stage, f"kv-size-{size}")

    made = client.create_rsa_key("cmk", size=size, enabled=False, tags={"a": "b"})

    assert len(_modulus(made)) * 8 == size
    assert (made.properties.enabled, made.properties.tags) == (False, {"a": "b"})
    with pytest.raises(HttpResponseError):
        client.create_rsa_key("cmk", size=1024)
    with pytest.raises(HttpResponseError):
        client.create_rsa_key("hsm", hardware_protected=True)


def test_rotation_follows_the_policy(stage: Stage) -> None:
    """Without one a default that only notifies; with one the next version ends when it says."""
    made_vault(stage, "kv-rotate-1", ALL)
    client = key_client(stage, "kv-rotate-1")
    first = client.create_rsa_key("cmk")
    default = at(stage, "kv-rotate-1", "GET", "/keys/cmk/rotationpolicy").json()
    actions = [KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P30D")]

    kept = client.update_key_rotation_policy("cmk", KeyRotationPolicy(expires_in="P90D", lifetime_actions=actions))
    second = client.rotate_key("cmk")
    versions = list(client.list_properties_of_key_versions("cmk"))

    assert default == {
        "lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}],
        "attributes": None,
    }
    assert kept.expires_in == "P90D"
    assert at(stage, "kv-rotate-1", "GET", "/keys/cmk/rotationpolicy").json()["lifetimeActions"] == [
        {"trigger": {"timeAfterCreate": "P30D"}, "action": {"type": "Rotate"}}
    ]
    assert {each.version for each in versions} == {first.properties.version, second.properties.version}
    assert client.get_key("cmk").id == second.id
    assert second.properties.expires_on is not None
    assert second.properties.expires_on.timestamp() == pytest.approx(seconds(90 * 86_400), abs=60)
    assert first.properties.expires_on is None


def test_a_policy_below_seven_days_is_refused(stage: Stage) -> None:
    """Seven days are the least."""
    vault = made_vault(stage, "kv-rotate-2", ALL)
    seeded_key(stage, vault, "cmk")
    action = {"trigger": {"timeAfterCreate": "P6D"}, "action": {"type": "Rotate"}}

    answer = at(stage, "kv-rotate-2", "PUT", "/keys/cmk/rotationpolicy", {"lifetimeActions": [action]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadParameter")


def test_attributes_change_one_version(stage: Stage) -> None:
    """The SDK disables an old version; the latest and the list of keys stay as they were."""
    made_vault(stage, "kv-update-1", ALL)
    client = key_client(stage, "kv-update-1")
    old = client.create_rsa_key("cmk")
    new = client.create_rsa_key("cmk")

    client.update_key_properties("cmk", old.properties.version, enabled=False)

    states = {each.version: each.enabled for each in client.list_properties_of_key_versions("cmk")}
    assert states == {old.properties.version: False, new.properties.version: True}
    assert client.get_key("cmk").properties.enabled is True
    assert [each.enabled for each in client.list_properties_of_keys()] == [True]


def test_a_deleted_key_holds_its_name_and_comes_back(stage: Stage) -> None:
    """Delete, refuse the name, recover with all versions, delete again and purge."""
    made_vault(stage, "kv-dead-1", ALL)
    client = key_client(stage, "kv-dead-1")
    old, new = client.create_rsa_key("cmk"), client.create_rsa_key("cmk")
    sealed = crypto(stage, old).wrap_key(KeyWrapAlgorithm.rsa_oaep, SECRET)

    gone = client.begin_delete_key("cmk").result()
    with pytest.raises(ResourceNotFoundError) as missing:
        client.get_key("cmk")
    with pytest.raises(ResourceExistsError) as held:
        client.create_rsa_key("cmk")
    assert [each.name for each in client.list_deleted_keys()] == ["cmk"]
    back = client.begin_recover_deleted_key("cmk").result()

    assert gone.recovery_id == "https://kv-dead-1.vault.azure.net/deletedkeys/cmk"
    assert missing.value.error
    assert missing.value.error.code == "KeyNotFound"
    assert "in this state, the key can only be recovered or purged" in str(held.value)
    assert back.id == new.id
    assert crypto(stage, old).unwrap_key(KeyWrapAlgorithm.rsa_oaep, sealed.encrypted_key).key == SECRET
    client.begin_delete_key("cmk").wait()
    client.purge_deleted_key("cmk")
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_key("cmk")
    assert client.create_rsa_key("cmk").id != new.id


def test_purge_protection_holds_a_deleted_key_until_its_day(stage: Stage) -> None:
    """403 now; when the retention is over, it is gone by itself."""
    made_vault(stage, "kv-dead-2", ALL, enablePurgeProtection=True, softDeleteRetentionInDays=7)
    client = key_client(stage, "kv-dead-2")
    client.create_rsa_key("cmk")
    client.begin_delete_key("cmk").wait()

    with pytest.raises(HttpResponseError) as refused:
        client.purge_deleted_key("cmk")
    stage.tell("POST", "/clock", {"advance": 7 * 86_400 + 1})

    assert refused.value.status_code == 403
    assert 'Operation "purge" is not allowed because purge protection is enabled' in str(refused.value)
    assert list(client.list_deleted_keys()) == []


def test_lists_come_in_pages(stage: Stage) -> None:
    """The knob decides; the link names port 443 and the SDK follows it."""
    vault = made_vault(stage, "kv-pages-1", ALL)
    names = [f"key-{number}" for number in range(5)]
    for name in names:
        seeded_key(stage, vault, name)
    stage.tell("POST", "/knobs", {"page_size": 2})

    first = at(stage, "kv-pages-1", "GET", "/keys").json()
    found = [each.name for each in key_client(stage, "kv-pages-1").list_properties_of_keys()]

    assert first["nextLink"].startswith("https://kv-pages-1.vault.azure.net:443/keys?")
    assert len(first["value"]) == 2
    assert found == names


def test_an_unknown_version_of_the_service_is_refused(stage: Stage) -> None:
    """Versions are 7.x or dated."""
    made_vault(stage, "kv-version-1", ALL)

    for version in ("7.6-preview.2", "2016-10-01", "2025-07-01", "7.0"):
        assert at(stage, "kv-version-1", "GET", "/keys", version=version).status_code == 200
    strange = at(stage, "kv-version-1", "GET", "/keys", version="8.0-none")
    assert (strange.status_code, strange.json()["error"]["code"]) == (400, "BadParameter")
    assert at(stage, "kv-version-1", "GET", "/keys", version="").status_code == 400


def test_a_name_without_a_vault_leads_nowhere(stage: Stage) -> None:
    """No answer at all, before there is a vault and after it was soft-deleted."""
    vault = made_vault(stage, "kv-gone-1", ALL)
    assert at(stage, "kv-gone-1", "GET", "/keys").status_code == 200
    stage.call("DELETE", vault)

    for name in ("kv-gone-1", "kv-never-was"):
        with pytest.raises(requests.ConnectionError):
            at(stage, name, "GET", "/keys")


def test_a_vault_has_no_address_until_its_name_is_registered(stage: Stage) -> None:
    """While it is RegisteringDns nobody gets through."""
    stage.tell("POST", "/knobs", {"dns_seconds": 60})
    made_vault(stage, "kv-young-1", ALL)

    with pytest.raises(requests.ConnectionError):
        at(stage, "kv-young-1", "GET", "/keys")
    stage.tell("POST", "/clock", {"advance": 61})
    assert at(stage, "kv-young-1", "GET", "/keys").status_code == 200


def test_of_two_seeded_vaults_with_one_name_the_later_answers(stage: Stage) -> None:
    """Azure has no such pair; a seeded world may. When one goes, the other has the name."""
    one = made_vault(stage, "kv-twice-1", ALL)
    two = one.replace("rg-keys", "rg-twins")
    body = {**stage.call("GET", one).json(), "id": two}
    stage.tell("POST", "/seed", {"resources": [body, {"id": f"{two}/keys/only-here"}]})

    def keys() -> list[str]:
        return [each["kid"].rsplit("/", 1)[-1] for each in at(stage, "kv-twice-1", "GET", "/keys").json()["value"]]

    before = keys()
    stage.call("DELETE", two)

    assert (before, keys()) == (["only-here"], [])


def test_the_journal_tells_who_used_a_key(stage: Stage) -> None:
    """Every call to a vault is in it, with the vault's address in the path; faults are ordered by the same path."""
    vault = made_vault(stage, "kv-journal-1", ALL)
    seeded_key(stage, vault, "cmk")
    stage.tell("POST", "/faults", [{"path": "kv-journal-1.vault.azure.net/keys/cmk$", "status": 429, "nth": 2}])

    first = at(stage, "kv-journal-1", "GET", "/keys/cmk").status_code
    second = at(stage, "kv-journal-1", "GET", "/keys/cmk").status_code
    at(stage, "kv-journal-1", "POST", "/keys/cmk/wrapkey", {"alg": "RSA-OAEP", "value": "AAAA"})

    noted = [
        (each["caller"], each["method"], each["path"], each["status"])
        for each in stage.tell("GET", "/journal")["items"]
        if "vault.azure.net" in each["path"]
    ]
    where = "https://kv-journal-1.vault.azure.net/keys/cmk"
    assert (first, second) == (200, 429)
    assert noted == [
        ("writer", "GET", where, 200),
        ("writer", "GET", where, 429),
        ("writer", "POST", f"{where}/wrapkey", 200),
    ]


def _modulus(key: KeyVaultKey) -> bytes:
    public: Any = key.key
    modulus: bytes = public.n
    return modulus
