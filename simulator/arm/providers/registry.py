"""Which providers there are: their resource types, api-versions and places, as clients look them up before a call.

Versions are those that third-party clients and SDKs are known to send (LOCAL 8, AZURE 0b); the newest stands first.
"""

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold

PLACES = ("West Europe", "North Europe", "East US", "East US 2", "West US", "Germany West Central")
KEYVAULT = ("2026-05-15", "2026-03-01-preview", "2026-02-01", "2025-05-01", "2024-11-01", "2023-07-01", "2023-02-01",
            "2022-11-01", "2022-07-01", "2019-09-01", "2018-02-14", "2016-10-01", "2015-06-01")  # fmt: skip
DATABRICKS = ("2026-01-01", "2025-10-01-preview", "2025-08-01-preview", "2024-09-01-preview", "2024-05-01",
              "2023-02-01", "2022-04-01-preview", "2018-04-01")  # fmt: skip
ROLES = ("2022-05-01-preview", "2022-04-01", "2020-04-01-preview", "2018-07-01", "2015-07-01")
RESOURCES = ("2025-03-01", "2024-11-01", "2022-12-01", "2022-09-01", "2021-04-01", "2019-11-01", "2016-06-01")
TAGGED = "SupportsTags, SupportsLocation"
# namespace -> resource type -> (versions, capabilities)
TYPES: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "Microsoft.KeyVault": {
        "vaults": (KEYVAULT, TAGGED),
        "vaults/keys": (KEYVAULT[:8], "None"),
        "vaults/secrets": (KEYVAULT, "None"),
        "vaults/accessPolicies": (KEYVAULT, "None"),
        "managedHSMs": (KEYVAULT[:8], TAGGED),
        "deletedVaults": (KEYVAULT, "None"),
        "locations": (KEYVAULT, "None"),
        "locations/deletedVaults": (KEYVAULT, "None"),
        "checkNameAvailability": (KEYVAULT, "None"),
        "operations": (KEYVAULT, "None"),
    },
    "Microsoft.Databricks": {
        "workspaces": (DATABRICKS, TAGGED),
        "accessConnectors": ((DATABRICKS[0], "2024-05-01", "2023-05-01"), TAGGED),
        "locations": (DATABRICKS, "None"),
        "locations/operationStatuses": (DATABRICKS, "None"),
        "operations": (DATABRICKS, "None"),
    },
    "Microsoft.ManagedIdentity": {
        "userAssignedIdentities": (("2025-05-31-preview", "2024-11-30", "2023-01-31", "2018-11-30"), TAGGED),
        "identities": (("2024-11-30", "2023-01-31", "2018-11-30"), "None"),
    },
    "Microsoft.Compute": {"diskEncryptionSets": (("2024-03-02", "2023-10-02", "2023-04-02", "2022-07-02"), TAGGED)},
    "Microsoft.Authorization": {
        "roleAssignments": (ROLES, "SupportsExtension"),
        "roleDefinitions": (ROLES, "SupportsExtension"),
        "roleAssignmentScheduleInstances": (("2020-10-01",), "SupportsExtension"),
        "denyAssignments": (ROLES[:2], "SupportsExtension"),
        "locks": (("2020-05-01", "2017-04-01", "2016-09-01"), "SupportsExtension"),
    },
    "Microsoft.Insights": {
        "diagnosticSettings": (("2021-05-01-preview", "2017-05-01-preview"), "SupportsExtension"),
        "metrics": (("2023-10-01", "2021-05-01", "2019-07-01", "2018-01-01"), "SupportsExtension"),
        "activityLogAlerts": (("2020-10-01", "2017-04-01"), TAGGED),
        "eventtypes": (("2017-03-01-preview", "2015-04-01", "2014-11-01", "2014-04-01"), "None"),
    },
    "Microsoft.Resources": {
        "subscriptions": (RESOURCES, "None"),
        "subscriptions/resourceGroups": (RESOURCES, TAGGED),
        "resources": (RESOURCES, "None"),
        "tags": (RESOURCES, "SupportsExtension"),
        "tenants": (RESOURCES, "None"),
    },
    "Microsoft.ResourceGraph": {
        "resources": (("2022-10-01", "2021-03-01", "2020-04-01-preview", "2019-04-01"), "None")
    },
    "Microsoft.EventGrid": {
        "eventSubscriptions": (("2025-02-15", "2022-06-15"), "SupportsExtension"),
        "systemTopics": (("2025-02-15", "2022-06-15"), TAGGED),
        "systemTopics/eventSubscriptions": (("2025-02-15", "2022-06-15"), "None"),
    },
}
NAMES = {fold(name): name for name in TYPES}
FREE = {"Microsoft.Authorization", "Microsoft.Resources", "Microsoft.ResourceGraph"}  # nobody has to register these


def list_providers(call: Call) -> Answer:
    """All of them."""
    return page(call, [_provider(call, name) for name in sorted(TYPES)])


def read(call: Call) -> Answer:
    """One of them, by its namespace in any case."""
    return Answer(200, _provider(call, _known(call.target.name)))


def register(call: Call) -> Answer:
    """POST …/register: at once; in Azure it takes minutes, with `registrationState: Registering` meanwhile."""
    return Answer(200, _provider(call, _known(call.target.namespace)))


def _known(name: str) -> str:
    if fold(name) not in NAMES:
        raise Refused(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.")
    return NAMES[fold(name)]


def _provider(call: Call, name: str) -> Json:
    subscription = call.target.subscription
    where = f"/subscriptions/{subscription}" if subscription else ""
    state = {"registrationState": "Registered"} if subscription else {}
    return {
        "id": f"{where}/providers/{name}",
        "namespace": name,
        "registrationPolicy": "RegistrationFree" if name in FREE else "RegistrationRequired",
        "resourceTypes": [_type(kind, *found) for kind, found in TYPES[name].items()],
        **state,
    }


def _type(kind: str, versions: tuple[str, ...], capabilities: str) -> Json:
    newest = next((each for each in versions if "preview" not in each), versions[0])
    return {
        "resourceType": kind,
        "locations": list(PLACES) if capabilities == TAGGED else [],
        "apiVersions": list(versions),
        "defaultApiVersion": newest,
        "capabilities": capabilities,
    }


KINDS = (
    Kind("Microsoft.Resources/subscriptions/providers", item={"GET": read}, collection={"GET": list_providers}),
    Kind("Microsoft.Resources/providers", item={"GET": read}, collection={"GET": list_providers}, verbs={"GET": ""}),
    *(Kind(f"{name}/register", collection={"POST": register}) for name in TYPES),
)
