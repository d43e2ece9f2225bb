"""infra/arm/main.json and group.json: everything at once, from a subscription or from a management group."""

from typing import Any

from infra.assemble import policies
from infra.assemble.alerts import alerts
from infra.assemble.app import PARAMETERS as OF_APP
from infra.assemble.app import app
from infra.assemble.arm import Json, guarded, output, parameter, resource, template
from infra.assemble.linked import linked
from infra.assemble.names import IS_MEANT_PRIVATE
from infra.assemble.nest import KIND, nested, offered
from infra.assemble.roles import roles
from infra.assemble.subscription import subscription
from infra.assemble.vault import vault

ALERTS: Any = alerts()["parameters"]
_HERE = parameter("string", "The region of all parts.", default="[deployment().location]")
PARAMETERS: Json = {
    **{name: declared for name, declared in OF_APP.items() if name not in {"location", "subscriptions"}},
    "location": _HERE,
    "resourceGroup": parameter("string", "The app's own resource group; made here.", default="rg-cmkwarden"),
    "writable": parameter("array", "Ids of those subscriptions where the writer may write. Empty: cmkwarden only looks.", default=[]),
    "narrowable": parameter("array", "Ids of those subscriptions where the writer may give and take roles, under the condition of infra/roles.", default=[]),
    "topics": parameter("object", "System topics that are there already: subscription id -> {group, name}. They need a system-assigned identity.", default={}),
    "vaults": parameter("array", "Vaults that hold keys: a list of {id, location, topic}; topic is the name of their system topic if there is one, else ''.", default=[]),
    "linked": parameter("array", "Ids of networks, access connectors and log workspaces that the writer's writes name.", default=[]),
    "alerts": parameter("bool", "True: alerts and the workbook (docs/alerts.md).", default=True),
    **{name: ALERTS[name] for name in ("actionGroups", "expectedPrincipals", "operationsPerDay")},
    "policies": parameter("bool", "True: the Azure Policy pack in each subscription, with its defaults (docs/policies.md).", default=False),
    "managedDisksPolicy": parameter("bool", "True: with the policy for managed disks, whose alias nobody has verified.", default=False),
    "subscribe": parameter("bool", "True: make the event subscriptions. Second phase: the code must be deployed first.", default=False),
}  # fmt: skip
_OUTPUTS = ("frontName", "handName", "frontUrl", "doorPrincipalId", "workspaceId", "componentId")


def main() -> Json:
    """Return the template for a subscription, which then holds the app."""
    looked_after = parameter(
        "array",
        "Ids of the subscriptions that are looked after.",
        default="[createArray(subscription().subscriptionId)]",
    )
    parameters = {**PARAMETERS, "subscriptions": looked_after}
    offers = {
        **{name: f"parameters('{name}')" for name in parameters},
        **{name: f"reference({_APP}).outputs.{name}.value" for name in app()["outputs"]},
        "isPrivate": IS_MEANT_PRIVATE,
    }
    here = {"resourceGroup": "[parameters('resourceGroup')]"}
    resources = [
        resource(
            "Microsoft.Resources/resourceGroups",
            "[parameters('resourceGroup')]",
            location="[parameters('location')]",
            tags="[parameters('tags')]",
            properties={},
        ),
        nested("cmkwarden-roles", roles(), offers, location="[parameters('location')]"),
        nested("cmkwarden-app", app(), offers, **here, dependsOn=[_GROUP]),
        nested(
            "cmkwarden-alerts",
            alerts(),
            {**offers, **_of_alerts(offers)},
            **here,
            **guarded("parameters('alerts')", {}),
            dependsOn=[f"[{_APP}]"],
        ),
        *_each(offers),
    ]
    return template("subscription", parameters, {}, resources, {name: output(offers[name]) for name in _OUTPUTS})


def group() -> Json:
    """Return the template for a management group: the same, with one more parameter for the subscription that holds the app."""
    whole = main()
    home = parameter("string", "Id of the subscription that holds the app.")
    looked_after = parameter("array", "Ids of the subscriptions that are looked after.")
    parameters = {**whole["parameters"], "home": home, "subscriptions": looked_after}
    inner = nested(
        "cmkwarden-estate",
        whole,
        offered(whole),
        subscriptionId="[parameters('home')]",
        location="[parameters('location')]",
    )
    estate = f"subscriptionResourceId(parameters('home'), '{KIND}', 'cmkwarden-estate')"
    outputs = {name: output(f"reference({estate}).outputs.{name}.value") for name in _OUTPUTS}
    return template("management group", parameters, {}, [inner], outputs)


_PLACE = "format('/subscriptions/{0}/resourceGroups/{1}', subscription().subscriptionId, parameters('resourceGroup'))"
_APP = f"extensionResourceId({_PLACE}, '{KIND}', 'cmkwarden-app')"
_GROUP = "[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('resourceGroup'))]"
_ROLES = f"subscriptionResourceId('{KIND}', 'cmkwarden-roles')"


def _of_alerts(offers: dict[str, str]) -> dict[str, str]:
    """Return what alerts ask for by names of their own."""
    logs, audit = offers["workspaceId"], "parameters('vaultLogWorkspaceId')"
    return {
        "workspace": logs,
        "auditWorkspace": f"if(empty({audit}), {logs}, {audit})",
        "ownPrincipals": f"createArray({offers['readerPrincipalId']}, {offers['writerPrincipalId']})",
    }


def _each(offers: dict[str, str]) -> list[Json]:
    """Return what there is once for each subscription, vault and linked resource."""
    this = "parameters('subscriptions')[copyIndex()]"
    topic = f"union(createObject({this}, createObject('group', 'rg-cmkwarden-events', 'name', 'cmkwarden-events')), parameters('topics'))[{this}]"
    of_subscription = {
        "writes": f"contains(parameters('writable'), {this})",
        "narrows": f"contains(parameters('narrowable'), {this})",
        "topicExists": f"contains(parameters('topics'), {this})",
        "topicGroup": f"{topic}.group",
        "topicName": f"{topic}.name",
    }
    at = "parameters('vaults')[copyIndex()]"
    of_vault = {
        "vaultName": f"last(split({at}.id, '/'))",
        "vaultLocation": f"{at}.location",
        "topicExists": f"not(empty({at}.topic))",
        "topicName": f"if(empty({at}.topic), format('cmkwarden-{{0}}', last(split({at}.id, '/'))), {at}.topic)",
    }
    link = "parameters('linked')[copyIndex()]"
    return [
        _copied("subscriptions", subscription(), {**offers, **of_subscription}, this, [_APP, _ROLES]),
        {
            **_copied(
                "policies", policies.subscription(), {"managedDisks": "parameters('managedDisksPolicy')"}, this, []
            ),
            **guarded("parameters('policies')", {}),
        },
        _copied("vaults", vault(), {**offers, **of_vault}, f"{at}.id", [_APP]),
        _copied("linked", linked(), {**offers, "resourceId": link}, link, [_APP, _ROLES]),
    ]


def _copied(what: str, inner: Json, offers: dict[str, str], of: str, after: list[str]) -> Json:
    """Return a deployment for each of a list: into a subscription by its id, or into the group of a resource by the id of that."""
    if what in {"subscriptions", "policies"}:
        place = {"subscriptionId": f"[{of}]", "location": "[parameters('location')]"}
    else:
        place = {"subscriptionId": f"[split({of}, '/')[2]]", "resourceGroup": f"[split({of}, '/')[4]]"}
    return nested(
        f"[format('cmkwarden-{what}-{{0}}', copyIndex())]",
        inner,
        offers,
        **place,
        copy={"name": what, "count": f"[length({of.partition('[')[0]})]"},
        dependsOn=[f"[{it}]" for it in after],
    )
