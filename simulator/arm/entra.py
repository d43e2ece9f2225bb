"""The sign-in side: the managed-identity endpoint, the token endpoint and their discovery documents.

URLs are built from the Host header, so that any port and any name works; the issuer is Azure's own (LOCAL 8).
Any client secret is right: the simulator guards what an identity may do, not who knows a password.
"""

import time
from collections.abc import Mapping

from simulator.arm.answer import Answer, Json
from simulator.arm.config import Config, Identity
from simulator.arm.tokens import HOUR, Tokens


class Entra:
    """Answers the calls that ask for tokens."""

    def __init__(self, config: Config, tokens: Tokens) -> None:
        self._config = config
        self._tokens = tokens
        self._clients = {each.client_id.lower(): each for each in config.identities}

    def answer(self, method: str, path: str, base: str, form: Mapping[str, str]) -> Answer | None:
        """The reply to a sign-in call; None when the path is not one."""
        parts = path.strip("/").lower().split("/")
        if parts[0] == "metadata" and parts[-1] == "endpoints":
            return Answer(200, self._endpoints(base))
        if parts[0] not in {self._config.tenant.lower(), "common", "organizations"}:
            return None
        rest = "/".join(parts[1:])
        if method == "POST" and rest in {"oauth2/v2.0/token", "oauth2/token"}:
            return self._client_credentials(form)
        if rest.endswith(".well-known/openid-configuration"):
            return Answer(200, self._discovery(base, "v2.0/" if rest.startswith("v2.0") else ""))
        if rest in {"discovery/v2.0/keys", "discovery/keys"}:
            return Answer(200, self._tokens.keys())
        return None

    def managed_identity(self, query: Mapping[str, str], header: str | None) -> Answer:
        """App Service's managed-identity endpoint, api-version 2019-08-01."""
        if header != self._config.identity_header:
            return _no_identity(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        identity = self._clients.get(query.get("client_id", "").lower())
        resource = query.get("resource", "")
        if identity is None or not resource:
            return _no_identity(400, "Unable to load the proper Managed Identity.")
        token = self._tokens.for_identity(identity, resource)
        return Answer(
            200,
            {
                "access_token": token,
                "expires_on": str(int(time.time()) + HOUR),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": identity.client_id.upper(),
            },
        )

    def _client_credentials(self, form: Mapping[str, str]) -> Answer:
        client = form.get("client_id", "")
        identity: Identity | None = self._clients.get(client.lower())
        if identity is None or form.get("grant_type") != "client_credentials":
            text = f"AADSTS700016: Application with identifier '{client}' was not found in the directory."
            return Answer(400, {"error": "unauthorized_client", "error_description": text, "error_codes": [700016]})
        audience = form.get("resource") or form.get("scope", "").removesuffix("/.default")
        token = self._tokens.for_identity(identity, audience)
        return Answer(
            200,
            {"token_type": "Bearer", "expires_in": HOUR, "ext_expires_in": HOUR, "access_token": token},
        )

    def _discovery(self, base: str, version: str) -> Json:
        tenant = self._config.tenant
        own = f"{base}/{tenant}"
        issuer = self._tokens.v2_issuer if version else self._tokens.v1_issuer
        return {
            "issuer": issuer,
            "token_endpoint": f"{own}/oauth2/{version}token",
            "authorization_endpoint": f"{own}/oauth2/{version}authorize",
            "jwks_uri": f"{own}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": None,
            "cloud_instance_name": "microsoftonline.com",
        }

    def _endpoints(self, base: str) -> Json:
        """The cloud's description, in the object form of 2022-09-01 that `az cloud register` reads."""
        return {
            "name": "Simulator",
            "resourceManager": base,
            "portal": base,
            "gallery": base,
            "graph": base,
            "authentication": {
                "loginEndpoint": base,
                "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                "tenant": self._config.tenant,
                "identityProvider": "AAD",
            },
            "suffixes": {"keyVaultDns": "vault.azure.net", "storage": "core.windows.net"},
        }


def _no_identity(status: int, message: str) -> Answer:
    return Answer(status, {"statusCode": status, "message": message})
