"""Subscriptions, tenants and the list of all resources.

A caller sees a subscription when some role lets it read anything there, as in Azure: no right of its own is asked for.
"""

import re

from simulator.arm.answer import Answer, Json, Refused, no_subscription
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.world import SUBSCRIPTION

# Rows of the generic list carry these and no properties (generic_resource_lists.jsonl).
ROW = ("id", "name", "type", "kind", "managedBy", "sku", "identity", "zones", "location", "tags")
CONDITION = re.compile(r"\s*(resourceType|name|location)\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def list_subscriptions(call: Call) -> Answer:
    """Those in which the caller may read something."""
    found = [
        each
        for each in call.sim.world.of_kind(SUBSCRIPTION)
        if call.sim.access.reaches(call.caller.oid, str(each["id"]))
    ]
    return page(call, found)


def get_subscription(call: Call) -> Answer:
    """One of them; to somebody who may read nothing there it does not exist."""
    if not call.sim.access.reaches(call.caller.oid, call.target.path):
        raise no_subscription(call.target.subscription)
    return Answer(200, call.found())


def list_tenants(call: Call) -> Answer:
    """The one tenant there is."""
    tenant = call.sim.config.tenant
    return page(call, [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Simulated tenant"}])


def list_locations(call: Call) -> Answer:
    """Two regions, enough for clients that look one up."""
    names = {"westeurope": "West Europe", "northeurope": "North Europe", "eastus": "East US"}
    where = f"/subscriptions/{call.target.subscription}/locations"
    rows = [
        {"id": f"{where}/{name}", "name": name, "type": "Region", "displayName": shown} for name, shown in names.items()
    ]
    return page(call, rows)


def list_resources(call: Call) -> Answer:
    """Every resource of a subscription or group, without its properties."""
    wanted = _conditions(call.query.get("$filter", ""))
    target = call.target
    prefix = f"/subscriptions/{target.subscription}/" + (f"resourceGroups/{target.group}/" if target.group else "")
    rows = sorted(
        (body for body in call.sim.world.below(prefix) if _is_listed(body) and _matches(body, wanted)),
        key=lambda body: str(body["id"]).lower(),
    )
    return page(call, [{field: body[field] for field in ROW if field in body} for body in rows])


def _conditions(text: str) -> dict[str, str]:
    """The part of OData that clients send: `a eq 'x' and b eq 'y'`."""
    wanted: dict[str, str] = {}
    for part in re.split(r"\band\b", text, flags=re.IGNORECASE) if text.strip() else []:
        match = CONDITION.fullmatch(part)
        if match is None:
            raise Refused(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")
        wanted[match[1].lower()] = match[2].lower()
    return wanted


def _matches(body: Json, wanted: dict[str, str]) -> bool:
    shown = {"resourcetype": body.get("type"), "name": body.get("name"), "location": body.get("location")}
    return all(str(shown[name]).lower() == value for name, value in wanted.items())


def _is_listed(body: Json) -> bool:
    """Top-level resources only: no groups, children or extensions."""
    identity = str(body["id"]).lower()
    return identity.count("/providers/") == 1 and identity.partition("/providers/")[2].count("/") == 2


KINDS = (
    Kind(
        "Microsoft.Resources/subscriptions",
        item={"GET": get_subscription},
        collection={"GET": list_subscriptions},
        verbs={"GET": ""},
    ),
    Kind("Microsoft.Resources/tenants", collection={"GET": list_tenants}, verbs={"GET": ""}),
    Kind("Microsoft.Resources/subscriptions/locations", collection={"GET": list_locations}),
    Kind("Microsoft.Resources/subscriptions/resources", collection={"GET": list_resources}),
    Kind("Microsoft.Resources/subscriptions/resourceGroups/resources", collection={"GET": list_resources}),
)
