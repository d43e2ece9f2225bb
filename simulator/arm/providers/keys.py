"""Keys of a vault in Resource Manager: created if they do not exist, read and listed, never changed (AZURE 2.3).

Rights are ARM's own (`Microsoft.KeyVault/vaults/keys/write`), whatever the vault's access model says of its data plane.
Addresses carry port 443, lists are short, and `recoveryLevel` follows the vault (spec examples of 2023-07-01).
"""

from simulator.arm.answer import GATEWAY, Answer, Json, Refused
from simulator.arm.dataplane import operations, rotation, texts
from simulator.arm.dataplane.shapes import level
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, segments

LISTED = ("attributes", "keyUri", "keyUriWithVersion")


def create(call: Call) -> Answer:
    """PUT: a new key, or the existing one untouched. 200 in both cases."""
    vault, sent = _vault(call), call.body()
    old = call.sim.world.get(call.target.id)
    if old is not None:
        return Answer(200, shown(old, vault))
    name, properties = call.target.name, sent.get("properties") or {}
    if not _is_name(name):
        raise texts.bad(f"The key name '{name}' is invalid: letters, digits and hyphens, 1 to 127 of them.")
    if call.sim.keys.grave(call.target.id):
        raise texts.held(name)
    wanted = operations.wanted(
        vault,
        {
            "kty": properties.get("kty"),
            "key_size": properties.get("keySize"),
            "crv": properties.get("curveName"),
            "key_ops": properties.get("keyOps"),
            "attributes": properties.get("attributes"),
        },
    )
    if properties.get("rotationPolicy"):
        wanted["rotationPolicy"] = rotation.policy_of(properties["rotationPolicy"])
    made = call.sim.keys.add(vault, name, wanted, sent.get("tags"))
    return Answer(200, shown(made, vault), existed=False)


def read(call: Call) -> Answer:
    """GET of a key or of one version."""
    vault, body = _vault(call), call.sim.world.get(call.target.id)
    if body is None:
        raise texts.no_key("/".join(call.target.names[1:]))
    return Answer(200, shown(body, vault))


def list_keys(call: Call) -> Answer:
    """GET of all keys of the vault."""
    vault = _vault(call)
    return page(call, [_short(shown(each, vault), LISTED[:2]) for each in call.sim.keys.keys(vault["id"])])


def list_versions(call: Call) -> Answer:
    """GET of all versions of a key."""
    vault = _vault(call)
    key = call.sim.world.get(f"{vault['id']}/keys/{call.target.names[1]}")
    if key is None:
        raise texts.no_key(call.target.names[1])
    return page(call, [_short(shown(each, vault), LISTED) for each in call.sim.keys.versions(key["id"])])


def list_secrets(call: Call) -> Answer:
    """GET of the secrets that were seeded, for clients that look. Never a value: ARM shows none ([SDK keyvault] Secrets_List)."""
    vault = _vault(call)
    start = f"{fold(str(vault['id']))}/secrets/"
    found = call.sim.world.ids("microsoft.keyvault/vaults/secrets", call.target.subscription, start)
    return page(call, [_secret(body, vault) for each in found if (body := call.sim.world.get(each))])


def _secret(body: Json, vault: Json) -> Json:
    """A secret as a list has it: its address and its times."""
    held = body.get("properties") or {}
    shown_of_it = {name: held[name] for name in ("attributes", "contentType") if name in held}
    where = f"https://{vault['name']}.vault.azure.net/secrets/{body['name']}"
    return {
        "id": body["id"],
        "name": body["name"],
        "type": "Microsoft.KeyVault/vaults/secrets",
        "location": vault.get("location"),
        "properties": {**shown_of_it, "secretUri": where},
    }


def shown(body: Json, vault: Json) -> Json:
    """A key or a version with the recovery level that the vault has now."""
    properties = body["properties"]
    attributes = {**(properties.get("attributes") or {}), "recoveryLevel": level(vault)[0]}
    return {**body, "properties": {**properties, "attributes": attributes}}


def _short(body: Json, fields: tuple[str, ...]) -> Json:
    return {**body, "properties": {name: body["properties"][name] for name in fields if name in body["properties"]}}


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= 127 and name.isascii() and name.replace("-", "").isalnum()


def _vault(call: Call) -> Json:
    """The vault that the path names; its absence is told as for any child (arm_errors.jsonl, ParentResourceNotFound)."""
    where = "/" + "/".join(segments(call.target.path)[:8])
    vault = call.sim.world.get(where)
    if vault is None:
        verb, kind = ("read" if call.method == "GET" else "write"), call.kind.type.partition("/")[2]
        raise Refused(
            404,
            "ParentResourceNotFound",
            f"Failed to perform '{verb}' on resource(s) of type '{kind}', because the parent resource '{where}' "
            "could not be found.",
            GATEWAY,
        )
    return vault


KINDS = (
    Kind("Microsoft.KeyVault/vaults/keys", item={"GET": read, "PUT": create}, collection={"GET": list_keys}),
    Kind("Microsoft.KeyVault/vaults/keys/versions", item={"GET": read}, collection={"GET": list_versions}),
    Kind("Microsoft.KeyVault/vaults/secrets", collection={"GET": list_secrets}),
)
