"""Poison on the running stack: recorded by the app itself, shown by the API, tried again by a person."""

import json
from pathlib import Path
from typing import Any

from azure.core.credentials import TokenCredential
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from simulator.client import Client, until
from tests.fakes import SUBSCRIPTION


class _Token(TokenCredential):
    """A token that Azurite takes: it looks at audience and times, not at signatures (LOCAL 4)."""

    def __init__(self, azure: Client, folder: Path) -> None:
        self._azure = azure
        self._header = json.loads((folder / "arm.json").read_text())["identity_header"]

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        from azure.core.credentials import AccessToken

        client = self._azure.facts["identities"]["reader"]["client_id"]
        query = {"api-version": "2019-08-01", "resource": "https://storage.azure.com", "client_id": client}
        answer = self._azure.get(self._azure.facts["token_url"], query, {"X-IDENTITY-HEADER": self._header}).json()
        return AccessToken(answer["access_token"], int(answer["expires_on"]))


def _poison(azure: Client, reference: str) -> dict[str, Any] | None:
    items = azure.app("/api/poison", limit="200")["items"]
    return next((item for item in items if item["reference"] == reference), None)


def test_what_killed_its_worker_is_recorded_shown_and_tried_again(azure: Client, folder: Path) -> None:
    """A message on `evaluate-poison` becomes a record; redriven by a person, its vault is protected."""
    path = f"/subscriptions/{azure.facts['subscriptions'][0]}/resourceGroups/rg-poison"
    azure.put_group(azure.facts["subscriptions"][0], "rg-poison")
    vault = f"{path}/providers/Microsoft.KeyVault/vaults/kv-poison"
    azure.manage("POST", "/seed", {"resources": [_vault(azure, vault)]})
    queue = QueueClient(
        azure.facts["storage"]["queue"], "evaluate-poison", _Token(azure, folder), connection_verify=azure.facts["ca"],
        message_encode_policy=TextBase64EncodePolicy(),
    )  # fmt: skip
    sent = queue.send_message(json.dumps({"id": vault, "cause": {"kind": "event", "id": "e", "actor": ""}}))
    record = until(lambda: _poison(azure, sent.id), "the record of poison")
    answer = azure.call("POST", f"/api/poison/{record['id']}/redrive", person=1)

    assert (record["source"], record["reason"], record["redriven"]) == ("evaluate", "GaveUp", None)
    assert (answer.status_code, answer.json()["person"]) == (200, azure.facts["people"][1]["object_id"])
    until(lambda: azure.vault(vault)["properties"].get("enablePurgeProtection"), "the vault being protected")


def test_of_an_event_that_made_no_sense_only_the_reason_is_kept(azure: Client) -> None:
    """An event with claims and a broken subject: its record says why, and holds nothing of it."""
    event = {"id": "1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": "nowhere",
             "data": {"claims": {"name": "Ada Lovelace"}}, "dataVersion": "2", "eventTime": "2026-11-24T00:00:00Z",
             "topic": f"/subscriptions/{SUBSCRIPTION}"}  # fmt: skip
    before = {item["id"] for item in azure.app("/api/poison", limit="200")["items"]}
    azure.send_events("on_vault_write", [event])

    def fresh() -> dict[str, Any] | None:
        items = azure.app("/api/poison", limit="200")["items"]
        return next((item for item in items if item["id"] not in before and item["source"] == "event"), None)

    record = until(fresh, "the record of the event")
    refused = azure.call("POST", f"/api/poison/{record['id']}/redrive", person=1)

    assert "Ada" not in json.dumps(record)
    assert (refused.status_code, refused.json()["reason"]) == (409, "NothingKept")


def test_a_reader_tries_nothing_again(azure: Client) -> None:
    """Redriving changes something: without a role that may, and for ids that are none, it is a no."""
    assert azure.call("POST", "/api/poison/aaaaaaaaaaaaaaaa/redrive", person=0).status_code == 403
    assert azure.call("POST", "/api/poison/aaaaaaaaaaaaaaaa/redrive", person=1).status_code == 404
    assert azure.call("POST", "/api/poison/..%2f/redrive", person=1).status_code == 404


def _vault(azure: Client, vault: str) -> dict[str, Any]:
    return {
        "id": vault, "name": vault.rsplit("/", 1)[1], "type": "Microsoft.KeyVault/vaults", "location": "westeurope",
        "tags": {"cmk-vault": "true"},
        "properties": {
            "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
            "enableSoftDelete": True, "enableRbacAuthorization": True, "provisioningState": "Succeeded",
            "vaultUri": f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net/",
        },
    }  # fmt: skip
