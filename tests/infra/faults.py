"""Faults to plant in a good template, each with the judges that must find it: a judge that finds none is no judge."""

import copy
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

from tests.infra.judges.cases import Case, assembled, values
from tests.infra.judges.expand import Expansion, expand

Template = dict[str, Any]
GOOD = Case("app.json", "everything")
STORAGE, SITE, PLAN = "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites", "Microsoft.Web/serverfarms"
CONTAINER, IDENTITY = f"{STORAGE}/blobServices/containers", "Microsoft.ManagedIdentity/userAssignedIdentities"
GRANT = "Microsoft.Authorization/roleAssignments"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


class Fault(NamedTuple):
    """What is wrong, who must find it, a piece of what they must say, and how it is planted."""

    sentence: str
    judges: set[str]
    says: str
    plant: Callable[[Template], object]


def planted(fault: Fault) -> Expansion:
    """Return the good template, expanded with a fault in it."""
    return expand(faulty(fault), values(GOOD.template)[GOOD.sentence])


def faulty(fault: Fault) -> Template:
    """Return the good template with a fault in it."""
    template = copy.deepcopy(assembled(GOOD.template))
    fault.plant(template)
    return template


def first(template: Template, kind: str) -> Template:
    """Return the first resource of a kind, also of those within a nested deployment."""
    inner = (
        one["properties"]["template"]["resources"] for one in template["resources"] if "template" in one["properties"]
    )
    found: Template = next(one for one in (*template["resources"], *chain(*inner)) if one["type"] == kind)
    return found


def setting(kind: str, path: str, value: object) -> Callable[[Template], object]:
    """Return how to write a value at a dotted path into the first resource of a kind."""

    def plant(template: Template) -> None:
        *way, last = path.split(".")
        place = first(template, kind)
        for key in way:
            place = place.setdefault(key, {})
        place[last] = value

    return plant


def without(kind: str, key: str) -> Callable[[Template], object]:
    """Return how to take a key from the first resource of a kind."""
    return lambda template: first(template, kind).pop(key)


def beside(resource: Template) -> Callable[[Template], object]:
    """Return how to add a resource."""
    return lambda template: template["resources"].append(resource)


def _twice(template: Template) -> None:
    template["resources"].append(copy.deepcopy(first(template, IDENTITY)))


def _subscription(operator: str, **more: object) -> Template:
    """Return an event subscription whose filter has an operator."""
    return {
        "type": "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        "apiVersion": "2025-02-15",
        "name": "topic/subscription",
        "properties": {
            "destination": {"endpointType": "StorageQueue", "properties": {"queueName": "wake", "resourceId": "/x"}},
            "filter": {"advancedFilters": [{"operatorType": operator, "key": "data.operationName", "values": ["a"]}]},
            **more,
        },
    }


def _role(action: str) -> Template:
    return {
        "type": "Microsoft.Authorization/roleDefinitions",
        "apiVersion": "2022-04-01",
        "name": "[guid('role')]",
        "properties": {
            "roleName": "too much",
            "type": "CustomRole",
            "permissions": [{"actions": [action]}],
            "assignableScopes": ["[resourceGroup().id]"],
        },
    }


BOTH = {"schemas", "bicep"}
FAULTS = [
    Fault("a property of storage is misspelt", BOTH, "alowSharedKeyAccess: unknown property", setting(STORAGE, "properties.alowSharedKeyAccess", value=False)),
    Fault("a property of a Flex app is misspelt", BOTH, "instanceMemory: unknown property", setting(SITE, "properties.functionAppConfig.scaleAndConcurrency.instanceMemory", 2048)),
    Fault("a TLS version that is none", BOTH, "'TLS9' is n", setting(STORAGE, "properties.minimumTlsVersion", "TLS9")),
    Fault("a runtime that is none", BOTH, "'pyton' is n", setting(SITE, "properties.functionAppConfig.runtime.name", "pyton")),
    Fault("a filter's operator that is none", BOTH, "StringStartsWith", beside(_subscription("StringStartsWith"))),
    Fault("storage without a sku", {"bicep"}, "missing sku", without(STORAGE, "sku")),
    Fault("an apiVersion that never was", {"schemas"}, "apiVersion 2029-01-01", setting(STORAGE, "apiVersion", "2029-01-01")),
    Fault("a parameter that is not declared", {"expand", "lint"}, "undefined parameter 'loc'", setting(STORAGE, "location", "[parameters('loc')]")),
    Fault("a function that is none", {"expand", "lint"}, "unknown function paramters", setting(STORAGE, "location", "[paramters('location')]")),
    Fault("an expression whose brackets do not close", {"expand", "lint"}, "unbalanced expression", setting(STORAGE, "location", "[toLower(parameters('location')]")),
    Fault("a dependency on what is not there", {"needs"}, "waits for what is not here: nothing", setting(STORAGE, "dependsOn", ["nothing"])),
    Fault("a name with fewer segments than its type", {"expand"}, "needs 3 name(s), not the 1", setting(CONTAINER, "name", "letters")),
    Fault("storage that takes HTTP and old TLS", {"checkov", "rules"}, "", lambda template: first(template, STORAGE)["properties"].update(supportsHttpsTrafficOnly=False, minimumTlsVersion="TLS1_0")),

    Fault("an expression without its last bracket", {"lint"}, "begins as one and does not end as one", setting(STORAGE, "location", "[parameters('location')")),
    Fault("a variable that is not there", {"expand", "lint"}, "undefined variable 'nowhere'", setting(STORAGE, "location", "[variables('nowhere')]")),
    Fault("a parameter that nothing uses", {"lint"}, "parameters.idle: nothing uses it", lambda template: template["parameters"].update(idle={"type": "string", "defaultValue": ""})),
    Fault("a parameter without a value", {"expand"}, "no value is given", lambda template: template["parameters"]["location"].pop("defaultValue")),
    Fault("a key as output", {"lint"}, "a secret is no output", lambda template: template["outputs"].update(state={"type": "string", "value": "[listKeys('x', '2025-06-01').keys[0].value]"})),
    Fault("a secret with a default", {"lint"}, "a secret has no default", lambda template: template["parameters"]["name"].update(type="securestring")),
    Fault("a region that is written out", {"lint"}, "'westeurope' is written out", setting(STORAGE, "location", "westeurope")),
    Fault("a host of one cloud", {"lint"}, "differs between clouds", setting(STORAGE, "tags", {"at": "https://management.azure.com/"})),
    Fault("a resource without an apiVersion", {"lint"}, "apiVersion is missing", without(STORAGE, "apiVersion")),
    Fault("a child that does not wait for its parent", {"needs"}, "does not wait for it", without(CONTAINER, "dependsOn")),
    Fault("an app that does not wait for its identity", {"needs"}, "userAssignedIdentities", setting(SITE, "dependsOn", [])),
    Fault("a resource twice", {"needs"}, "deployed twice", _twice),
    Fault("a circle", {"needs"}, "waits for itself in the end", lambda template: first(template, PLAN).update(dependsOn=[first(template, SITE)["name"]])),
    Fault("a property that the template's schema does not know", {"schemas"}, "descripton: unknown property", lambda template: template.update(descripton="")),
    Fault("a number where a text belongs", BOTH, "maximumInstanceCount", setting(SITE, "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount", "many")),
    Fault("a type that is none", {"bicep"}, "neither Bicep types nor official schemas know this type", setting(PLAN, "type", "Microsoft.Web/serverfarm")),
    Fault("a read-only property", {"bicep"}, "is read-only", setting(STORAGE, "properties.creationTime", "2026-01-01T00:00:00Z")),
    Fault("storage with shared keys", {"rules"}, "shared keys are off", setting(STORAGE, "properties.allowSharedKeyAccess", value=True)),
    Fault("storage with public blobs", {"rules"}, "no blob is public", setting(STORAGE, "properties.allowBlobPublicAccess", value=True)),
    Fault("an app over HTTP", {"checkov", "rules"}, "HTTPS", setting(SITE, "properties.httpsOnly", value=False)),
    Fault("an app with FTP", {"checkov", "rules"}, "FTP", setting(SITE, "properties.siteConfig.ftpsState", "AllAllowed")),
    Fault("an app with passwords for publishing", {"rules"}, "passwords for publishing", setting("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", value=True)),
    Fault("an identity that owns", {"rules"}, "no broad role", setting(GRANT, "properties.roleDefinitionId", f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{OWNER}')]")),
    Fault("a grant that does not say to whom", {"rules"}, "says what the principal is", lambda template: first(template, GRANT)["properties"].pop("principalType")),
    Fault("a role with a wildcard", {"rules"}, "no wildcard", beside(_role("Microsoft.KeyVault/*"))),
    Fault("dead letters without an identity", {"rules"}, "with an identity", beside(_subscription("StringBeginsWith", deadLetterDestination={"endpointType": "StorageBlob", "properties": {"resourceId": "/x", "blobContainerName": "letters"}}))),
    Fault("a setting that holds a key", {"rules"}, "no setting holds a key", beside({"type": "Microsoft.Web/sites/config", "apiVersion": "2024-11-01", "name": "app/appsettings", "properties": {"AzureWebJobsStorage": "AccountName=x;AccountKey=y"}})),
]  # fmt: skip
