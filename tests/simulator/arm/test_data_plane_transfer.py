"""Keys that are brought, taken away and used to sign, through the real clients."""

import base64
import hashlib
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.keyvault.keys import JsonWebKey
from azure.keyvault.keys.crypto import KeyWrapAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.simulator.arm.stage import OTHER_SUB, Stage
from tests.simulator.arm.vaultdoor import at, crypto, key_client, made_vault, seconds

ALL = ["all"]
SECRET = b"thirty-two bytes of a data key ."


def test_an_imported_key_is_that_key(stage: Stage) -> None:
    """What its owner wraps at home, the vault unwraps; the size is the key's own, the secret half is not shown."""
    made_vault(stage, "kv-import-1", ALL)
    home = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = home.private_numbers()
    parts = {
        "n": numbers.public_numbers.n,
        "e": numbers.public_numbers.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    }
    fields: dict[str, Any] = {name: _bytes(number) for name, number in parts.items()}
    jwk = JsonWebKey(kty="RSA", key_ops=["wrapKey", "unwrapKey"], **fields)

    made = key_client(stage, "kv-import-1").import_key("home", jwk)

    public: Any = made.key
    sealed = crypto(stage, made).wrap_key(KeyWrapAlgorithm.rsa_oaep, SECRET).encrypted_key
    shown = at(stage, "kv-import-1", "GET", "/keys/home").json()["key"]
    assert int.from_bytes(public.n) == numbers.public_numbers.n
    assert crypto(stage, made).unwrap_key(KeyWrapAlgorithm.rsa_oaep, sealed).key == SECRET
    assert set(shown) == {"kid", "kty", "key_ops", "n", "e"}
    with pytest.raises(HttpResponseError):
        key_client(stage, "kv-import-1").import_key("public", JsonWebKey(kty="RSA", n=fields["n"], e=fields["e"]))


def test_a_key_with_a_curve_signs(stage: Stage) -> None:
    """Made there or brought; another key's signature is not its own."""
    made_vault(stage, "kv-sign-1", ALL)
    client = key_client(stage, "kv-sign-1")
    brought = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    parts: dict[str, Any] = {
        "x": _bytes(brought.public_numbers.x, 32),
        "y": _bytes(brought.public_numbers.y, 32),
        "d": _bytes(brought.private_value, 32),
    }
    one = client.import_key("brought", JsonWebKey(kty="EC", crv="P-256", key_ops=["sign", "verify"], **parts))
    two = client.create_ec_key("made", curve="P-256")
    digest = hashlib.sha256(b"a text").digest()

    signature = _signed(stage, "brought", "ES256", digest)

    assert crypto(stage, one).verify(SignatureAlgorithm.es256, digest, signature).is_valid
    assert not crypto(stage, two).verify(SignatureAlgorithm.es256, digest, signature).is_valid
    assert _verified(stage, "brought", "ES256", digest, signature) is True
    assert _verified(stage, "made", "ES256", digest, signature) is False
    assert _sign(stage, "made", "RS256", digest).status_code == 400


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_an_rsa_key_signs(stage: Stage, algorithm: str) -> None:
    """The client verifies at home what the vault signed; an expired key verifies and does not sign."""
    made_vault(stage, "kv-sign-1", ALL)
    key = key_client(stage, "kv-sign-1").create_rsa_key(f"rsa-{algorithm.lower()}")
    digest = hashlib.sha256(b"a text").digest()
    signature = _signed(stage, key.name, algorithm, digest)
    at(stage, "kv-sign-1", "PATCH", f"/keys/{key.name}", {"attributes": {"exp": seconds(-60)}})

    assert crypto(stage, key).verify(SignatureAlgorithm(algorithm), digest, signature).is_valid
    assert _verified(stage, key.name, algorithm, digest, signature) is True
    assert _sign(stage, key.name, algorithm, digest).status_code == 403


def test_a_backup_comes_back_and_is_independent(stage: Stage) -> None:
    """In another vault of the subscription: same versions, same secret; switching the original off does not reach it."""
    made_vault(stage, "kv-backup-1", ALL)
    made_vault(stage, "kv-backup-2", ALL)
    here, there = key_client(stage, "kv-backup-1"), key_client(stage, "kv-backup-2")
    old, new = here.create_rsa_key("cmk"), here.create_rsa_key("cmk")
    sealed = crypto(stage, old).wrap_key(KeyWrapAlgorithm.rsa_oaep, SECRET).encrypted_key
    blob = here.backup_key("cmk")

    copy = there.restore_key_backup(blob)
    here.update_key_properties("cmk", old.properties.version, enabled=False)
    again = there.get_key("cmk", old.properties.version)

    assert copy.id == f"https://kv-backup-2.vault.azure.net/keys/cmk/{new.properties.version}"
    assert crypto(stage, again).unwrap_key(KeyWrapAlgorithm.rsa_oaep, sealed).key == SECRET
    assert blob.startswith(b"&AzureKeyVaultKeyBackupV1.microsoft.com")
    with pytest.raises(ResourceExistsError):
        there.restore_key_backup(blob)
    with pytest.raises(HttpResponseError) as broken:
        there.restore_key_backup(blob[:-1] + bytes([blob[-1] ^ 1]))
    assert broken.value.status_code == 400


def test_a_backup_does_not_leave_its_subscription(stage: Stage) -> None:
    """Another subscription's vault refuses it."""
    one = made_vault(stage, "kv-backup-3", ALL)
    body = stage.call("GET", one).json()
    elsewhere = stage.group("rg-keys", OTHER_SUB) + "/providers/Microsoft.KeyVault/vaults/kv-backup-4"
    stage.call("PUT", elsewhere, {"location": "westeurope", "properties": body["properties"]})
    client = key_client(stage, "kv-backup-3")
    client.create_rsa_key("cmk")

    with pytest.raises(HttpResponseError) as refused:
        key_client(stage, "kv-backup-4").restore_key_backup(client.backup_key("cmk"))

    assert refused.value.status_code == 400


def _bytes(number: int, width: int = 0) -> bytes:
    return number.to_bytes(width or (number.bit_length() + 7) // 8)


def _sign(stage: Stage, name: str, algorithm: str, digest: bytes) -> Any:
    return at(stage, "kv-sign-1", "POST", f"/keys/{name}/sign", {"alg": algorithm, "value": _text(digest)})


def _signed(stage: Stage, name: str, algorithm: str, digest: bytes) -> bytes:
    answer = _sign(stage, name, algorithm, digest)
    assert answer.status_code == 200, answer.text
    return base64.urlsafe_b64decode(answer.json()["value"] + "==")


def _verified(stage: Stage, name: str, algorithm: str, digest: bytes, signature: bytes) -> Any:
    body = {"alg": algorithm, "digest": _text(digest), "value": _text(signature)}
    return at(stage, "kv-sign-1", "POST", f"/keys/{name}/verify", body).json()["value"]


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
