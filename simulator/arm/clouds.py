"""What the cloud says of itself before anybody signs in: its endpoints, and which sign-in hosts it knows.

Reached under Azure's own names it answers with Azure's addresses; under any other name, with that name everywhere, so that
`az cloud register` leads a client back here. Addresses of services that are not imitated are the public cloud's
(Azure CLI 2.91, azure/cli/core/cloud.py), and the field names those that its mapper reads.
"""

from typing import Any
from urllib.parse import urlsplit

from simulator.arm.answer import Answer, Json

MANAGEMENT = "https://management.azure.com"
LOGIN = "https://login.microsoftonline.com"
LOGIN_HOSTS = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")
# MSAL asks login.microsoftonline.com even about the address of a registered cloud.
OWN_NAMES = ("127.0.0.1", "localhost")
AUDIENCES = ["https://management.core.windows.net/", "https://management.azure.com/"]
ELSEWHERE = {
    "portal": "https://portal.azure.com",
    "gallery": "https://gallery.azure.com/",
    "batch": "https://batch.core.windows.net/",
    "media": "https://rest.media.azure.net",
    "activeDirectoryDataLake": "https://datalake.azure.net/",
    "sqlManagement": "https://management.core.windows.net:8443/",
    "appInsightsResourceId": "https://api.applicationinsights.io",
    "appInsightsTelemetryChannelResourceId": "https://dc.applicationinsights.azure.com/v2/track",
    "attestationResourceId": "https://attest.azure.net",
    "logAnalyticsResourceId": "https://api.loganalytics.io",
    "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
    "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
    "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/"
    "quickstart-templates/aliases.json",
}
SUFFIXES = {
    "acrLoginServer": "azurecr.io",
    "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
    "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
    "keyVaultDns": "vault.azure.net",
    "mariadbServerEndpoint": "mariadb.database.azure.com",
    "mhsmDns": "managedhsm.azure.net",
    "mysqlServerEndpoint": "mysql.database.azure.com",
    "postgresqlServerEndpoint": "postgres.database.azure.com",
    "sqlServerHostname": "database.windows.net",
    "storage": "core.windows.net",
    "storageSyncEndpointSuffix": "afs.azure.net",
    "synapseAnalytics": "dev.azuresynapse.net",
}
# Up to the last version before this one the answer is a list of clouds; from it on, one object (LOCAL 8).
ONE_CLOUD_SINCE = "2022-09-01"
# The first form, which msrestazure still reads (msrestazure/azure_cloud.py).
NAMED_ENDPOINTS_UNTIL = "2019-05-01"


def endpoints(base: str, tenant: str, version: str) -> Answer:
    """GET /metadata/endpoints, in the form that the api-version asks for."""
    cloud = _cloud(base, tenant)
    if version and version[:10] < NAMED_ENDPOINTS_UNTIL:
        named = ("gallery", "graph", "portal")
        first: Json = {f"{name}Endpoint": cloud[name] for name in named}
        return Answer(200, {**first, "authentication": cloud["authentication"]})
    return Answer(200, [cloud] if version and version[:10] < ONE_CLOUD_SINCE else cloud)


def instance(base: str, tenant: str, asked: str) -> Answer:
    """GET /common/discovery/instance: whether a sign-in host is one of this cloud's, and its other names."""
    place = urlsplit(asked)
    own = urlsplit(base)
    if not place.hostname:
        return refused(400, "invalid_request", 900144, "The request body must contain the following parameter: "
                       "'authorization_endpoint'.")  # fmt: skip
    if place.hostname.lower() not in {*LOGIN_HOSTS, *OWN_NAMES, own.hostname}:
        return refused(400, "invalid_instance", 50049, "Unknown or invalid instance.")
    asked_tenant = place.path.strip("/").partition("/")[0] or tenant
    # At the address that was asked: MSAL drops the port of the one it asks about.
    found = f"{base}/{asked_tenant}/v2.0/.well-known/openid-configuration"
    return Answer(
        200,
        {
            "tenant_discovery_endpoint": found,
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": LOGIN_HOSTS[0],
                    "preferred_cache": "login.windows.net",
                    "aliases": list(LOGIN_HOSTS),
                }
            ],
        },
    )


def refused(status: int, error: str, number: int, text: str) -> Answer:
    """Entra says no, in its own envelope."""
    description = f"AADSTS{number}: {text}"
    return Answer(status, {"error": error, "error_description": description, "error_codes": [number]})


def _cloud(base: str, tenant: str) -> dict[str, Any]:
    is_real = base == MANAGEMENT
    graph, directory = "https://graph.microsoft.com/", "https://graph.windows.net/"
    return {
        **ELSEWHERE,
        "name": "AzureCloud" if is_real else "Simulator",
        "authentication": {
            "loginEndpoint": LOGIN if is_real else base,
            "audiences": AUDIENCES,
            "tenant": "common" if is_real else tenant,
            "identityProvider": "AAD",
        },
        "resourceManager": f"{MANAGEMENT}/" if is_real else base,
        "graph": directory if is_real else f"{base}/",
        "graphAudience": directory if is_real else f"{base}/",
        "microsoftGraphResourceId": graph if is_real else f"{base}/",
        "suffixes": SUFFIXES,
    }
