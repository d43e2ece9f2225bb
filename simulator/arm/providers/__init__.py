"""The resource providers: one module each, all of the shape in `shape.py`.

To add one, write a module with `KINDS` and name it here. Nothing else has to know of it.
"""

from simulator.arm.providers import (
    authorization,
    databricks,
    deletedvaults,
    disks,
    identities,
    keys,
    keyvault,
    locks,
    resourcegraph,
    resourcegroups,
    subscriptions,
)

PROVIDERS = (
    subscriptions,
    resourcegroups,
    keyvault,
    deletedvaults,
    keys,
    identities,
    disks,
    databricks,
    locks,
    authorization,
    resourcegraph,
)
TABLE = {kind.type.lower(): kind for provider in PROVIDERS for kind in provider.KINDS}
