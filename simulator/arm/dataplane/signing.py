"""Signing and verifying of digests, with RSA (RS, PS) and elliptic curves (ES), in the forms of RFC 7518."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from simulator.arm.answer import Answer, Json
from simulator.arm.dataplane import shapes, texts
from simulator.arm.dataplane.call import VaultCall
from simulator.arm.dataplane.operations import check_usable
from simulator.arm.keystore import latest
from simulator.arm.material import CURVES, Private

HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
# The curve that goes with each algorithm.
PAIRS = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "P-256K"}


async def sign(call: VaultCall) -> Answer:
    """POST …/sign: `{alg, value}`, where the value is a digest."""
    call.need("sign")
    body, sent = call.one(call.parts[2] if len(call.parts) > 3 else ""), call.body()
    check_usable(body, "sign")
    private, algorithm = await call.private(body), str(sent.get("alg"))
    digest, made = _digest(sent, "value"), _hash(private, algorithm)
    try:
        if isinstance(private, rsa.RSAPrivateKey):
            signature = private.sign(digest, _padding(algorithm), utils.Prehashed(made))
        else:
            signature = _flat(private.sign(digest, ec.ECDSA(utils.Prehashed(made))), private)
    except ValueError:
        raise texts.bad("The digest has not the length that the algorithm asks for.") from None
    return Answer(200, {"kid": f"{shapes.base(body)}/{latest(body)}", "value": shapes.text(signature)})


async def verify(call: VaultCall) -> Answer:
    """POST …/verify: `{alg, digest, value}`, where the value is a signature."""
    call.need("verify")
    body, sent = call.one(call.parts[2] if len(call.parts) > 3 else ""), call.body()
    check_usable(body, "verify")
    private, algorithm = await call.private(body), str(sent.get("alg"))
    digest, signature, made = _digest(sent, "digest"), _digest(sent, "value"), _hash(private, algorithm)
    try:
        if isinstance(private, rsa.RSAPrivateKey):
            private.public_key().verify(signature, digest, _padding(algorithm), utils.Prehashed(made))
        else:
            private.public_key().verify(_nested(signature), digest, ec.ECDSA(utils.Prehashed(made)))
    except (InvalidSignature, ValueError):
        return Answer(200, {"value": False})
    return Answer(200, {"value": True})


def _hash(private: Private, algorithm: str) -> hashes.HashAlgorithm:
    made = HASHES.get(algorithm[2:5])
    if isinstance(private, rsa.RSAPrivateKey):
        fits = algorithm[:2] in {"RS", "PS"} and len(algorithm) == 5
    else:
        curve = CURVES.get(PAIRS.get(algorithm, ""))
        fits = curve is not None and private.curve.name == curve().name
    if made is None or not fits:
        raise texts.bad(f"Key and signing key algorithm mismatch: '{algorithm}' is not supported by this key.")
    return made()


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(HASHES[algorithm[2:5]]()), padding.PSS.DIGEST_LENGTH)


def _digest(sent: Json, field: str) -> bytes:
    try:
        return shapes.raw(str(sent.get(field, "")))
    except ValueError:
        raise texts.bad(f"Property {field} is no base64url.") from None


def _flat(signature: bytes, private: ec.EllipticCurvePrivateKey) -> bytes:
    """Two numbers side by side, as JSON Web Signatures have them."""
    width = (private.key_size + 7) // 8
    return b"".join(number.to_bytes(width) for number in utils.decode_dss_signature(signature))


def _nested(signature: bytes) -> bytes:
    half = len(signature) // 2
    return utils.encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
