"""The sign-in side: the managed-identity endpoint, the token endpoint and their discovery documents.

URLs are built from the Host header, so that any port and any name works; the issuer is Azure's own (LOCAL 8).
Any client secret is right: the simulator guards what an identity may do, not who knows a password.
"""

import time
from collections.abc import Callable, Mapping

from simulator.arm import clouds
from simulator.arm.answer import Answer
from simulator.arm.config import Config, Identity
from simulator.arm.tokens import HOUR, Tokens

# Tenants that stand for whichever tenant somebody turns out to belong to.
SHARED = frozenset({"common", "organizations"})
# Texts as Microsoft Entra gives them (learn.microsoft.com, reference-error-codes, and reports that quote them).
CHECK_TENANT = (
    "Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your "
    "subscription administrator, this may happen if there are no active subscriptions for the tenant."
)
NO_TENANT = "No tenant-identifying information found in either the request or implied by any provided credentials."
NO_SECRET = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
BAD_SCOPE = (
    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
    "/.default suffixed to the resource identifier (application ID URI)."
)
Run = Callable[[str, str, Mapping[str, str]], Answer]


class Entra:
    """Answers the calls that ask for tokens."""

    def __init__(self, config: Config, tokens: Tokens) -> None:
        self._config = config
        self._tokens = tokens
        self._clients = {each.client_id.lower(): each for each in config.identities}
        self._table: dict[tuple[str, str], Run] = {
            ("POST", "oauth2/v2.0/token"): self._token,
            ("POST", "oauth2/token"): self._token,
            ("GET", ".well-known/openid-configuration"): self._first_discovery,
            ("GET", "v2.0/.well-known/openid-configuration"): self._second_discovery,
            ("GET", "discovery/keys"): self._keys,
            ("GET", "discovery/v2.0/keys"): self._keys,
        }

    def answer(
        self, method: str, path: str, base: str, query: Mapping[str, str], form: Mapping[str, str]
    ) -> Answer | None:
        """The reply to a sign-in call; None when the path is not one."""
        parts = path.strip("/").lower().split("/")
        tenant, rest = parts[0], "/".join(parts[1:])
        if (tenant, rest) == ("metadata", "endpoints"):
            return clouds.endpoints(base, self._config.tenant, query.get("api-version", ""))
        if (tenant, rest) == ("common", "discovery/instance"):
            return clouds.instance(base, self._config.tenant, query.get("authorization_endpoint", ""))
        run = self._table.get((method, rest))
        if run is None:
            return None
        if tenant != self._config.tenant.lower() and tenant not in SHARED:
            return clouds.refused(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found. {CHECK_TENANT}")
        return run(tenant, base, form)

    def managed_identity(self, query: Mapping[str, str], header: str | None) -> Answer:
        """App Service's managed-identity endpoint, api-version 2019-08-01."""
        if header != self._config.identity_header:
            return _no_identity(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        identity, resource = self._asked_for(query), query.get("resource", "")
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

    def _asked_for(self, query: Mapping[str, str]) -> Identity | None:
        """By client id or by object id; App Service calls that `principal_id`, MSAL sends `object_id` to it."""
        principal = (query.get("principal_id") or query.get("object_id") or "").lower()
        if principal:
            return next((each for each in self._clients.values() if each.principal_id.lower() == principal), None)
        return self._clients.get(query.get("client_id", "").lower())

    def _token(self, tenant: str, _base: str, form: Mapping[str, str]) -> Answer:
        """Client credentials; the scope, or the older resource, becomes the audience."""
        if tenant in SHARED:
            return clouds.refused(400, "invalid_request", 50059, NO_TENANT)
        client = form.get("client_id", "")
        identity: Identity | None = self._clients.get(client.lower())
        if identity is None or form.get("grant_type") != "client_credentials":
            text = f"Application with identifier '{client}' was not found in the directory."
            return clouds.refused(400, "unauthorized_client", 700016, text)
        if not form.get("client_secret") and not form.get("client_assertion"):
            return clouds.refused(401, "invalid_client", 7000216, NO_SECRET)
        scope = form.get("scope", "")
        if "resource" not in form and not scope.endswith("/.default"):
            return clouds.refused(400, "invalid_scope", 1002012, BAD_SCOPE.format(scope=scope))
        audience = form.get("resource") or scope.removesuffix("/.default")
        token = self._tokens.for_identity(identity, audience)
        return Answer(
            200,
            {"token_type": "Bearer", "expires_in": HOUR, "ext_expires_in": HOUR, "access_token": token},
        )

    def _keys(self, _tenant: str, _base: str, _form: Mapping[str, str]) -> Answer:
        return Answer(200, self._tokens.keys())

    def _first_discovery(self, tenant: str, base: str, _form: Mapping[str, str]) -> Answer:
        return self._discovery(tenant, base, "", self._tokens.v1_issuer)

    def _second_discovery(self, tenant: str, base: str, _form: Mapping[str, str]) -> Answer:
        return self._discovery(tenant, base, "v2.0/", self._tokens.v2_issuer)

    def _discovery(self, tenant: str, base: str, version: str, issuer: str) -> Answer:
        """The OpenID document. A shared tenant's has `{tenantid}` in its issuer, as Azure's own has."""
        own = f"{base}/{tenant}"
        return Answer(
            200,
            {
                "issuer": issuer.replace(self._config.tenant, "{tenantid}") if tenant in SHARED else issuer,
                "token_endpoint": f"{own}/oauth2/{version}token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "authorization_endpoint": f"{own}/oauth2/{version}authorize",
                "jwks_uri": f"{own}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token", "token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": None,
                "cloud_instance_name": "microsoftonline.com",
                "cloud_graph_host_name": "graph.windows.net",
                "msgraph_host": "graph.microsoft.com",
            },
        )


def _no_identity(status: int, message: str) -> Answer:
    return Answer(status, {"statusCode": status, "message": message})
