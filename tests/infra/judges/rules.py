"""Judges what is deployed by rules of our own: what checkov does not look at, and what this product must never deploy."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.infra.judges.complaint import Complaint
from tests.infra.judges.expand import Expansion, Resource

Body = dict[str, Any]
Rule = tuple[str, Callable[[Body], bool]]
# Built-in roles that hold more than any part of ours may: their ids are the same in every tenant.
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BROAD = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
}
SECRET = re.compile(r"AccountKey=|SharedAccessKey=|SharedAccessSignature=|[?&]sig=", re.IGNORECASE)


def at(body: Body, path: str) -> Any:
    """Return what lies under a dotted path, or None."""
    value: Any = body
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _is(path: str, wanted: Any) -> Callable[[Body], bool]:
    return lambda body: at(body, path) == wanted and type(at(body, path)) is type(wanted)


def _role(body: Body) -> bool:
    return str(at(body, "properties.roleDefinitionId")).rsplit("/", 1)[-1].lower() not in BROAD


def _actions(body: Body) -> bool:
    permissions = at(body, "properties.permissions") or []
    return not any(
        "*" in action for one in permissions for kind in ("actions", "dataActions") for action in one.get(kind, [])
    )


def _sites(body: Body) -> bool:
    return at(body, "properties.siteConfig.minTlsVersion") in {"1.2", "1.3"}


def _settings(body: Body) -> bool:
    values = [*(at(body, "properties") or {}).values()] if str(body["name"]).endswith("/appsettings") else []
    return not any(SECRET.search(str(value)) for value in values)


def _letters(body: Body) -> bool:
    return not at(body, "properties.deadLetterDestination")


RULES: dict[str, list[Rule]] = {
    "Microsoft.Storage/storageAccounts": [
        ("shared keys are off", _is("properties.allowSharedKeyAccess", wanted=False)),
        ("no blob is public", _is("properties.allowBlobPublicAccess", wanted=False)),
        ("no copy to other tenants", _is("properties.allowCrossTenantReplication", wanted=False)),
        ("HTTPS only", _is("properties.supportsHttpsTrafficOnly", wanted=True)),
        ("TLS 1.2", _is("properties.minimumTlsVersion", "TLS1_2")),
    ],
    "Microsoft.Storage/storageAccounts/blobServices/containers": [
        ("no container is public", lambda body: at(body, "properties.publicAccess") in {None, "None"}),
    ],
    "Microsoft.Web/sites": [
        ("HTTPS only", _is("properties.httpsOnly", wanted=True)),
        ("TLS 1.2", _sites),
        ("FTP is off", _is("properties.siteConfig.ftpsState", "Disabled")),
        ("nobody debugs from afar", _is("properties.siteConfig.remoteDebuggingEnabled", wanted=False)),
        ("it has identities of its own", _is("identity.type", "UserAssigned")),
    ],
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": [
        ("passwords for publishing are off", _is("properties.allow", wanted=False)),
    ],
    "Microsoft.Web/sites/config": [("no setting holds a key", _settings)],
    "Microsoft.Insights/components": [
        ("telemetry is sent with an identity", _is("properties.DisableLocalAuth", wanted=True)),
    ],
    "Microsoft.Authorization/roleAssignments": [
        ("no broad role", _role),
        ("says what the principal is: a new one is not known everywhere yet", _is("properties.principalType", "ServicePrincipal")),
    ],
    "Microsoft.Authorization/roleDefinitions": [("no wildcard", _actions)],
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": [("dead letters are written with an identity", _letters)],
}  # fmt: skip


def rules(expansion: Expansion) -> list[Complaint]:
    """Return what breaks a rule of ours."""
    found = [
        Complaint(resource.path, sentence, resource.kind)
        for resource in expansion.resources
        for sentence, kept in RULES.get(resource.kind, [])
        if not kept(resource.body)
    ]
    return found + list(_passwords(list(expansion.resources)))


def _passwords(resources: list[Resource]) -> Iterator[Complaint]:
    """Yield the apps whose publishing passwords, for FTP and for the deployment site, nothing switches off."""
    names = {one.body["name"].lower() for one in resources if one.kind.endswith("/basicPublishingCredentialsPolicies")}
    for site in resources:
        wanted = {f"{site.body['name']}/{way}".lower() for way in ("ftp", "scm")}
        if site.kind == "Microsoft.Web/sites" and not wanted <= names:
            yield Complaint(site.path, "passwords for publishing are off, both", site.kind)
