"""Tokens: signed, discoverable, and refused by ARM when they are not for it."""

import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

from simulator.arm.config import Person, build
from simulator.arm.tokens import Tokens, pairwise
from tests.simulator.arm.stage import ADA, HEADER, IDENTITIES, SUB, TENANT, Stage

LIST = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults"


def discovery(stage: Stage, path: str) -> Any:
    """A discovery document."""
    return requests.get(f"{stage.arm}{path}", verify=stage.ca, timeout=5).json()


def test_the_managed_identity_endpoint_serves_the_sdk(stage: Stage) -> None:
    """azure-identity gets a token whose claims are the identity's, with a signature that the key set proves."""
    token = stage.credential("reader").get_token("https://storage.azure.com/.default").token
    keys = jwt.PyJWKSet.from_dict(discovery(stage, f"/{TENANT}/discovery/v2.0/keys"))

    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, keys[kid].key, ["RS256"], audience="https://storage.azure.com")

    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert claims["oid"] == claims["sub"] == IDENTITIES["reader"]["principal_id"]
    assert claims["appid"] == IDENTITIES["reader"]["client_id"]
    assert (claims["tid"], claims["ver"], claims["idtyp"]) == (TENANT, "1.0", "app")


def test_an_unknown_identity_and_a_wrong_header_get_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 for the one, 401 for the other, and azure-identity gives up at once."""
    stranger = ManagedIdentityCredential(client_id=TENANT)
    with pytest.raises((CredentialUnavailableError, ClientAuthenticationError)):
        stranger.get_token("https://management.azure.com/.default")
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises((CredentialUnavailableError, ClientAuthenticationError)):
        stage.credential("reader").get_token("https://management.azure.com/.default")

    reply = requests.get(
        stage.ready["token_url"],
        params={"resource": "x", "client_id": TENANT},
        headers={"X-IDENTITY-HEADER": HEADER},
        timeout=5,
    )
    assert (reply.status_code, reply.json()["statusCode"]) == (400, 400)


def test_discovery_keeps_the_host_and_azures_issuer(stage: Stage) -> None:
    """Endpoints lead back here, the issuer is the real one."""
    second = discovery(stage, f"/{TENANT}/v2.0/.well-known/openid-configuration")
    first = discovery(stage, f"/{TENANT}/.well-known/openid-configuration")

    assert second["issuer"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert second["token_endpoint"] == f"{stage.arm}/{TENANT}/oauth2/v2.0/token"
    assert second["jwks_uri"].startswith(stage.arm)
    assert first["issuer"] == f"https://sts.windows.net/{TENANT}/"


def test_client_credentials_give_a_token_that_arm_takes(stage: Stage) -> None:
    """Any secret does; the scope becomes the audience."""
    reply = requests.post(
        f"{stage.arm}/{TENANT}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": IDENTITIES["reader"]["client_id"],
            "client_secret": "anything",
            "scope": "https://management.azure.com/.default",
        },
        verify=stage.ca,
        timeout=5,
    ).json()

    answer = stage.call("GET", LIST, who="", headers={"Authorization": f"Bearer {reply['access_token']}"})

    assert answer.status_code == 200


def test_a_persons_token_is_for_the_app_only(stage: Stage) -> None:
    """Roles, scope and audience are the app's; ARM refuses it."""
    person = stage.ready["people"][0]
    keys = jwt.PyJWKSet.from_dict(discovery(stage, f"/{TENANT}/discovery/v2.0/keys"))

    claims = jwt.decode(
        person["token"],
        keys[jwt.get_unverified_header(person["token"])["kid"]].key,
        ["RS256"],
        audience="api://cmkwarden",
        issuer=f"https://login.microsoftonline.com/{TENANT}/v2.0",
    )
    refused = stage.call("GET", LIST, who="", headers={"Authorization": f"Bearer {person['token']}"})

    assert (claims["oid"], claims["roles"]) == (ADA["object_id"], ADA["roles"])
    assert (claims["scp"], claims["ver"], claims["idtyp"]) == ("user_impersonation", "2.0", "user")
    assert claims["exp"] - claims["iat"] == 12 * 3600
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_an_application_is_told_from_a_person_by_what_entra_leaves_out() -> None:
    """It has no scope and no name, and its subject is itself; a person's subject is another one for each audience."""
    tokens = Tokens(build(_config()))
    people = (Person("Release pipeline", "oid-1", ("Remediation.Approver",), "client-1"), Person("Nora", "oid-2", ()))
    own, hers = (jwt.decode(tokens.for_person(it), options={"verify_signature": False}) for it in people)

    assert (own["sub"], own["azp"], own["azpacr"]) == ("oid-1", "client-1", "1")
    assert not {"scp", "name", "idtyp"} & set(own)
    assert (hers["scp"], hers["azpacr"], "roles" in hers) == ("user_impersonation", "0", False)
    assert hers["sub"] not in {"oid-2", pairwise("oid-2", "another audience")}


def test_no_token_and_a_forged_one_are_refused(stage: Stage) -> None:
    """Codes, text and challenge header are the recorded ones."""
    missing = stage.call("GET", LIST, who="")
    own_key = Tokens(build(_config())).for_owner()
    forged = stage.call("GET", LIST, who="", headers={"Authorization": f"Bearer {own_key}"})

    assert missing.status_code == forged.status_code == 401
    assert missing.json() == {
        "error": {
            "code": "AuthenticationFailed",
            "message": "Authentication failed. The 'Authorization' header is missing.",
        }
    }
    assert missing.headers["WWW-Authenticate"] == (
        f'Bearer authorization_uri="https://login.windows.net/{TENANT}", error="invalid_token", '
        "error_description=\"The authentication failed because of missing 'Authorization' header.\""
    )
    assert forged.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_an_expired_token_is_named_so() -> None:
    """The text tells both times, as recorded."""
    tokens = Tokens(build(_config()))
    claims = {"aud": "https://management.azure.com", "iss": tokens.v1_issuer, "oid": "a", "tid": TENANT}
    old = tokens.sign({**claims, "exp": int(time.time()) - 5}, 0)

    with pytest.raises(Exception, match="The access token expiry UTC time '") as refused:
        tokens.check(f"Bearer {old}", "127.0.0.1")

    assert getattr(refused.value, "body", {})["error"]["code"] == "ExpiredAuthenticationToken"


def test_the_ready_line_is_all_that_is_printed(stage: Stage) -> None:
    """It names every address a player needs."""
    assert stage.ready["ready"] is True
    assert stage.arm.startswith("https://127.0.0.1:")
    assert stage.ready["token_url"] == f"{stage.manage}/msi/token"
    assert stage.call("GET", "/subscriptions").json()["value"][0]["subscriptionId"] == SUB


def _config() -> dict[str, Any]:
    return {"tenant": TENANT, "cert": "", "key": "", "identity_header": HEADER, "roles": {}, "knobs": {}}


def test_a_misspelt_entry_of_the_configuration_stops_the_start(tmp_path: Path) -> None:
    """A simulator that guesses would hide mistakes."""
    with pytest.raises(TypeError, match="tenent"):
        build({**_config(), "tenent": str(tmp_path)})
