"""Key Vault on the control plane: vaults, names, and what hangs on vaults besides keys.

The rules of a vault's properties are in vault.py, its access policies in policies.py, its grave in deletedvaults.py.
"""

from typing import Any

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.clock import stamp
from simulator.arm.providers import deletedvaults, policies
from simulator.arm.providers.pages import listed, page
from simulator.arm.providers.shape import Call, Kind, get
from simulator.arm.providers.vault import check_name, patched, replaced, shown
from simulator.arm.providers.vaultevents import access_changed
from simulator.arm.router import fold
from simulator.arm.sim import Sim

HELD = (
    "A vault with the same name already exists in deleted state. You need to either recover or purge existing key "
    "vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete."
)
TAKEN = (
    "The vault name '{name}' is already in use. Vault names are globaly unique so it is possible that the name is "
    "already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same "
    "name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a "
    "recoverable state then the vault will need to be purged before reusing the name. For more information on soft "
    "delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
)


def create(call: Call) -> Answer:
    """PUT: the vault becomes what was sent. Always 200, also for a new one (keyvault_vaults.jsonl)."""
    sent = call.body()
    properties = sent.get("properties") or {}
    old = call.sim.world.get(call.target.id)
    if old is None and fold(str(properties.get("createMode", ""))) == "recover":
        return _recover(call)
    if old is None:
        _check_new(call, sent)
    elif sent.get("location") and _squeezed(sent["location"]) != _squeezed(old.get("location")):
        raise _elsewhere(call, old, sent)
    before = (old.get("properties") or {}) if old else None
    made = replaced(before, properties, call.version)
    if old is not None:
        _check_model(call, old, made)
    body: Json = {
        "id": old["id"] if old else call.target.path,
        "name": old.get("name", call.target.name) if old else call.target.name,
        "type": "Microsoft.KeyVault/vaults",
        "location": old.get("location") if old else sent["location"],
        "tags": sent.get("tags") or {},
        "systemData": _system(call, old),
    }
    if old is None:
        return _first(call, body, made)
    body["properties"] = {**made, **_served(body["name"], before or {})}
    call.sim.world.put(body)
    access_changed(call.sim, old, body)
    return Answer(200, shown(body, call.version))


def update(call: Call) -> Answer:
    """PATCH: only what was sent."""
    sent, old = call.body(), call.found()
    properties = patched(old.get("properties") or {}, sent.get("properties") or {}, call.version)
    _check_model(call, old, properties)
    body = {**old, "properties": properties, "systemData": _system(call, old)}
    if sent.get("tags") is not None:
        body["tags"] = sent["tags"]
    call.sim.world.put(body)
    access_changed(call.sim, old, body)
    return Answer(200, shown(body, call.version))


def read(call: Call) -> Answer:
    """GET."""
    return Answer(200, shown(call.found(), call.version))


def list_vaults(call: Call) -> Answer:
    """GET of a subscription's or a group's."""
    answer = listed(call, trailing=True)
    answer.body["value"] = [shown(each, call.version) for each in answer.body["value"]]
    return answer


def delete(call: Call) -> Answer:
    """DELETE: 200 without a body; 204 when there was none."""
    old = call.sim.world.get(call.target.id)
    if old is None:
        return Answer(204)
    deletedvaults.bury(call.sim, old)
    call.sim.world.drop(call.target.path)
    return Answer(200)


def check_availability(call: Call) -> Answer:
    """POST checkNameAvailability."""
    name = str(call.body().get("name", ""))
    if _in_use(call, name) or fold(name) in call.sim.world.deleted:
        text = TAKEN.format(name=name)
        return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": text})
    return Answer(200, {"nameAvailable": True})


def _check_new(call: Call, sent: Json) -> None:
    name = call.target.name
    check_name(name)
    if fold(name) in call.sim.world.deleted:
        raise Refused(409, "ConflictError", HELD)
    if _in_use(call, name):
        raise Refused(409, "VaultAlreadyExists", TAKEN.format(name=name))
    if not sent.get("location"):
        raise Refused(400, "LocationRequired", "The location property is required for this definition.")


def _check_model(call: Call, old: Json, made: Json) -> None:
    """To change the access model of a vault takes the right to assign roles as well (Azure/bicep#13541)."""
    action, model = "Microsoft.Authorization/roleAssignments/write", "enableRbacAuthorization"
    if bool((old.get("properties") or {}).get(model)) == bool(made.get(model)):
        return
    if call.sim.access.find(call.caller.oid, action, call.target.path) is None:
        raise Refused(
            403,
            "InsufficientPermissions",
            "Caller is not allowed to change permission model. For more information on how to change the permissions "
            "model follow this link: https://go.microsoft.com/fwlink/?linkid=2155160. "
            f"Details: oid={call.caller.oid}; action={action}; resource={call.target.path}; decision=NotAllowed;",
        )


def _first(call: Call, body: Json, made: Json) -> Answer:
    """A new vault answers RegisteringDns, and a URI as the name was sent and without slash.

    From the first GET on the URI is in lower case and has its slash (myValtZikfikxz, and the polls of all creations).
    """
    host = f"{call.target.name}.vault.azure.net"
    answer = {**made, "vaultUri": f"https://{host}", "provisioningState": "RegisteringDns"}
    young = {**body, "properties": {**answer, "vaultUri": f"https://{fold(host)}/"}}
    call.sim.world.put(young)
    if call.sim.knobs.dns_seconds <= 0:
        _settle(call.sim, young)
    else:
        call.sim.clock.later(call.sim.knobs.dns_seconds, lambda: _settle(call.sim, young))
    return Answer(200, shown({**body, "properties": answer}, call.version), existed=False)


def _settle(sim: Sim, young: Json) -> None:
    now = sim.world.get(young["id"])
    if now is not None:
        sim.world.put({**now, "properties": {**now["properties"], "provisioningState": "Succeeded"}})


def _recover(call: Call) -> Answer:
    """CreateMode recover: the vault as it was, access model and all, whatever else was sent (AZURE 2.2)."""
    vault = deletedvaults.unearth(call)
    body = {**vault, "systemData": _system(call, vault)}
    call.sim.world.put(body)
    return Answer(200, shown(body, call.version), existed=False)


def _in_use(call: Call, name: str) -> bool:
    return call.sim.vaults.get(name) is not None


def _served(name: str, old: Json) -> Json:
    """What the vault itself owns: a PUT that leaves it out does not take it away."""
    kept: Json = {field: old[field] for field in ("hsmPoolResourceId", "privateEndpointConnections") if field in old}
    uri = old.get("vaultUri") or f"https://{fold(name)}.vault.azure.net/"
    state = old.get("provisioningState")
    return {**kept, "vaultUri": uri, "provisioningState": state if state == "RegisteringDns" else "Succeeded"}


def _system(call: Call, old: Json | None) -> Json:
    kind = "User" if call.caller.is_person else "Application"
    now, who = stamp(3), call.caller.shown
    first = (old.get("systemData") if old else None) or {
        "createdBy": who,
        "createdByType": kind,
        "createdAt": now,
    }
    return {**first, "lastModifiedBy": who, "lastModifiedByType": kind, "lastModifiedAt": now}


def _elsewhere(call: Call, old: Json, sent: Json) -> Refused:
    return Refused(
        409,
        "InvalidResourceLocation",
        f"The resource '{call.target.name}' already exists in location '{old.get('location')}' in resource group "
        f"'{call.target.group}'. A resource with the same name cannot be created in location '{sent['location']}'. "
        "Please select a new resource name.",
    )


def _squeezed(location: Any) -> str:
    """`West Europe` and `westeurope` are one place."""
    return fold(str(location or "").replace(" ", ""))


def list_links(call: Call) -> Answer:
    """Private link resources: one group, `vault` (keyvault_other.jsonl)."""
    where = call.target.path.rsplit("/", 1)[0]
    row: Json = {
        "id": f"{where}/privateLinkResources/vault",
        "name": "vault",
        "type": "Microsoft.KeyVault/vaults/privateLinkResources",
        "properties": {
            "groupId": "vault",
            "requiredMembers": ["default"],
            "requiredZoneNames": ["privatelink.vaultcore.azure.net"],
        },
    }
    return page(call, [row])


def list_children(call: Call) -> Answer:
    """What was seeded of a vault's private endpoint connections."""
    target = call.target
    found = call.sim.world.ids(target.kind, target.subscription, f"{target.id}/")
    return page(call, [call.sim.world.get(each) for each in found])


KINDS = (
    Kind(
        "Microsoft.KeyVault/vaults",
        item={"GET": read, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": list_vaults},
    ),
    Kind("Microsoft.KeyVault/vaults/accessPolicies", item={"PUT": policies.change}),
    Kind(
        "Microsoft.KeyVault/vaults/privateEndpointConnections",
        item={"GET": get},
        collection={"GET": list_children},
    ),
    Kind("Microsoft.KeyVault/vaults/privateLinkResources", collection={"GET": list_links}),
    Kind("Microsoft.KeyVault/managedHSMs", item={"GET": get}, collection={"GET": listed}),
    Kind("Microsoft.KeyVault/deletedManagedHSMs", collection={"GET": listed}),
    Kind(
        "Microsoft.KeyVault/checkNameAvailability",
        collection={"POST": check_availability},
        verbs={"POST": "read"},
        emits=False,
    ),
)
