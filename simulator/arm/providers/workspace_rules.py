"""What the Databricks resource provider refuses at once, before any operation starts.

Where a text is recorded or reported its source stands beside it; the others are ours, see the README's limitations.
Keys and grants are not looked at here: their failures come at the end of an operation.
"""

from typing import Any

from simulator.arm.answer import Json, Refused
from simulator.arm.providers.workspace import MODERN, dbfs_key, entity, is_serverless, parameter, properties, region
from simulator.arm.router import fold, route
from simulator.arm.world import GROUP

SKUS = {"standard", "premium", "trial"}
KEYVAULT = "microsoft.keyvault"
# recorded_serverless_400_errors.json has the first two; the SDK's docstrings name the others (AZURE 1.4).
NOT_SERVERLESS = (
    "parameters",
    "requiredNsgRules",
    "managedResourceGroupId",
    "accessConnector",
    "defaultStorageFirewall",
)


def check(sent: Json, old: Json | None, version: str) -> None:
    """Refuse a PUT that could never be."""
    if not isinstance(sent.get("location"), str) or not sent["location"]:
        raise _bad("LocationRequired", "The location property is required for this definition.")
    _shapes(sent)
    _sku(sent, old)
    _mode(sent, old, version)
    _place(sent, old)
    if is_serverless(old or sent):
        _serverless(sent)
    else:
        _group(sent, old)
    _keys(sent)
    _kept_keys(sent, old)
    _encryptable(sent, old)


def _bad(code: str, message: str) -> Refused:
    return Refused(400, code, message)


def _shapes(sent: Json) -> None:
    """Objects where objects belong, so that no rule below stumbles."""
    given = properties(sent)
    encryption = given.get("encryption") or {}
    layers = encryption.get("entities") or {} if isinstance(encryption, dict) else None
    places: list[Any] = [sent.get("sku"), sent.get("tags"), given.get("parameters"), encryption, layers]
    if isinstance(layers, dict):
        places += layers.values()
        places += [each.get("keyVaultProperties") for each in layers.values() if isinstance(each, dict)]
    if isinstance(given.get("parameters"), dict):
        places += given["parameters"].values()
        dbfs = given["parameters"].get("encryption")
        places += [dbfs["value"]] if isinstance(dbfs, dict) and "value" in dbfs else []
    if any(each is not None and not isinstance(each, dict) for each in places):
        raise _bad("InvalidRequestContent", "The request content was invalid and could not be deserialized.")


def _sku(sent: Json, old: Json | None) -> None:
    """recorded_serverless_400_errors.json; a missing sku is an older client's (AZURE 1.2)."""
    name = (sent.get("sku") or (old or {}).get("sku") or {"name": "standard"}).get("name")
    if str(name).lower() not in SKUS:
        text = "The SKU is invalid. The allowed SKUs are: ''Standard', 'Premium', 'Trial''."
        raise _bad("InvalidDatabricksSku", text)


def _mode(sent: Json, old: Json | None, version: str) -> None:
    mode = properties(sent).get("computeMode")
    if mode is None:
        if version >= MODERN:
            raise _bad("InvalidRequestContent", "The property 'properties.computeMode' is required.")
        return
    if str(mode).lower() not in {"hybrid", "serverless"}:
        raise _bad("InvalidRequestContent", f"The value '{mode}' of 'properties.computeMode' is not allowed.")
    if old and is_serverless(old) != is_serverless(sent):
        raise _bad("PropertyChangeNotAllowed", "Changing property 'properties.computeMode' is not allowed.")


def _place(sent: Json, old: Json | None) -> None:
    """ARM itself lets nothing move (the text is ARM's general one)."""
    if old is None or region(str(old.get("location") or "")) in {"", region(sent["location"])}:
        return
    target = route(str(old["id"]))
    raise Refused(
        409,
        "InvalidResourceLocation",
        f"The resource '{target.name}' already exists in location '{old['location']}' in resource group "
        f"'{target.group}'. A resource with the same name cannot be created in location '{sent['location']}'. "
        "Please select a new resource name.",
    )


def _serverless(sent: Json) -> None:
    refused = [name for name in NOT_SERVERLESS if properties(sent).get(name) not in (None, "", {})]
    if entity(sent, "managedDisk"):
        refused.append("managedDisk")
    if refused:
        shown = refused[0][0].upper() + refused[0][1:]
        raise _bad(
            "FeatureNotSupportedForServerlessWorkspace",
            f"The property '{shown}' is not supported for Serverless Workspace",
        )


def _group(sent: Json, old: Json | None) -> None:
    """Where the managed resources go: needed, and fixed for ever (MicrosoftDocs/azure-docs#21809)."""
    given = properties(sent).get("managedResourceGroupId")
    if not isinstance(given, str) or route(given).kind != GROUP:
        raise _bad("InvalidRequestContent", "The property 'properties.managedResourceGroupId' is required.")
    known = properties(old).get("managedResourceGroupId")
    if known and fold(known) != fold(given):
        raise _bad(
            "ApplianceManagedResourceGroupMismatch",
            f"The given managed resource group '{given}' did not match that in the existing appliance definition "
            f"'{known}'.",
        )


def _keys(sent: Json) -> None:
    """A layer names its key in full; only DBFS may leave the version out (AZURE 1.4; Azure/azure-powershell#22463)."""
    complete = True
    for name in ("managedServices", "managedDisk"):
        layer = entity(sent, name)
        if layer:
            key = layer.get("keyVaultProperties") or {}
            named = all(key.get(part) for part in ("keyVaultUri", "keyName", "keyVersion"))
            complete &= named and str(layer.get("keySource", "")).lower() == KEYVAULT
    dbfs = dbfs_key(sent)
    if str(dbfs.get("keySource", "")).lower() == KEYVAULT:
        complete &= bool(dbfs.get("keyvaulturi") and dbfs.get("KeyName"))
    if not complete:
        raise _bad(
            "InvalidEncryptionEntitiesKeyVaultValue",
            "The keysource is specified as keyvault but keyvault details are not correctly provided.",
        )


def _kept_keys(sent: Json, old: Json | None) -> None:
    """Two layers never go back to Microsoft's key (hashicorp/terraform-provider-azurerm#22394 for the disk)."""
    if entity(old, "managedDisk") and not entity(sent, "managedDisk"):
        text = "Existing Disk Encryption Properties must be specified in the PUT request"
        raise _bad("DiskEncryptionPropertiesRequired", text)
    if entity(old, "managedServices") and not entity(sent, "managedServices"):
        text = "Existing Managed Services Encryption Properties must be specified in the PUT request"
        raise _bad("ManagedServicesEncryptionPropertiesRequired", text)


def _encryptable(sent: Json, old: Json | None) -> None:
    """Customer keys need the premium plan; double encryption is chosen once (AZURE 1.5)."""
    dbfs = dbfs_key(sent) or dbfs_key(old)
    keyed = str(dbfs.get("keySource", "")).lower() == KEYVAULT
    keyed |= bool(entity(sent, "managedServices") or entity(sent, "managedDisk"))
    sku = str((sent.get("sku") or (old or {}).get("sku") or {}).get("name", "standard")).lower()
    if keyed and sku != "premium":
        text = f"Customer-managed keys need a workspace with the Premium SKU; this one asks for '{sku}'."
        raise _bad("CustomerManagedKeyNotSupportedForSku", text)
    asked = parameter(sent, "requireInfrastructureEncryption")
    had = bool(parameter(old, "requireInfrastructureEncryption"))
    if old and asked is not None and bool(asked) != had:
        text = "Changing property 'properties.parameters.requireInfrastructureEncryption' is not allowed."
        raise _bad("PropertyChangeNotAllowed", text)
