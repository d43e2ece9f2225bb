"""Subscriptions, tenants and the list of all resources.

A caller sees a subscription when some role lets it read anything there, as in Azure: no right of its own is asked for.
"""

from simulator.arm.answer import Answer, Json, no_subscription
from simulator.arm.providers.odata import bad_filter, conditions, has_tag
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route
from simulator.arm.world import SUBSCRIPTION

# Rows of the generic list carry these and no properties (generic_resource_lists.jsonl).
ROW = ("id", "name", "type", "kind", "managedBy", "sku", "identity", "zones", "location", "tags")
FILTERS = {"resourcetype": "type", "name": "name", "location": "location"}
# Named by these versions first, as far as answers of SDKs and CLI show; older ones know less of a subscription.
TENANT_SINCE, COUNT_SINCE, LOCATIONS_SINCE, TENANTS_SINCE = "2018-06-01", "2020-01-01", "2019-11-01", "2020-01-01"
REGIONS = {
    "westeurope": ("West Europe", "Europe", "4.9", "52.3667", "northeurope"),
    "northeurope": ("North Europe", "Europe", "-6.2597", "53.3478", "westeurope"),
    "eastus": ("East US", "US", "-79.8164", "37.3719", "westus"),
    "eastus2": ("East US 2", "US", "-78.3889", "36.6681", "centralus"),
    "westus": ("West US", "US", "-122.417", "37.783", "eastus"),
    "germanywestcentral": ("Germany West Central", "Europe", "8.682127", "50.110924", "germanynorth"),
}


def list_subscriptions(call: Call) -> Answer:
    """Those in which the caller may read something."""
    found = [
        _subscription(call, each)
        for each in call.sim.world.of_kind(SUBSCRIPTION)
        if call.sim.access.reaches(call.caller.oid, str(each["id"]))
    ]
    answer = page(call, found)
    if call.version[:10] >= COUNT_SINCE:
        answer.body["count"] = {"type": "Total", "value": len(found)}
    return answer


def _subscription(call: Call, body: Json) -> Json:
    if call.version[:10] >= TENANT_SINCE:
        return body
    return {name: value for name, value in body.items() if name not in {"tenantId", "managedByTenants"}}


def get_subscription(call: Call) -> Answer:
    """One of them; to somebody who may read nothing there it does not exist."""
    if not call.sim.access.reaches(call.caller.oid, call.target.path):
        raise no_subscription(call.target.subscription)
    return Answer(200, _subscription(call, call.found()))


def list_tenants(call: Call) -> Answer:
    """The one tenant there is."""
    tenant = call.sim.config.tenant
    row: Json = {"id": f"/tenants/{tenant}", "tenantId": tenant}
    if call.version[:10] >= TENANTS_SINCE:
        domain = "example.onmicrosoft.com"
        row |= {"countryCode": "DE", "displayName": "Simulated tenant", "domains": [domain]}
        row |= {"tenantCategory": "Home", "defaultDomain": domain, "tenantType": "AAD"}
    return page(call, [row])


def list_locations(call: Call) -> Answer:
    """Six regions, enough for clients that look one up. Nobody pages this list, so it comes whole."""
    where = f"/subscriptions/{call.target.subscription}/locations"
    return Answer(200, {"value": [_region(call, where, name, *facts) for name, facts in REGIONS.items()]})


def _region(call: Call, where: str, name: str, shown: str, area: str, east: str, north: str, pair: str) -> Json:
    row: Json = {"id": f"{where}/{name}", "name": name, "displayName": shown}
    if call.version[:10] < LOCATIONS_SINCE:
        return {**row, "longitude": east, "latitude": north}
    return {
        **row,
        "type": "Region",
        "regionalDisplayName": f"({area}) {shown}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "geographyGroup": area,
            "longitude": east,
            "latitude": north,
            "pairedRegion": [{"name": pair, "id": f"{where}/{pair}"}],
        },
    }


def list_resources(call: Call) -> Answer:
    """Every resource of a subscription or group, without its properties."""
    text = call.query.get("$filter", "")
    wanted, target = conditions(text), call.target
    if set(wanted) - {*FILTERS, "resourcegroup", "tagname", "tagvalue"}:
        raise bad_filter(text)
    prefix = f"/subscriptions/{target.subscription}/" + (f"resourceGroups/{target.group}/" if target.group else "")
    rows = sorted(
        (body for body in call.sim.world.below(prefix) if _is_listed(body) and _matches(body, wanted)),
        key=lambda body: fold(str(body["id"])),
    )
    answer = page(call, rows)
    more = {each.strip().lower() for each in call.query.get("$expand", "").split(",")}
    answer.body["value"] = [_listed_row(body, more) for body in answer.body["value"]]
    return answer


def _listed_row(body: Json, more: set[str]) -> Json:
    """What the list shows, and what `$expand` asks for beside it."""
    row = {field: body[field] for field in ROW if field in body}
    system, properties = body.get("systemData") or {}, body.get("properties") or {}
    created = system.get("createdAt", "2026-01-01T00:00:00.0000000Z")
    offered = {
        "createdTime": created,
        "changedTime": system.get("lastModifiedAt", created),
        "provisioningState": properties.get("provisioningState", "Succeeded"),
    }
    return row | {name: value for name, value in offered.items() if name.lower() in more}


def _matches(body: Json, wanted: dict[str, str]) -> bool:
    group = wanted.get("resourcegroup")
    return (
        all(fold(str(body.get(field))) == fold(wanted[name]) for name, field in FILTERS.items() if name in wanted)
        and (group is None or fold(route(body["id"]).group) == fold(group))
        and has_tag(body, wanted)
    )


def _is_listed(body: Json) -> bool:
    """Top-level resources only: no groups, children or extensions."""
    identity = fold(str(body["id"]))
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
