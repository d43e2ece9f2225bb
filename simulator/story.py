"""The demo: a story played on the local Azure, told as a timeline. Every line comes from what was read back.

Each chapter does something that a person would do, waits until the app has answered it, and prints what Azure, the
app's API and the journal of requests say. A chapter that does not end as it should says so, and the demo fails.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from simulator import world
from simulator.client import Client, until

_STORM = 200  # events


class _Teller:
    """Prints the timeline."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def line(self, text: str = "") -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {text}".rstrip(), flush=True)

    def chapter(self, text: str) -> None:
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def tell(facts: Mapping[str, Any], ended: threading.Event) -> bool:
    """Tell the story; say whether every chapter ended as it should."""
    client, teller = Client(facts), _Teller()
    chapters: tuple[Callable[[Client, _Teller], bool], ...] = (
        _seeded, _protected, _sandbox, _out_of_scope, _locked, _storm, _history, _confidential,
    )  # fmt: skip
    good = True
    for chapter in chapters:
        if ended.is_set():
            return False
        try:
            good = chapter(client, teller) and good
        except TimeoutError as error:
            teller.line(f"NOT as it should be: {error}")
            good = False
    return good


def _seeded(client: Client, teller: _Teller) -> bool:
    teller.chapter("An estate")
    resources = world.estate(client.facts)
    client.manage("POST", "/seed", {"resources": resources})
    vaults = workspaces = 0
    for subscription in client.facts["subscriptions"]:
        found = _listed(client, subscription, "Microsoft.KeyVault/vaults", "2023-07-01")
        used = _listed(client, subscription, "Microsoft.Databricks/workspaces", "2023-02-01")
        vaults, workspaces = vaults + len(found), workspaces + len(used)
        open_ = sum(1 for vault in found if not vault["properties"].get("enablePurgeProtection"))
        teller.line(f"{subscription}: {len(found)} vaults ({open_} without purge protection), {len(used)} workspaces")
    return (vaults, workspaces) == (12, 8)


def _protected(client: Client, teller: _Teller) -> bool:
    teller.chapter("A vault for customer-managed keys is written without purge protection")
    vault = _written(client, teller, "kv-claims-new", {"cmk-vault": "true", "environment": "prod"})
    began = time.monotonic()
    until(lambda: client.vault(vault)["properties"].get("enablePurgeProtection"), "purge protection")
    teller.line(f"Azure says: purge protection is on, {time.monotonic() - began:.1f} s after the write")
    row = _ended(client, vault, "resolved")
    for step in row["plan"]["steps"]:
        teller.line(f"before {json.dumps(step['before'])}")
        teller.line(f"after  {json.dumps(step['after'])}")
    after = client.vault(vault)
    teller.line(f"tags and RBAC mode as they were: {after['tags']}, {after['properties']['enableRbacAuthorization']}")
    teller.line(f"on record: {row['id']} {row['state']}; written by the client {row['executor']['client_id']}")
    return True


def _sandbox(client: Client, teller: _Teller) -> bool:
    teller.chapter("The same in a sandbox: what cannot be undone is asked for first")
    vault = _written(client, teller, "kv-claims-play", {"cmk-vault": "true", "environment": "sandbox"})
    row = _ended(client, vault, "awaiting_approval")
    teller.line(f"{row['state']}: {row['decision']['reason']}: {row['decision']['message']}")
    return _untouched(client, teller, vault)


def _out_of_scope(client: Client, teller: _Teller) -> bool:
    teller.chapter("A vault that no workspace uses and nobody has tagged: left alone")
    vault = _written(client, teller, "kv-claims-other", {"owner": "somebody"})
    # Delivered and evaluated: only then does `no record` mean `left alone`.
    until(lambda: _reads(client, vault), "the app reading the vault")
    verdict = client.app("/api/explain", resource=vault)["verdicts"][0]
    teller.line(f"{verdict['verdict']}: {verdict['finding']['reason']}: {verdict['finding']['message']}")
    return _untouched(client, teller, vault) and client.row(vault) is None


def _locked(client: Client, teller: _Teller) -> bool:
    teller.chapter("A vault under a read-only lock: what stands in the way is named")
    subscription = client.facts["subscriptions"][1]
    vault = world.vault_id(subscription, "kv-fraud-locked")
    _planted(client, vault)
    client.lock(vault, "audit-freeze", "ReadOnly")
    teller.line(f"{vault.rsplit('/', 1)[1]} has the lock audit-freeze; somebody's earlier write reaches us late")
    client.send_events("on_vault_write", [_event(vault, 0)])
    row = _ended(client, vault, "failed")
    way = row["finding"]["evidence"]["stands_in_the_way"]
    teller.line(f"{row['state']}: {way['reason']}: {way['message']}")
    return _untouched(client, teller, vault)


def _storm(client: Client, teller: _Teller) -> bool:
    teller.chapter(f"A storm: {_STORM} events for one vault, doubled and out of order")
    subscription = client.facts["subscriptions"][2]
    vault = world.vault_id(subscription, "kv-research-storm")
    _planted(client, vault)
    events = [_event(vault, n) for n in range(_STORM // 2)] * 2
    random.Random(7).shuffle(events)
    began = time.monotonic()
    for start in range(0, _STORM, 50):
        client.send_events("on_vault_write", events[start : start + 50]).raise_for_status()
    teller.line(f"{len(events)} events delivered in {time.monotonic() - began:.1f} s")
    _ended(client, vault, "resolved")
    _quiet(client)
    writes = client.writes(vault)
    teller.line(
        f"Azure's journal shows {len(writes)} write(s) and {_reads(client, vault)} reads of the vault by the app"
    )
    return len(writes) == 1


def _history(client: Client, teller: _Teller) -> bool:
    teller.chapter("What the records say")
    good = True
    for item in client.app("/api/remediations")["items"]:
        row = client.app(f"/api/remediations/{item['id']}")
        good = good and row["history_intact"]
        name = row["target"].rsplit("/", 1)[1]
        whole = "whole" if row["history_intact"] else row["history_problem"]
        teller.line(
            f"{row['id']}  {row['control']:13} {name:18} {row['state']:18} {len(row['history'])} entries, chain {whole}"
        )
    return good


def _confidential(client: Client, teller: _Teller) -> bool:
    teller.chapter("A workspace with confidential data is written on Microsoft's keys")
    subscription = client.facts["subscriptions"][0]
    workspace = world.confidential(client.facts)
    client.manage("POST", "/seed", {"resources": world.key_vaults(client.facts)})
    client.put_group(subscription, "rg-data").raise_for_status()
    client.arm("PUT", workspace["id"], "2026-01-01", workspace["body"]).raise_for_status()
    teller.line(f"{workspace['id'].rsplit('/', 1)[1]}, tags {json.dumps(workspace['body']['tags'])}")

    def waiting() -> dict[str, Any] | None:
        row = client.row(workspace["id"], "DBX-CMK")
        return row if row and row["state"] == "awaiting_approval" else None

    row = until(waiting, "the plan of a migration", 60)
    teller.line(row["finding"]["message"])
    steps = row["plan"]["steps"]
    teller.line(
        f"{len(steps)} steps wait for a person's yes; {sum(it['irreversible'] for it in steps)} cannot be undone"
    )
    teller.line(f"say it yourself, as Ada Approver: {client.facts['functions']}/remediations/{row['id']}")
    return client.writes(workspace["id"]) == []


def invite(facts: Mapping[str, Any]) -> None:
    """Say what can be tried while all of it is still served."""
    _Teller().chapter("Try it, in another terminal")
    vault = world.vault_id(facts["subscriptions"][0], "kv-claims-other")
    print(f"The console is at {facts['functions']}/ (its sign-in page offers Ada Approver and others);")
    print("the command line, here in the checkout:  .venv/bin/python -m cli.main findings --local")
    print(f"The API is at {facts['functions']}/api; addresses and tokens are in .local/stack.json.\n")
    print(f"TOKEN={facts['people'][0]['token']}")
    for path in ("/api/findings", "/api/remediations?state=failed", f"/api/explain?resource={vault}"):
        print(f"curl -s -H \"Authorization: Bearer $TOKEN\" '{facts['functions']}{path}'")


def _listed(client: Client, subscription: str, kind: str, version: str) -> list[Any]:
    items: list[Any] = client.arm("GET", f"/subscriptions/{subscription}/providers/{kind}", version).json()["value"]
    return items


def _written(client: Client, teller: _Teller, name: str, tags: Mapping[str, str]) -> str:
    subscription = client.facts["subscriptions"][0]
    vault = world.vault_id(subscription, name)
    client.put_group(subscription, "rg-keys").raise_for_status()
    answer = client.put_vault(vault, tags)
    answer.raise_for_status()
    body = answer.json()
    who = body.get("systemData", {}).get("lastModifiedBy", "somebody")
    teller.line(f"{who} writes {body['name']}, tags {json.dumps(body['tags'])}")
    return vault


def _planted(client: Client, vault: str) -> None:
    """Put an unprotected CMK vault into Azure without an event."""
    properties = {"tenantId": client.facts["tenant"], "enableSoftDelete": True, "provisioningState": "Succeeded"}
    tags = {"cmk-vault": "true", "environment": "prod"}
    body = {"id": vault, "location": "westeurope", "tags": tags, "properties": properties}
    client.manage("POST", "/seed", {"resources": [body]})


def _ended(client: Client, vault: str, state: str) -> dict[str, Any]:
    def ask() -> dict[str, Any] | None:
        row = client.row(vault)
        return row if row and row["state"] == state else None

    return until(ask, f"{vault.rsplit('/', 1)[1]} {state}")


def _untouched(client: Client, teller: _Teller, vault: str) -> bool:
    protected = client.vault(vault)["properties"].get("enablePurgeProtection")
    accepted = [write for write in client.writes(vault) if write["status"] < 300]
    teller.line(f"Azure says: purge protection {protected or 'off'}, accepted writes by the app: {len(accepted)}")
    return not protected and not accepted


def _reads(client: Client, vault: str) -> int:
    items = client.manage("GET", "/journal")["items"]
    return sum(
        item["method"] == "GET" and item["caller"] == "reader" and item["path"].lower() == vault.lower()
        for item in items
    )


def _quiet(client: Client, seconds: float = 3) -> None:
    """Wait until the journal has stood still for a while: then nothing is on its way any more."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        now = len(client.manage("GET", "/journal")["items"])
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.2)


def _event(vault: str, n: int) -> dict[str, Any]:
    """Return an event as Azure's subscription topic sends it, with the casing that it sometimes has."""
    return {
        "id": f"5707e000-0000-4000-8000-{n:012d}",
        "topic": "/subscriptions/" + vault.split("/")[2],
        "subject": vault.replace("resourceGroups", "resourcegroups") if n % 2 else vault,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": datetime.now(UTC).isoformat(),
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"operationName": "Microsoft.KeyVault/vaults/write", "resourceUri": vault, "status": "Succeeded"},
    }
