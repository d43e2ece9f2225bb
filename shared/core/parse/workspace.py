"""A workspace's ARM body -> Workspace. One key is spelt in two ways in one body (data/INDEX.md 2)."""

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.facts.workspace import KeyRef, Layer, Workspace
from shared.core.parse import wire
from shared.core.parse.wire import Json

# The provider is Microsoft.KeyVault; as a key source Azure writes Microsoft.Keyvault (data/INDEX.md 3).
_CUSTOMER_KEY = "microsoft.keyvault"


def workspace(body: object) -> Workspace:
    """Read one workspace. Raises BadInput where the body is not a workspace's or a needed field has a wrong type."""
    if not isinstance(body, dict):
        raise BadInput("BadArmAnswer", f"a workspace must be an object, not {type(body).__name__}")
    target = ids.parse(body.get("id"))
    if target.kind != ids.WORKSPACE:
        raise BadInput("BadArmAnswer", f"expected a workspace, got {target.kind}")
    properties = wire.obj(body, "properties")
    if not properties:
        raise BadInput("BadArmAnswer", f"{target} came without properties")
    return Workspace(
        id=target,
        location=wire.text(body, "location").lower().replace(" ", ""),
        tags=wire.tags(body),
        provisioning=wire.text(properties, "provisioningState"),
        sku=wire.text(wire.obj(body, "sku"), "name").lower(),
        layers=_layers(properties),
        is_serverless=wire.text(properties, "computeMode").lower() == "serverless",
        is_fedramp=_parameter(properties, "enableFedRampCertification"),
        is_prepared=_parameter(properties, "prepareEncryption"),
        tenant=_tenant(properties),
        number=wire.text(properties, "workspaceId"),
        raw=body,
    )


def _parameter(properties: Json, name: str) -> bool:
    return wire.flag(_given(properties, name), "value") is True


def _given(properties: Json, name: str) -> Json:
    return wire.obj(wire.obj(properties, "parameters"), name)


def _tenant(properties: Json) -> str:
    found = (
        wire.text(wire.obj(properties, it), "tenantId") for it in ("storageAccountIdentity", "managedDiskIdentity")
    )
    return next((tenant.lower() for tenant in found if tenant), "")


def _layers(properties: Json) -> tuple[Layer, ...]:
    entities = wire.obj(wire.obj(properties, "encryption"), "entities")
    disks, root = wire.obj(entities, "managedDisk"), wire.obj(_given(properties, "encryption"), "value")
    disks_key, root_key = _entity_key(disks), _root_key(root)
    return (
        Layer("managedServices", _entity_key(wire.obj(entities, "managedServices"))),
        Layer(
            "managedDisk",
            disks_key,
            _identity(properties, "managedDiskIdentity"),
            follows=disks_key is not None and wire.flag(disks, "rotationToLatestKeyVersionEnabled") is True,
        ),
        Layer(
            "dbfsRoot",
            root_key,
            _identity(properties, "storageAccountIdentity"),
            follows=root_key is not None and not root_key.version,
        ),
    )


def _identity(properties: Json, field: str) -> str:
    return wire.text(wire.obj(properties, field), "principalId").lower()


def _entity_key(entity: Json) -> KeyRef | None:
    return _key(entity, wire.obj(entity, "keyVaultProperties"))


def _root_key(root: Json) -> KeyRef | None:
    # While DBFS goes back to a platform key, `Default` stands beside the old key's fields: the source decides.
    return _key(root, root)


def _key(source: Json, at: Json) -> KeyRef | None:
    # Azure spells them `keyName` for an entity and `KeyName` for DBFS; a key that is overlooked would be replaced.
    folded = {name.lower(): value for name, value in at.items()}
    if wire.text(source, "keySource").lower() != _CUSTOMER_KEY:
        return None
    # A customer's key of which Azure does not tell the vault is no platform key: the host is '' then.
    host = wire.host(wire.text(folded, "keyvaulturi"))
    return KeyRef(host=host, name=wire.text(folded, "keyname"), version=wire.text(folded, "keyversion"))
