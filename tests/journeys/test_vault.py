"""The main job through every floor: Event Grid, the Functions host, the real worker, storage, tokens, ARM."""

import itertools
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until

_NUMBERS = itertools.count()
TAGS = {"cmk-vault": "true", "environment": "prod", "Owner": "Ünïcode <b>"}


def _id(azure: Client, name: str, subscription: int = 0) -> str:
    at = azure.facts["subscriptions"][subscription]
    azure.put_group(at, "rg-journey").raise_for_status()
    return f"/subscriptions/{at}/resourceGroups/rg-journey/providers/Microsoft.KeyVault/vaults/{name}-{next(_NUMBERS)}"


def _in_state(azure: Client, vault: str, state: str) -> Callable[[], dict[str, Any] | None]:
    def ask() -> dict[str, Any] | None:
        row = azure.row(vault)
        return row if row and row["state"] == state else None

    return ask


def _seed(azure: Client, vault: str, **properties: Any) -> None:
    own = {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "provisioningState": "Succeeded"}
    body = {"id": vault, "location": "westeurope", "tags": TAGS, "properties": {**own, **properties}}
    azure.manage("POST", "/seed", {"resources": [body]})


def _event(subject: str, number: int = 0, *, cloud: bool = False) -> dict[str, Any]:
    kind, where = "Microsoft.Resources.ResourceWriteSuccess", "/subscriptions/" + subject.split("/")[2]
    if cloud:
        return {"specversion": "1.0", "id": str(number), "source": where, "type": kind, "subject": subject, "data": {}}
    return {"id": str(number), "topic": where, "eventType": kind, "subject": subject, "data": {}, "dataVersion": "2"}


def test_a_written_vault_is_protected_and_on_record(azure: Client) -> None:
    """Within ten seconds of its write a tagged vault is protected; the record says before, after, why and by whom."""
    vault = _id(azure, "kv-main")
    policy = {"tenantId": azure.facts["tenant"], "objectId": "o-1", "permissions": {"keys": ["Get", "all"]}}
    acl = {
        "defaultAction": "Deny",
        "bypass": "AzureServices",
        "ipRules": [{"value": "10.0.0.1"}],
        "virtualNetworkRules": [],
    }
    written = azure.put_vault(vault, TAGS, accessPolicies=[policy], networkAcls=acl, enableRbacAuthorization=False)
    written.raise_for_status()
    before = azure.vault(vault)
    until(lambda: azure.vault(vault)["properties"].get("enablePurgeProtection"), "purge protection")
    row = until(_in_state(azure, vault, "resolved"), "the record")
    after = azure.vault(vault)
    whole = azure.app(f"/api/remediations/{row['id']}")

    (step,) = row["plan"]["steps"]
    assert (step["before"]["enablePurgeProtection"], step["after"]["enablePurgeProtection"]) == (None, True)
    assert row["executor"] == azure.facts["identities"]["writer"]
    assert (row["cause"]["kind"], bool(row["cause"]["id"]), bool(row["cause"]["actor"])) == ("event", True, True)
    assert whole["history_intact"]
    for body in (before, after):
        body["properties"].pop("enablePurgeProtection", None)
        body.pop("systemData", None)
    assert {**after["properties"], "provisioningState": ""} == {**before["properties"], "provisioningState": ""}
    assert after["tags"] == TAGS


@pytest.mark.calm
@pytest.mark.parametrize("cloud", [False, True])
def test_a_storm_is_one_write(azure: Client, cloud: bool) -> None:
    """200 events in either schema, doubled, shuffled, about the vault and its children: one write."""
    vault = _id(azure, "kv-storm", 1)
    _seed(azure, vault)
    children = ["", "/accessPolicies/add", "/keys/k", "/providers/Microsoft.Authorization/roleAssignments/9"]
    events = [_event(vault + children[n % 4], n, cloud=cloud) for n in range(100)] * 2
    random.Random(5).shuffle(events)
    for start in range(0, 200, 40):
        assert azure.send_events("on_vault_write", events[start : start + 40]).status_code == 202
    until(_in_state(azure, vault, "resolved"), "the record")
    _quiet(azure)

    assert [write["method"] for write in azure.writes(vault)] == ["PATCH"]


def _quiet(azure: Client) -> None:
    """Wait until no message is left on the queue of evaluations, delayed ones included."""

    def ask() -> bool:
        seen = len(azure.manage("GET", "/journal")["items"])
        try:
            until(lambda: len(azure.manage("GET", "/journal")["items"]) != seen or None, "another call", 3)
        except TimeoutError:
            return True
        return False

    until(lambda: ask() or None, "silence", 60)


def test_a_lock_is_named_and_a_retry_ends_it(azure: Client) -> None:
    """Under a read-only lock the row fails and names the lock; when it is gone and a person says so, it is resolved."""
    vault = _id(azure, "kv-locked", 2)
    _seed(azure, vault)
    azure.lock(vault, "frozen", "ReadOnly").raise_for_status()
    azure.send_events("on_vault_write", [_event(vault)]).raise_for_status()
    row = until(_in_state(azure, vault, "failed"), "a failed record")
    lock = f"{vault}/providers/Microsoft.Authorization/locks/frozen"
    azure.arm("DELETE", lock, "2016-09-01").raise_for_status()
    answer = azure.call("POST", f"/api/remediations/{row['id']}/retry", person=1)
    until(_in_state(azure, vault, "resolved"), "the record")

    assert row["finding"]["evidence"]["stands_in_the_way"]["reason"] == "ScopeLocked"
    assert vault in row["finding"]["evidence"]["stands_in_the_way"]["message"]
    assert answer.status_code == 200


@pytest.mark.calm
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "1"}},
        {"status": 503, "code": "ServerBusy"},
        {"cut": "before"},
        {"cut": "after"},
    ],
)
def test_a_write_that_goes_wrong_once_ends_well(azure: Client, fault: dict[str, Any]) -> None:
    """Throttled, down, cut off before or after its effect: protected in the end, and not written twice where it took."""
    vault = _id(azure, "kv-fault", 1)
    azure.manage("POST", "/faults", [{"method": "PATCH", "path": vault.rsplit("/", 1)[1] + "$", "times": 1, **fault}])
    azure.put_vault(vault, TAGS).raise_for_status()
    until(_in_state(azure, vault, "resolved"), "the record")
    azure.manage("DELETE", "/faults")

    assert azure.vault(vault)["properties"]["enablePurgeProtection"] is True
    assert len(azure.writes(vault)) == (1 if fault.get("cut") == "after" else 2)


def test_a_workspace_write_protects_the_vault_it_names(azure: Client) -> None:
    """An untagged vault is protected because a workspace that was written names it."""
    vault = _id(azure, "kv-named", 0)
    _seed(azure, vault)
    azure.manage("POST", "/seed", {"resources": [{"id": vault, "tags": {}, "properties": {"enableSoftDelete": True}}]})
    at, name = vault.split("/")[2], vault.rsplit("/", 1)[1]
    key = {"keyVaultUri": f"https://{name}.vault.azure.net/", "keyName": "k", "keyVersion": "0" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key}
    body = {
        "location": "westeurope",
        "sku": {"name": "premium"},
        "properties": {
            "computeMode": "Hybrid",
            "managedResourceGroupId": f"/subscriptions/{at}/resourceGroups/mrg-{name}",
            "encryption": {"entities": {"managedServices": entity}},
        },
    }
    path = f"/subscriptions/{at}/resourceGroups/rg-journey/providers/Microsoft.Databricks/workspaces/dbw-{name}"
    azure.arm("PUT", path, "2026-01-01", body).raise_for_status()
    row = until(_in_state(azure, vault, "resolved"), "the record")

    assert azure.vault(vault)["properties"]["enablePurgeProtection"] is True
    assert row["verdict"] == "Compliant"


def test_garbage_neither_crashes_nor_loops(azure: Client) -> None:
    """Wrong types, a megabyte, 500 in a batch: accepted or refused at once, and the worker lives on."""
    odd: list[Any] = [
        None,
        7,
        "x",
        [],
        {},
        {"eventTime": 5},
        {"specversion": 1},
        {"subject": {}, "type": "a", "data": []},
    ]
    answers = [
        azure.send_events("on_vault_write", odd).status_code,
        azure.send_events("on_vault_write", [_event("/subscriptions/x", n) for n in range(500)]).status_code,
        azure.send_events("on_vault_write", [{**_event("/subscriptions/x"), "pad": "y" * 900_000}]).status_code,
    ]

    assert answers == [202, 202, 202]
    assert azure.app("/api/remediations", limit="1")


def test_the_sweep_can_be_run_by_hand(azure: Client) -> None:
    """POST /admin/functions/sweep with the master key is accepted."""
    answer = azure.admin("POST", "/admin/functions/sweep", {"input": ""})

    assert answer.status_code == 202


def test_azures_own_log_and_our_record_name_the_write_alike(azure: Client) -> None:
    """The Activity Log shows our write under the correlation id that the history holds, and under the writer."""
    vault = _id(azure, "kv-log")
    azure.put_vault(vault, TAGS).raise_for_status()
    row = until(_in_state(azure, vault, "resolved"), "the record")
    history = azure.app(f"/api/remediations/{row['id']}")["history"]
    ours = {entry["detail"]["correlation"] for entry in history if entry["event"] == "writing"}
    since = datetime.now(UTC) - timedelta(hours=1)
    where = f"eventTimestamp ge '{since:%Y-%m-%dT%H:%M:%SZ}' and resourceUri eq '{vault}'"
    subscription = "/".join(vault.split("/")[:3])
    path = f"{subscription}/providers/Microsoft.Insights/eventtypes/management/values?$filter={where}"

    def logged() -> set[str]:
        answer = azure.arm("GET", path, "2015-04-01")
        assert answer.status_code == 200, answer.text
        rows = answer.json()["value"]
        writer = azure.facts["identities"]["writer"]["principal_id"]
        return {row["correlationId"] for row in rows if writer in str(row["claims"])}

    assert until(logged, "our write in the Activity Log") <= ours
