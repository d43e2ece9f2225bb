"""The resource providers: one module each, all of the shape in `shape.py`.

To add one, write a module with `KINDS` and name it here. Nothing else has to know of it.
"""

from simulator.arm.providers import (
    access_connectors,
    authorization,
    databricks,
    databricks_network,
    deletedvaults,
    denyassignments,
    disks,
    eventgrid,
    identities,
    insights,
    keys,
    keyvault,
    locks,
    managementgroups,
    metrics,
    registry,
    resourcegraph,
    resourcegroups,
    roledefinitions,
    schedules,
    subscriptions,
    tags,
)

PROVIDERS = (
    subscriptions,
    managementgroups,
    resourcegroups,
    keyvault,
    deletedvaults,
    keys,
    identities,
    disks,
    databricks,
    databricks_network,
    access_connectors,
    locks,
    authorization,
    roledefinitions,
    schedules,
    denyassignments,
    resourcegraph,
    insights,
    eventgrid,
    metrics,
    tags,
    registry,
)
TABLE = {kind.type.lower(): kind for provider in PROVIDERS for kind in provider.KINDS}
