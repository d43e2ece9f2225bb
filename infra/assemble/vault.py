"""infra/arm/vault.json: the system topic of one vault that holds keys, in the vault's own resource group."""

from infra.assemble.arm import Json, identify, parameter
from infra.assemble.events import VAULTS, events


def vault() -> Json:
    """Return the template."""
    more = {
        "vaultName": parameter("string", "Name of the vault."),
        "vaultLocation": parameter("string", "Region of the vault: its topic lies there too."),
    }
    source = identify("Microsoft.KeyVault/vaults", "parameters('vaultName')")
    return events(VAULTS, f"[{source}]", "[parameters('vaultLocation')]", more)
