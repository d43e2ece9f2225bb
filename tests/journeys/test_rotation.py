"""A key gets a new version: its workspace is woken, left alone for the grace, and put on it once a person has agreed."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from simulator import estate
from simulator.client import Client, until
from tests.journeys.test_migration import agree
from tests.migration import Plain, key_vault, plain, unchanged

GRACE = timedelta(seconds=5)  # CMK_KEY_GRACE of the local Azure
GAP = timedelta(seconds=11)  # a little more than its CMK_GAP
POLICY = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P300D"}, "action": {"type": "rotate"}}]}
_CUSTODIAN = estate.IDENTITIES["operator"]  # who rotates keys
_NUMBERS = itertools.count()


def _vault(azure: Client) -> str:
    """Seed a vault in which AzureDatabricks holds more than it needs: that the app has seen it shows by that being narrowed."""
    at = azure.facts["subscriptions"][0]
    name = f"kv-rotating-{next(_NUMBERS)}"
    vault = f"/subscriptions/{at}/resourceGroups/rg-rotating/providers/Microsoft.KeyVault/vaults/{name}"

    def policy(principal: str, *keys: str) -> dict[str, Any]:
        return {"tenantId": azure.facts["tenant"], "objectId": principal, "permissions": {"keys": list(keys)}}

    databricks = azure.facts["identities"]["azure_databricks"]["principal_id"]
    entries = [
        policy(databricks, "get", "wrapKey", "unwrapKey", "list"),
        policy(_CUSTODIAN["principal_id"], "get", "rotate"),
    ]
    key_vault(azure, vault, accessPolicies=entries)
    return vault


def _rotate(azure: Client, vault: str, key: str) -> tuple[str, datetime]:
    """Rotate a key at the vault's own front; return the new version and when it was made."""
    form = {
        "client_id": _CUSTODIAN["client_id"], "client_secret": "-", "grant_type": "client_credentials",
        "scope": "https://vault.azure.net/.default",
    }  # fmt: skip
    base, ca = azure.facts["arm"], azure.facts["ca"]
    token = requests.post(f"{base}/{azure.facts['tenant']}/oauth2/v2.0/token", data=form, verify=ca, timeout=30).json()
    answer = requests.post(
        f"{base}/keys/{key}/rotate",
        params={"api-version": "7.5"},
        headers={
            "Host": f"{vault.rsplit('/', 1)[1]}.vault.azure.net",
            "Authorization": f"Bearer {token['access_token']}",
        },
        verify=ca,
        timeout=30,
    )
    answer.raise_for_status()
    made = answer.json()
    return made["key"]["kid"].rsplit("/", 1)[1], datetime.fromtimestamp(made["attributes"]["created"], UTC)


def _workspace(azure: Client) -> tuple[Plain, str]:
    """Return a workspace whose managed services are on a key that rotates, seen by the app; and the version of the key."""
    vault = _vault(azure)
    key = {"kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"], "rotationPolicy": POLICY}
    made = azure.arm("PUT", f"{vault}/keys/k", "2023-07-01", {"properties": key}).json()
    version = made["properties"]["keyUriWithVersion"].rsplit("/", 1)[1]
    named = {
        "keyVaultUri": f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net/",
        "keyName": "k",
        "keyVersion": version,
    }
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": named}
    at = plain(azure, vault, encryption={"entities": {"managedServices": entity}})
    databricks = azure.facts["identities"]["azure_databricks"]["principal_id"]

    def narrowed() -> bool:
        row = azure.row(vault, "KV-ACCESS", databricks)
        return row is not None and row["state"] == "resolved"

    until(narrowed, "the vault is known, and who uses it", 90)
    until(lambda: _is_quiet(at), "an end of the looks that its own events ask for", 90)
    return at, version


def _is_quiet(at: Plain) -> bool:
    """Whether the last look at the workspace is older than the gap: then none is scheduled, and the next event has one of its own."""
    items = at.azure.manage("GET", "/journal")["items"]
    looks = [it["time"] for it in items if it["caller"] == "reader" and it["path"].lower() == at.id.lower()]
    return bool(looks) and datetime.fromisoformat(max(looks)) < datetime.now(UTC) - GAP


def _version(at: Plain) -> str:
    """Return the version that managed services are on."""
    entity = at.body()["properties"]["encryption"]["entities"]["managedServices"]
    version: str = entity["keyVaultProperties"]["keyVersion"]
    return version


def _asked(at: Plain, *states: str) -> dict[str, Any] | None:
    """Return the row of the versions in use, where it is in one of these states."""
    row = at.azure.row(at.id, "KEY-ROTATION")
    return row if row and row["state"] in states else None


def test_a_new_version_is_taken_into_use_after_its_grace_and_a_yes(azure: Client) -> None:
    """The vault's own event wakes the workspace; nothing is asked within the grace, nothing written before the yes."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    at, old = _workspace(azure)
    before = at.body()
    assert _asked(at, "observed", "awaiting_approval") is None

    new, made = _rotate(azure, at.vault, "k")
    row = until(lambda: _asked(at, "awaiting_approval"), "a question", 90)

    assert datetime.fromisoformat(row["opened"]) >= made + GRACE
    assert row["finding"]["reason"] == "OlderVersion"
    assert [it["after"]["version"] for it in row["plan"]["steps"]] == [new]
    assert "24 hours" in row["plan"]["steps"][0]["note"]
    assert (_version(at), at.puts()) == (old, [])
    told = [it for it in azure.manage("GET", "/events")["items"] if it["event_id"] == row["cause"]["id"]]
    assert {(it["subject"], it["function"]) for it in told} == {("k", "on_key_event")}

    agree(at, row)
    done = until(lambda: _asked(at, "resolved", "failed"), "the end", 90)

    assert (done["state"], done["verdict"], _version(at), len(at.puts())) == ("resolved", "Compliant", new, 1)
    unchanged(before, at.body())
    history = azure.app(f"/api/remediations/{row['id']}")
    assert {"approved", "writing"} <= {it["event"] for it in history["history"]}
    assert history["history"][-1]["state"] == "resolved"  # by the read after the write, or by a look that came first
    assert at.azure.row(at.id, "KEY-ROTATION", "managedServices") is None
