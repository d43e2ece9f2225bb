"""Cloud Custodian: our policies over both of its sources, its whitelist filter, and its update-access-policy action.

The policies use value filters only, as its documentation teaches them. Known disagreements, asserted as such:

- Its ARM source reads workspaces with the model of 2018-04-01, which has no `encryption`: every workspace looks as if two
  of its layers had no key.
- Its whitelist filter ends with KeyError for any key that is not looked up in the directory.
- Its Resource Graph source asks once and never for the next page: what lies beyond the first 1,000 rows is not seen.
"""

import json
from collections.abc import Sequence
from typing import Any

from simulator.arm.answer import Json
from simulator.clients import vaults
from simulator.clients.report import Report, names
from simulator.clients.stage import CLIENT_ID, INSTALLED, MANY, Ran, Stage
from simulator.clients.vaults import SUBSCRIPTION, TENANT, VAULTS
from simulator.clients.workspaces import WORKSPACES

NAME = "custodian"
SOURCES = {"arm": "describe-azure", "graph": "resource-graph"}
NEWCOMER = "0b7ec700-0000-4000-8000-0000000000aa"
CHANGED = "kvp-pol-many"
LARGEST_ANSWER = 1000


def _is_not(key: str, value: Any) -> Json:
    return {"type": "value", "key": f"properties.{key}", "op": "ne", "value": value}


def _absent(key: str) -> Json:
    return {"type": "value", "key": f"properties.{key}", "value": "absent"}


# One letter a question: see vaults.py and workspaces.py for what each one means.
VAULT_FILTERS: dict[str, Json] = {
    "S": _is_not("enableSoftDelete", True),
    "P": _is_not("enablePurgeProtection", True),
    "R": _is_not("enableRbacAuthorization", True),
    "W": {
        "not": [
            {
                "type": "whitelist",
                "key": "principalName",
                "users": ["nobody@example.com"],
                "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]},
            }
        ]
    },
}
WORKSPACE_FILTERS: dict[str, Json] = {
    "M": _absent("encryption.entities.managedServices.keyVaultProperties.keyName"),
    "D": _absent("encryption.entities.managedDisk.keyVaultProperties.keyName"),
    "F": {
        **_is_not("parameters.encryption.value.keySource", "microsoft.keyvault"),
        "value_type": "normalize",
    },
}
ALL_TOO_OLD = {"M", "D"}  # what the ARM source cannot see of a workspace


def check(stage: Stage, report: Report) -> None:
    """Everything that is checked of it."""
    findings(stage, report)
    unnamed(stage, report)
    action(stage, report)
    first_page_only(stage, report)


def findings(stage: Stage, report: Report) -> None:
    """Each question over each source, finding by finding."""
    policies = [
        *_policies("azure.keyvault", VAULT_FILTERS),
        *_policies("azure.databricks", WORKSPACE_FILTERS),
    ]
    ran = _run(stage, "findings", policies)
    report.expect_done(NAME, "run: 7 policies over ARM and Resource Graph", ran)
    for source in SOURCES:
        for letter in VAULT_FILTERS:
            wanted = names(each.name for each in VAULTS if letter in each.custodian)
            found = _found(stage, "findings", f"{letter}-{source}")
            report.expect(NAME, f"azure.keyvault, {source}: {letter}", ran.again(), wanted, found)
        for letter in WORKSPACE_FILTERS:
            blind = source == "arm" and letter in ALL_TOO_OLD
            wanted = names(each.name for each in WORKSPACES if blind or letter in each.custodian)
            note = "flags all 40, as its model of 2018 must" if blind else ""
            found = _found(stage, "findings", f"{letter}-{source}")
            report.expect(NAME, f"azure.databricks, {source}: {letter}", ran.again(), wanted, found, note)


def unnamed(stage: Stage, report: Report) -> None:
    """The whitelist filter by object id, as its documentation allows: the list it looks at was never filled."""
    (wanted,) = VAULT_FILTERS["W"]["not"]
    by_id = {"not": [{**wanted, "key": "objectId"}]}
    ran = _run(stage, "unnamed", [{"name": "by-id", "resource": "azure.keyvault", "filters": [by_id]}])
    got = (ran.code, "KeyError: 'accessPolicies'" in ran.err)
    report.expect(NAME, "azure.keyvault: whitelist by objectId", ran, (2, True), got, "ends with KeyError, as known")


def action(stage: Stage, report: Report) -> None:
    """Update-access-policy adds a policy to one vault and leaves the others and the rest of it alone."""
    policy: Json = {
        "name": "grant",
        "resource": "azure.keyvault",
        "filters": [{"type": "value", "key": "name", "value": CHANGED}],
        "actions": [
            {
                "type": "update-access-policy",
                "operation": "add",
                "access-policies": [
                    {"tenant-id": TENANT, "object-id": NEWCOMER, "permissions": {"keys": ["get", "list"]}}
                ],
            }
        ],
    }
    vault = next(each for each in VAULTS if each.name == CHANGED)
    before = vaults.body(vault)
    ran = _run(stage, "action", [policy])
    after = stage.stored(before["id"])
    added = {"tenantId": TENANT, "objectId": NEWCOMER, "permissions": {"keys": ["get", "list"]}}
    wanted = [*before["properties"]["accessPolicies"], added]
    report.expect(NAME, "update-access-policy: add", ran, wanted, _policies_of(after), "16 kept, 1 added")
    rest = {**after["properties"], "accessPolicies": []}
    unchanged = {**before["properties"], "accessPolicies": []}
    report.expect(
        NAME, "update-access-policy: nothing else changed", ran.again(), unchanged, rest, "the rest as before"
    )
    stage.seed([before])


def first_page_only(stage: Stage, report: Report) -> None:
    """With more than 1,000 vaults its Resource Graph source misses the rest; the ARM source does not."""
    count = LARGEST_ANSWER + 20
    plain = VAULTS[3]
    stage.seed([_numbered(vaults.body(plain, MANY), number) for number in range(count)])
    policies = _policies("azure.keyvault", {"P": VAULT_FILTERS["P"]})
    ran = _run(stage, "many", policies, MANY)
    every = len(_found(stage, "many", "P-arm"))
    first = len(_found(stage, "many", "P-graph"))
    report.expect(NAME, f"azure.keyvault, arm: {count} vaults", ran, count, every)
    note = "stops at 1,000 without a word, as known"
    report.expect(NAME, f"azure.keyvault, graph: {count} vaults", ran.again(), LARGEST_ANSWER, first, note)


def _policies(resource: str, filters: dict[str, Json]) -> list[Json]:
    return [
        {"name": f"{letter}-{short}", "resource": resource, "source": source, "filters": [each]}
        for short, source in SOURCES.items()
        for letter, each in filters.items()
    ]


def _run(stage: Stage, name: str, policies: Sequence[Json], subscription: str = SUBSCRIPTION) -> Ran:
    file = stage.folder / f"{name}.json"
    file.write_text(json.dumps({"policies": list(policies)}))
    command = [
        *stage.client(NAME, str(INSTALLED / NAME / "bin/custodian"), "run"),
        "-s",
        str(stage.folder / "custodian" / name),
        str(file),
    ]
    extra = {
        "AZURE_USE_MSI": "1",
        "AZURE_CLIENT_ID": CLIENT_ID,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_SUBSCRIPTION_ID": subscription,
    }
    return stage.run(command, extra)


def _found(stage: Stage, run: str, policy: str) -> set[str]:
    file = stage.folder / "custodian" / run / policy / "resources.json"
    if not file.exists():
        return {"(no answer)"}
    return names(row["name"] for row in json.loads(file.read_text()))


def _policies_of(vault: Json) -> list[Json]:
    """Access policies with the permissions that are named; a client sends the empty lists along."""
    return [
        {**each, "permissions": {kind: names for kind, names in each["permissions"].items() if names}}
        for each in vault["properties"]["accessPolicies"]
    ]


def _numbered(body: Json, number: int) -> Json:
    name = f"kvm-{number:05d}"
    return {**body, "id": body["id"].rpartition("/")[0] + f"/{name}", "name": name}
