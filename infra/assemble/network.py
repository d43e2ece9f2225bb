"""The private mode: addresses inside your network for storage and both apps. Networks and zones are yours, by id."""

from infra.assemble import names
from infra.assemble.arm import Json, guarded, identify, resource

KIND = "Microsoft.Network/privateEndpoints"
_ACCOUNT, _SITE = "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"
# name of the endpoint -> what it leads to, and which of its services; the zone of that name is in `dnsZoneIds`.
ENDPOINTS = {
    "state-blob": (_ACCOUNT, names.STATE, "blob"),
    "state-queue": (_ACCOUNT, names.STATE, "queue"),
    "state-table": (_ACCOUNT, names.STATE, "table"),
    "hand-blob": (_ACCOUNT, names.HAND_ACCOUNT, "blob"),
    "front": (_SITE, names.FRONT, "sites"),
    "hand": (_SITE, names.HAND, "sites"),  # to deploy by: hand answers no request of its own
}


def resources() -> list[Json]:
    """Return the endpoints and their entries in the zones. Without a zone, a policy of yours must make the entry."""
    found = []
    for called, (kind, name, service) in ENDPOINTS.items():
        found += [_endpoint(called, kind, name, service), _entry(called, service)]
    return found


def _endpoint(called: str, kind: str, name: str, service: str) -> Json:
    target = identify(kind, name)
    link = {
        "name": service,
        "properties": {"privateLinkServiceId": f"[{target}]", "groupIds": [service]},
    }
    return resource(
        KIND,
        f"[format('{{0}}-{called}-endpoint', parameters('name'))]",
        **guarded(names.IS_PRIVATE, {}),
        location="[parameters('location')]",
        tags="[parameters('tags')]",
        dependsOn=[f"[{target}]"],
        properties={
            "subnet": {"id": "[parameters('endpointSubnetId')]"},
            "privateLinkServiceConnections": [link],
        },
    )


def _entry(called: str, service: str) -> Json:
    endpoint = identify(KIND, f"format('{{0}}-{called}-endpoint', parameters('name'))")
    zone = f"parameters('dnsZoneIds').{service}"
    return resource(
        f"{KIND}/privateDnsZoneGroups",
        f"[format('{{0}}-{called}-endpoint/default', parameters('name'))]",
        **guarded(f"and({names.IS_PRIVATE}, not(empty({zone})))", {}),
        dependsOn=[f"[{endpoint}]"],
        properties={
            "privateDnsZoneConfigs": [{"name": service, "properties": {"privateDnsZoneId": f"[{zone}]"}}],
        },
    )
