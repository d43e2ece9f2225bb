"""Where a template is deployed: what ids its resources get, and what `subscription()` and the like answer there."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.infra.judges.complaint import Fault

Kind = Literal["resourceGroup", "subscription", "managementGroup", "tenant"]
KINDS: dict[str, Kind] = {
    "deploymentTemplate.json": "resourceGroup",
    "subscriptionDeploymentTemplate.json": "subscription",
    "managementGroupDeploymentTemplate.json": "managementGroup",
    "tenantDeploymentTemplate.json": "tenant",
}
TENANT = "00000000-0000-4000-8000-00000000000a"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/"


def kind_of(template: dict[str, Any]) -> Kind:
    """Return the scope that a template says it is for. Raises Fault where its $schema is none of the known."""
    name = str(template.get("$schema", "")).rstrip("#").rsplit("/", 1)[-1]
    if name not in KINDS:
        raise Fault(f"$schema {template.get('$schema')!r} is that of no deployment template")
    return KINDS[name]


@dataclass(frozen=True)
class Scope:
    """One place where a template can be deployed."""

    kind: Kind
    subscription: str = "00000000-0000-4000-8000-000000000001"
    group: str = "rg-cmkwarden"
    management: str = "mg-platform"
    location: str = "westeurope"
    deployment: str = "main"

    @property
    def id(self) -> str:
        """The ARM id of the place; a tenant's is empty."""
        return {
            "resourceGroup": f"/subscriptions/{self.subscription}/resourceGroups/{self.group}",
            "subscription": f"/subscriptions/{self.subscription}",
            "managementGroup": MANAGEMENT + self.management,
            "tenant": "",
        }[self.kind]

    def nested(self, body: dict[str, Any]) -> "Scope":
        """Return where a nested deployment goes. Raises Fault for what is neither written by id nor by its own keys."""
        inner = replace(self, deployment=str(body["name"]))
        if body.get("scope"):
            return replace(inner, **_written(str(body["scope"])))
        if body.get("subscriptionId"):
            inner = replace(inner, kind="subscription", subscription=body["subscriptionId"])
        if body.get("resourceGroup"):
            inner = replace(inner, kind="resourceGroup", group=body["resourceGroup"])
        return inner

    def facts(self, name: str) -> dict[str, Any]:
        """Return what `subscription()`, `resourceGroup()` ... answer here. Raises Fault where Azure has no answer."""
        if name == "resourcegroup" and self.kind == "resourceGroup":
            return {"id": self.id, "name": self.group, "location": self.location, "tags": {}}
        if name == "subscription" and self.kind in {"resourceGroup", "subscription"}:
            place = f"/subscriptions/{self.subscription}"
            return {"id": place, "subscriptionId": self.subscription, "tenantId": TENANT, "displayName": "example"}
        if name == "managementgroup" and self.kind == "managementGroup":
            return {"id": self.id, "name": self.management, "type": "Microsoft.Management/managementGroups"}
        if name == "deployment":
            return {"name": self.deployment, "location": self.location, "properties": {}}
        if name == "tenant":
            return {"tenantId": TENANT}
        raise Fault(f"{name}() has no answer at {self.kind} scope")


def _written(place: str) -> dict[str, Any]:
    parts = place.strip("/").split("/")
    lower = [part.lower() for part in parts]
    if place == "/":
        return {"kind": "tenant"}
    if "managementgroups" in lower:
        return {"kind": "managementGroup", "management": parts[-1]}
    if lower[0] == "subscriptions" and len(parts) == 4:
        return {"kind": "resourceGroup", "subscription": parts[1], "group": parts[3]}
    if lower[0] == "subscriptions" and len(parts) == 2:
        return {"kind": "subscription", "subscription": parts[1]}
    raise Fault(f"scope {place!r} is no place for a deployment")


# What environment() answers in the public cloud, as far as templates ask for it:
# https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment
ENVIRONMENT: dict[str, Any] = {
    "name": "AzureCloud",
    "portal": "https://portal.azure.com",
    "resourceManager": "https://management.azure.com/",
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
}
