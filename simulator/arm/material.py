"""The secret half of keys: made on first use, never shown, gone with the version it belongs to.

Making an RSA key takes from 40 to 600 ms, so a key that is only listed never has one; it is made in a thread, which
OpenSSL lets run beside the event loop. Wrapping is real: what one version wrapped, no other unwraps.
"""

import asyncio
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from simulator.arm.router import fold

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "P-256K": ec.SECP256K1,
}
# SHA-1 is what RSA-OAEP means (RFC 7518, 4.3); Key Vault still offers it and RSA1_5.
ALGORITHMS: dict[str, Callable[[], padding.AsymmetricPadding]] = {
    "RSA1_5": padding.PKCS1v15,
    "RSA-OAEP": lambda: padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
    "RSA-OAEP-256": lambda: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}


class Material:
    """Private keys by the id of the key version."""

    def __init__(self) -> None:
        self._keys: dict[str, Private] = {}
        self._making: dict[str, asyncio.Task[Private]] = {}

    async def of(self, version_id: str, kind: str, size: int, curve: str) -> Private:
        """The private key of a version; two who ask at once get the same one."""
        identity = fold(version_id)
        if identity in self._keys:
            return self._keys[identity]
        making = self._making.get(identity)
        if making is None:
            making = asyncio.ensure_future(asyncio.to_thread(_make, kind, size, curve))
            self._making[identity] = making
        made = await asyncio.shield(making)
        self._making.pop(identity, None)
        return self._keys.setdefault(identity, made)

    def keep(self, version_id: str, private: Private) -> None:
        """A key that came from outside."""
        self._keys[fold(version_id)] = private

    def forget(self, start: str) -> None:
        """Destroy the keys of everything under an id."""
        prefix = fold(start).rstrip("/") + "/"
        for identity in [each for each in self._keys if each.startswith(prefix)]:
            del self._keys[identity]


def _make(kind: str, size: int, curve: str) -> Private:
    if kind.upper().startswith("EC"):
        return ec.generate_private_key(CURVES[curve]())
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def close(key: rsa.RSAPrivateKey, algorithm: str, value: bytes) -> bytes:
    """Wrap or encrypt; ValueError when the value is too long."""
    return key.public_key().encrypt(value, ALGORITHMS[algorithm]())


def open_(key: rsa.RSAPrivateKey, algorithm: str, value: bytes) -> bytes:
    """Unwrap or decrypt; ValueError when this key did not close it so."""
    return key.decrypt(value, ALGORITHMS[algorithm]())
