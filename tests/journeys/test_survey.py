"""The sweep on the whole stack: what appeared without an event is found, what is as it was left alone, what keys cost counted."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.package.unpacked import Unpacked
from simulator.client import Client, until
from simulator.ports import chosen
from simulator.stack import Stack
from tests.migration import key_vault, plain

DANA = 3


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory, app: Unpacked) -> Iterator[Client]:
    """A stack of our own: a look over one that others use would judge whatever they have left there."""
    own = {"CMK_PRICES": "currency=EUR,RSA-3072=0.25/month+0.15/10000"}
    folder = tmp_path_factory.mktemp("survey") / "local"
    with Stack(chosen("random"), folder, own, app=app.app, python=app.python) as stack:
        yield Client(stack.facts)


def _swept(azure: Client) -> dict[str, Any]:
    """Have the estate looked over, and wait for the end."""
    begun = azure.call("POST", "/api/sweeps", DANA).json()

    def over() -> dict[str, Any] | None:
        found: dict[str, Any] = azure.app(f"/api/sweeps/{begun['id']}")
        return found if found["is_over"] else None

    ended: dict[str, Any] = until(over, "the end of the sweep", 90)
    return ended


def _share(sweep: dict[str, Any], subscription: str) -> dict[str, Any]:
    (found,) = [it for it in sweep["shares"] if it["subscription"] == subscription]
    return dict(found)


def _nothing_found(share: dict[str, Any]) -> dict[str, Any] | None:
    """Return the share if it found nothing: what our own write has changed is looked at again a little later."""
    return share if (share["missed"], share["changed"], share["gone"]) == (0, 0, 0) else None


@pytest.mark.calm
def test_a_lost_event_is_made_up_for(azure: Client) -> None:
    """Vaults that appear without an event: judged after a sweep; in the end one finds nothing, as Resource Graph says what ARM says."""
    subscription = azure.facts["subscriptions"][2]
    paths = [
        f"/subscriptions/{subscription}/resourceGroups/rg-lost/providers/Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:12]}"
        for _ in range(3)
    ]
    azure.put_group(subscription, "rg-lost").raise_for_status()
    bodies = []
    for number, path in enumerate(paths):
        name = path.rsplit("/", 1)[1]
        own = {
            "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "enableSoftDelete": True,
            **({"enablePurgeProtection": True} if number else {}), "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
            "accessPolicies": [
                {"tenantId": azure.facts["tenant"], "objectId": str(uuid.uuid4()), "permissions": {"secrets": ["get"]}}
            ],
        }  # fmt: skip
        bodies.append({
            "id": path, "name": name, "location": "westeurope", "tags": {"Cmk-Vault": "true", "b": "2", "a": "1"},
            "properties": own,
        })  # fmt: skip
    azure.manage("POST", "/seed", {"resources": bodies})
    first = _share(_swept(azure), subscription)
    row = until(lambda: azure.row(paths[0]), "the record of the vault that is not protected", 60)
    last = until(lambda: _nothing_found(_share(_swept(azure), subscription)), "a sweep that finds nothing", 90)

    assert first["missed"] >= 3
    assert (row["control"], row["cause"]["kind"]) == ("KV-RECOVERY", "sweep")
    assert last["progress"] == "done"
    assert last["listed"] >= 3


@pytest.mark.calm
def test_what_event_grid_gave_up_on_is_listed_and_looked_at(azure: Client) -> None:
    """A real blob in the storage account, written by Event Grid; the night puts it on record and looks at what it told of."""
    subscription, name = azure.facts["subscriptions"][1], f"kv-{uuid.uuid4().hex[:12]}"
    azure.manage("POST", "/event-subscriptions", {
        "name": "nobody", "function": "on_nothing", "eventDeliverySchema": "EventGridSchema",
        "deadLetterContainer": "dead-letters", "retryPolicy": {"maxDeliveryAttempts": 1},
        "filter": {"subjectEndsWith": f"/vaults/{name}"},
    })  # fmt: skip
    azure.manage("POST", "/knobs", {"event_drop": 0})
    azure.put_group(subscription, "rg-letters").raise_for_status()
    path = f"/subscriptions/{subscription}/resourceGroups/rg-letters/providers/Microsoft.KeyVault/vaults/{name}"
    own = {"tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}
    body = {"location": "westeurope", "tags": {"cmk-vault": "true"}, "properties": own}
    azure.arm("PUT", path, "2026-05-15", body).raise_for_status()

    def given_up() -> bool:
        sent = azure.manage("GET", "/events")["items"]
        return any(it["subscription"] == "nobody" and it["outcome"] == "dead_lettered" for it in sent)

    until(given_up, "Event Grid giving up", 30)
    azure.manage("POST", "/clock", {"advance": 301})
    until(lambda: azure.manage("GET", "/deadletters")["items"], "the dead letter", 30)

    def on_record() -> list[dict[str, Any]]:
        azure.admin("POST", "/admin/functions/sweep", {})
        return [it for it in azure.app("/api/poison")["items"] if it["source"] == "dead letter"]

    (record,) = until(on_record, "the dead letter on record", 60)
    again = until(lambda: azure.app("/api/poison")["items"][0]["redriven"], "its second try", 30)

    assert record["reason"] == "MaxDeliveryAttemptsExceeded"
    assert record["reference"].startswith("NOBODY/2")
    assert record["message"].lower().endswith(f"notfound: {path}".lower())
    assert again


@pytest.mark.calm
def test_the_timer_makes_figures_of_what_is_on_record(azure: Client) -> None:
    """By the function itself, of an estate after two looks over it: the same counts as the lists have; a version is sent once."""
    subscription = azure.facts["subscriptions"][0]
    azure.put_group(subscription, "rg-figures").raise_for_status()
    path = f"/subscriptions/{subscription}/resourceGroups/rg-figures/providers/Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:12]}"
    azure.put_vault(path, {"cmk-vault": "true"}).raise_for_status()
    until(lambda: (azure.row(path) or {}).get("state") == "resolved", "a vault that is put right", 60)
    _swept(azure)
    _swept(azure)

    def quiet() -> dict[str, Any] | None:
        """Have figures made; return them where no record has changed meanwhile."""
        rows = azure.app("/api/remediations", limit="200")["items"]
        before = azure.app("/api/kpis")["made"]
        azure.admin("POST", "/admin/functions/figures", {"input": ""}).raise_for_status()
        found: dict[str, Any] = until(lambda: (it := azure.app("/api/kpis"))["made"] > before and it, "new figures", 60)
        return {**found, "seen": rows} if azure.app("/api/remediations", limit="200")["items"] == rows else None

    found = until(quiet, "figures of an estate that rests", 90)
    by_id = {it["id"]: it for it in found["kpis"]}
    standing = [it for it in found["seen"] if it["state"] not in {"resolved", "superseded"}]

    assert found["rows"] == len(found["seen"])
    assert by_id["open"]["value"] == len(standing)
    assert sum(by_id["compliance"]["parts"].values()) >= 1
    assert by_id["remediation"]["parts"]["count"] >= 1
    assert by_id["missed"]["value"] >= 0
    assert by_id["missed"]["parts"]["sweeps"] >= 1
    assert [it["open"] for it in found["trend"]] == [by_id["open"]["value"]]


def _on_a_key(azure: Client, name: str) -> tuple[str, str]:
    """Put a workspace on a key in a vault of its own that is called a thousand times a day; return both, once they are judged."""
    at = azure.facts["subscriptions"][0]
    vault = f"/subscriptions/{at}/resourceGroups/rg-cost/providers/Microsoft.KeyVault/vaults/{name}"
    databricks = azure.facts["identities"]["azure_databricks"]["principal_id"]
    keys = {"keys": ["get", "wrapKey", "unwrapKey"]}
    key_vault(
        azure, vault, accessPolicies=[{"tenantId": azure.facts["tenant"], "objectId": databricks, "permissions": keys}]
    )
    key = {"kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"]}
    made = azure.arm("PUT", f"{vault}/keys/k", "2023-07-01", {"properties": key}).json()["properties"][
        "keyUriWithVersion"
    ]
    named = {"keyVaultUri": f"https://{name}.vault.azure.net/", "keyName": "k", "keyVersion": made.rsplit("/", 1)[1]}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": named}
    workspace = plain(azure, vault, encryption={"entities": {"managedServices": entity}}).id
    now = datetime.now(UTC)
    hits = {f"{now - timedelta(days=day):%Y-%m-%d}": 1_000 for day in range(33)}
    azure.manage("POST", "/hits", {"vault": vault, "hits": hits})
    until(lambda: azure.row(workspace, "KEY-ROTATION", "managedServices"), "a look at the workspace", 60)
    until(lambda: azure.row(vault, "KV-LOGS"), "a look at its vault", 60)
    return workspace, vault


@pytest.mark.calm
def test_what_keys_cost_is_counted_and_what_nobody_may_count_is_unknown(azure: Client) -> None:
    """30,000 calls and a key: 0.45 and 0.25; a vault whose metrics are refused is named, and the sum is at least."""
    seen, blind = _on_a_key(azure, f"kv-{uuid.uuid4().hex[:12]}"), _on_a_key(azure, f"kv-{uuid.uuid4().hex[:12]}")
    refusal = {
        "method": "GET",
        "path": f"(?i){blind[1]}/.*/metrics",
        "status": 403,
        "code": "AuthorizationFailed",
        "times": 0,
    }
    azure.manage("POST", "/faults", [refusal])

    def figures() -> dict[str, Any] | None:
        """Have the estate looked over and figures made; return them once both vaults were asked after."""
        _swept(azure)
        azure.admin("POST", "/admin/functions/figures", {"input": ""}).raise_for_status()
        found = {it["id"]: it for it in azure.app("/api/kpis")["kpis"]}
        told = {it["key"]: it for it in found["cost"]["groups"]}
        known = all(key in told and "has not asked" not in told[key]["unknown"] for key in (seen[1], blind[1]))
        return {"kpis": found, "told": told} if known else None

    found = until(figures, "figures with the costs of both vaults", 90)
    _swept(azure)
    cost, told = found["kpis"]["cost"], found["told"]
    calls = [
        it for it in azure.manage("GET", "/journal")["items"]
        if it["path"].lower().endswith("/metrics") and it["path"].lower().startswith(seen[1].lower())
    ]  # fmt: skip
    azure.manage("DELETE", "/faults")

    for key in seen:
        assert (told[key]["value"], told[key]["unknown"], told[key]["lacking"]) == (0.7, "", "")
        assert told[key]["parts"] == {"vaults": 1, "unknown": 0, "calls": 30_000, "keys": 1}
    for key in blind:
        assert told[key]["value"] is None
        assert "AuthorizationFailed" in told[key]["unknown"]
    assert (cost["currency"], cost["unit"]) == ("EUR", "money")
    assert cost["value"] >= 0.7
    assert cost["lacking"]
    assert cost["parts"]["unknown"] >= 1
    assert len(calls) == 1
    assert found["kpis"]["age"]["parts"]["young"] >= 2
