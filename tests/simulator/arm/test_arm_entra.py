"""Before anybody is signed in: what the cloud says of itself, and how Entra refuses."""

from typing import Any

import pytest
import requests

from tests.simulator.arm.stage import HEADER, IDENTITIES, SUB, TENANT, Stage

CLIENT = {"client_id": IDENTITIES["reader"]["client_id"], "client_secret": "anything"}
GRANT = {"grant_type": "client_credentials", "scope": "https://management.azure.com/.default", **CLIENT}


def see(stage: Stage, path: str, host: str = "", status: int = 200, version: str = "", authority: str = "") -> Any:
    """A document that needs no token, by the simulator's own name or by one of Azure's."""
    headers = {"Host": host} if host else {}
    given = {"api-version": version, "authorization_endpoint": authority}
    query = {name: value for name, value in given.items() if value}
    reply = requests.get(stage.arm + path, params=query, headers=headers, verify=stage.ca, timeout=5)
    assert reply.status_code == status, reply.text
    return reply.json()


def ask(stage: Stage, tenant: str, **changes: str) -> tuple[int, Any]:
    """A request for a token."""
    form = {name: value for name, value in {**GRANT, **changes}.items() if value}
    reply = requests.post(f"{stage.arm}/{tenant}/oauth2/v2.0/token", data=form, verify=stage.ca, timeout=5)
    return reply.status_code, reply.json()


def test_a_cloud_describes_itself_by_the_name_it_was_reached_by(stage: Stage) -> None:
    """Everything that is imitated leads back here; the rest is the public cloud's."""
    cloud = see(stage, "/metadata/endpoints", version="2022-09-01")

    assert cloud["name"] == "Simulator"
    assert cloud["resourceManager"] == cloud["authentication"]["loginEndpoint"] == stage.arm
    assert cloud["microsoftGraphResourceId"] == f"{stage.arm}/"
    assert cloud["authentication"]["audiences"][0] == "https://management.core.windows.net/"
    assert cloud["suffixes"]["keyVaultDns"] == "vault.azure.net"
    assert cloud["suffixes"]["storage"] == "core.windows.net"


def test_under_azures_name_it_is_the_public_cloud(stage: Stage) -> None:
    """As https://management.azure.com/metadata/endpoints answers."""
    cloud = see(stage, "/metadata/endpoints", "management.azure.com", version="2022-09-01")

    assert cloud["name"] == "AzureCloud"
    assert cloud["resourceManager"] == "https://management.azure.com/"
    assert cloud["authentication"]["loginEndpoint"] == "https://login.microsoftonline.com"
    assert cloud["authentication"]["tenant"] == "common"
    assert cloud["microsoftGraphResourceId"] == "https://graph.microsoft.com/"


def test_the_description_has_three_forms(stage: Stage) -> None:
    """A list of clouds until 2022, one cloud from then on, and the four fields of the first version."""
    listed = see(stage, "/metadata/endpoints", version="2019-05-01")
    first = see(stage, "/metadata/endpoints", version="2015-01-01")

    assert [each["name"] for each in listed] == ["Simulator"]
    assert sorted(first) == ["authentication", "galleryEndpoint", "graphEndpoint", "portalEndpoint"]


@pytest.mark.parametrize("authority", ["login.microsoftonline.com", "login.windows.net", "127.0.0.1"])
def test_known_instances_are_vouched_for_at_the_address_that_was_asked(stage: Stage, authority: str) -> None:
    """MSAL asks before it trusts an authority; it drops the port of a registered cloud, so this must not."""
    where = f"https://{authority}/{TENANT}/oauth2/v2.0/authorize"
    found = see(stage, "/common/discovery/instance", authority=where, version="1.1")

    assert found["tenant_discovery_endpoint"] == f"{stage.arm}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert found["metadata"][0]["preferred_network"] == "login.microsoftonline.com"
    assert "login.windows.net" in found["metadata"][0]["aliases"]


def test_an_unknown_instance_is_not(stage: Stage) -> None:
    """400 invalid_instance, which clients look for by name."""
    where = f"https://login.example.com/{TENANT}/oauth2/v2.0/authorize"
    refusal = see(stage, "/common/discovery/instance", status=400, authority=where)
    nothing = see(stage, "/common/discovery/instance", status=400)

    assert (refusal["error"], refusal["error_codes"]) == ("invalid_instance", [50049])
    assert refusal["error_description"] == "AADSTS50049: Unknown or invalid instance."
    assert nothing["error"] == "invalid_request"


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_shared_tenants_have_a_document_and_no_tokens(stage: Stage, tenant: str) -> None:
    """Their issuer is a template, and an application must say which tenant it means."""
    document = see(stage, f"/{tenant}/v2.0/.well-known/openid-configuration")
    status, refusal = ask(stage, tenant)

    assert document["issuer"] == "https://login.microsoftonline.com/{tenantid}/v2.0"
    assert document["token_endpoint"] == f"{stage.arm}/{tenant}/oauth2/v2.0/token"
    assert (status, refusal["error_codes"]) == (400, [50059])


def test_another_tenant_is_not_found(stage: Stage) -> None:
    """Its document and its tokens are refused alike."""
    status, refusal = ask(stage, SUB)
    document = see(stage, f"/{SUB}/v2.0/.well-known/openid-configuration", status=400)

    assert (status, refusal["error"], refusal["error_codes"]) == (400, "invalid_tenant", [90002])
    assert document["error_description"].startswith(f"AADSTS90002: Tenant '{SUB}' not found.")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"client_id": SUB}, (400, "unauthorized_client", [700016])),
        ({"client_secret": ""}, (401, "invalid_client", [7000216])),
        ({"scope": "https://management.azure.com"}, (400, "invalid_scope", [1002012])),
    ],
    ids=["stranger", "no secret", "no /.default"],
)
def test_a_bad_question_is_told_so(stage: Stage, changes: dict[str, str], wanted: tuple[int, str, list[int]]) -> None:
    """Each with the number that people search for."""
    status, refusal = ask(stage, TENANT, **changes)

    assert (status, refusal["error"], refusal["error_codes"]) == wanted


@pytest.mark.parametrize("selector", ["client_id", "principal_id", "object_id"])
def test_a_managed_identity_is_chosen_by_either_of_its_ids(stage: Stage, selector: str) -> None:
    """What App Service documents, and what MSAL sends; none and an unknown one get nothing."""
    chosen = IDENTITIES["writer"]["client_id" if selector == "client_id" else "principal_id"].upper()

    def token(**ids: str) -> Any:
        query = {"api-version": "2019-08-01", "resource": "https://management.azure.com", **ids}
        headers = {"X-IDENTITY-HEADER": HEADER}
        return requests.get(stage.ready["token_url"], params=query, headers=headers, timeout=5).json()

    assert token(**{selector: chosen})["client_id"] == IDENTITIES["writer"]["client_id"].upper()
    assert token(**{selector: TENANT})["statusCode"] == 400
    assert token()["statusCode"] == 400


def test_whether_a_group_exists_is_asked_with_head(stage: Stage) -> None:
    """204 or 404, as clients check."""
    there = stage.group("rg-entra")

    assert stage.call("HEAD", there).status_code == 204
    assert stage.call("HEAD", there + "-not").status_code == 404
