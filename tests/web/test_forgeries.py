"""Ten thousand ways not to get in: each is 401 or 403, on any route, and nothing has happened afterwards."""

import base64
import hashlib
import hmac
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.web.gate import is_api
from tests.web.entry import HOST, KEY, RUNNER, Entry, app_token, claims, id_token, token

MANY = 10_000
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
GOOD = token("Admin", oid="dana-oid")
READS = [
    "/api/remediations",
    "/api/findings",
    "/api/poison",
    "/api/explain",
    "/api/openapi.json",
    "/api/no",
    "/",
    "/api/%2e%2e",
]
WRITES = [
    "/api/remediations/aaaaaaaaaaaaaaaa/approve",
    "/api/remediations/aaaaaaaaaaaaaaaa/undo",
    "/api/poison/x/redrive",
    "/api/no",
]
PRINCIPAL = base64.b64encode(
    json.dumps(
        {"auth_typ": "aad", "claims": [{"typ": "roles", "val": "Remediation.Admin"}], "role_typ": "roles"}
    ).encode()
).decode()


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _made(header: dict[str, Any], body: dict[str, Any], secret: bytes | None) -> str:
    """Return a token as a forger makes it, with an HMAC or without a signature."""
    head = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(body).encode())}"
    return f"{head}.{_b64(hmac.digest(secret, head.encode(), 'sha256')) if secret is not None else ''}"


def _unsigned() -> Iterator[str]:
    for name in ("none", "None", "NONE", "nOnE", "", "RS256", "HS256"):
        for body in (claims("Admin"), claims("Admin", nonce="n", scp=None)):
            yield _made({"alg": name, "typ": "JWT", "kid": "one"}, body, None)
            yield _made({"alg": name}, body, None) + _b64(b"x" * 256)


def _confused() -> Iterator[str]:
    """HS256 with the public key as the secret, in every form in which it is published."""
    public = KEY.public_key()
    forms = [
        public.public_bytes(encoding, kind)
        for encoding, kind in (
            (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            (serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
            (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
            (serialization.Encoding.DER, serialization.PublicFormat.PKCS1),
        )
    ]
    jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    forms += [json.dumps(jwk).encode(), str(jwk["n"]).encode(), b"", hashlib.sha256(forms[0]).digest()]
    for secret in (*forms, *(form.rstrip(b"\n") for form in forms[:2])):
        for name in ("HS256", "RS256"):
            yield _made({"alg": name, "kid": "one"}, claims("Admin"), secret)


def _foreign() -> Iterator[str]:
    """Signed well by somebody else, with every hint in the header where the key might be found."""
    jwk = RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True)
    for header in (
        {"kid": "one"}, {"kid": "two"}, {}, {"kid": "one", "jwk": jwk}, {"kid": "one", "jku": "https://evil.example.net/keys"},
        {"kid": "one", "x5u": "https://evil.example.net/cert"}, {"kid": "../../../dev/null"}, {"kid": "' or 1=1 --"},
        {"kid": "one\x00"}, {"kid": "ONE"}, {"kid": "x" * 5000},
    ):  # fmt: skip
        for name in ("RS256", "RS384", "RS512", "PS256"):
            yield jwt.encode(claims("Admin"), STRANGER, name, headers=header)
    for name in ("RS384", "RS512", "PS256", "PS512"):  # our key, and not the way that we ask for
        yield jwt.encode(claims("Admin"), KEY, name, headers={"kid": "one"})


def _wrong() -> Iterator[str]:
    """Signed by our tenant, for somebody, some time, or somewhere else."""
    missing: list[dict[str, Any]] = [{name: None} for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "oid", "tid")]
    wrong: list[dict[str, Any]] = [
        {"exp": 1}, {"exp": 1_700_000_000}, {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}, {"exp": 1, "nbf": 0},
        {"aud": "api://cmkwarden2"}, {"aud": "https://management.azure.com"}, {"aud": "API://CMKWARDEN"}, {"aud": ""},
        {"aud": []}, {"aud": ["other"]}, {"aud": "api://cmkwarden/"}, {"tid": "other"}, {"tid": ""}, {"tid": ["x"]},
        {"iss": "https://login.microsoftonline.com/common/v2.0"}, {"iss": "https://sts.windows.net/other/"}, {"iss": ""},
        {"iss": "https://login.microsoftonline.com/7a1c0f5e-0d3b-4b7e-9a52-3f6f2a0c1d00/v2.0/"}, {"oid": ""},
        {"oid": 7}, {"oid": ["ada-oid"]}, {"oid": {"a": 1}}, {"sub": 7},
    ]  # fmt: skip
    for changes in (*missing, *wrong):
        yield token("Admin", **changes)
        yield id_token("Admin", **changes)
    for roles in (
        "Remediation.Admin",
        [],
        ["Cmk.Admin"],
        ["remediation.admin"],
        ["Admin"],
        {"Remediation.Admin": 1},
        [["Remediation.Admin"]],
    ):
        yield token(roles=roles)


def _mangled(dice: random.Random) -> Iterator[str]:
    """A good token with something changed, cut off, or put in."""
    while True:
        text = list(GOOD)
        for _ in range(dice.choice((1, 1, 1, 5))):
            place = dice.randrange(len(text) - 2)  # the last characters may hold bits that no decoder looks at
            text[place] = dice.choice([it for it in "ABCabc019-_.=+/ é\x00" if it != text[place]])
        yield "".join(text)
        yield GOOD[: dice.randrange(len(GOOD) - 1)]
        parts = GOOD.split(".")
        dice.shuffle(parts)
        yield ".".join(parts) if ".".join(parts) != GOOD else "."
        yield ".".join(dice.choice((*parts, "", "e30", "bnVsbA", "W10")) for _ in range(dice.choice((2, 3, 5)))) + "."
        yield "".join(chr(dice.randrange(1, 256)) for _ in range(dice.randrange(60)))


def _requests(dice: random.Random) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Yield requests that must not get in: method, path, headers."""
    fixed = [*_unsigned(), *_confused(), *_foreign(), *_wrong(), "a" * 20_000, "." * 17_000, GOOD + GOOD, GOOD + ".x"]
    apps = [
        app_token("Admin"),
        app_token("Approver", idtyp="app"),
        app_token("Admin", nonce="n", preferred_username="x"),
    ]
    mangled = _mangled(dice)
    forged = [
        ("x-ms-client-principal", PRINCIPAL),
        ("x-ms-client-principal-id", "dana-oid"),
        ("x-ms-client-principal-name", "dana"),
    ]
    while True:
        for bad in (*fixed, *(next(mangled) for _ in range(300))):
            method = dice.choice(("GET", "POST", "DELETE", "HEAD", "PUT"))
            yield method, dice.choice(READS + WRITES), _carried(dice, bad, forged)
        for bad in (*apps, token("Reader"), token()):
            yield dice.choice(("POST", "DELETE", "PATCH")), dice.choice(WRITES), _carried(dice, bad, forged)
        yield "GET", dice.choice(READS), forged
        yield "POST", dice.choice(WRITES), [*forged, ("cookie", f"AppServiceAuthSession={GOOD}")]
        yield (
            "GET",
            dice.choice(READS),
            [("authorization", f"Basic {GOOD}"), ("x-ms-token-aad-id-token", id_token("Admin"))],
        )
        yield "GET", dice.choice(READS), [("authorization", f"Bearer {GOOD}"), ("authorization", f"Bearer {GOOD}")]
        yield "GET", f"{dice.choice(READS)}?access_token={GOOD}&code={GOOD}", forged


def _carried(dice: random.Random, bad: str, forged: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers that carry a token: as a program, or as a browser's sign-in from our own page; some with more lies."""
    ours = [("sec-fetch-site", "same-origin"), ("content-type", "application/json"), ("host", HOST)]
    name = dice.choice(("authorization", "authorization", "x-ms-token-aad-id-token", "x-ms-token-aad-access-token"))
    carried = (name, f"Bearer {bad}" if name == "authorization" else bad)
    return [carried, *ours, *(forged if dice.random() < 0.3 else [])]


def test_nobody_gets_in_with_a_forgery() -> None:
    """Malformed, unsigned, confused, foreign, expired, early, for others, of applications, or no token at all."""
    entry = Entry()
    entry.waiting()
    before, seen = (dict(entry.world.records.rows), list(entry.world.queue.sent)), Counter[int]()

    async def all_of_them() -> None:
        for _, (method, path, headers) in zip(range(MANY), _requests(random.Random(0)), strict=False):
            answer = await entry.send(method, path, headers)
            seen[answer.status] += 1
            assert answer.status in {401, 403}, (method, path, headers, answer.body[:300])
            is_problem = answer.headers["content-type"] == "application/problem+json"
            assert is_problem == is_api(path.partition("?")[0])  # whatever else there is, is a page
            assert GOOD.encode() not in answer.body

    RUNNER.run(all_of_them())

    assert sum(seen.values()) == MANY
    assert seen[403] > MANY / 200
    assert (dict(entry.world.records.rows), list(entry.world.queue.sent)) == before
    assert entry.call("GET", "/api/remediations", GOOD).status == 200  # the same door opens for the real one
