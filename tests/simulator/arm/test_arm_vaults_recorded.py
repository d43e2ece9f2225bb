"""Vault creations as recorded: the same body and api-version give the same fields with the same values."""

import json
from pathlib import Path
from typing import Any

from tests.simulator.arm.stage import Stage

VOLATILE = {"vaultUri", "provisioningState"}
# Until 2021 the service did not show these when nobody had set them; later it did, for the same versions (AZURE 2.1).
SINCE_THEN = {"enableRbacAuthorization", "softDeleteRetentionInDays"}


def test_every_recorded_creation_is_answered_alike(stage: Stage, reference: Path) -> None:
    """All PUTs of five api-versions; the differences that remain are named here."""
    where = f"{stage.group('rg-recorded')}/providers/Microsoft.KeyVault/vaults"
    compared = 0
    for number, record in enumerate(_creations(reference)):
        answer = stage.call("PUT", f"{where}/kv-put-{number}", record["request_body"], version=record["api_version"])
        assert answer.status_code == 200, answer.text
        theirs, ours = record["response_body"], answer.json()
        allowed = SINCE_THEN | _oddities(record)

        about = (record["api_version"], record["source"])
        assert set(ours["properties"]) ^ set(theirs["properties"]) <= allowed, about
        assert set(ours) ^ set(theirs) <= allowed, about
        for field in set(ours["properties"]) & set(theirs["properties"]) - VOLATILE:
            assert ours["properties"][field] == theirs["properties"][field], (field, *about)
        compared += 1

    assert compared > 80


def test_a_list_shows_what_its_version_knows(stage: Stage) -> None:
    """The same vault in four lists."""
    where = f"{stage.group('rg-versions')}/providers/Microsoft.KeyVault/vaults"
    properties = {"tenantId": "aa", "sku": {"family": "A", "name": "standard"}}
    stage.call("PUT", f"{where}/kv-seen1", {"location": "westeurope", "properties": properties})

    def fields(version: str) -> tuple[bool, bool, bool]:
        row = stage.call("GET", where, version=version).json()["value"][0]
        return (
            "systemData" in row,
            "publicNetworkAccess" in row["properties"],
            "enableRbacAuthorization" in row["properties"],
        )

    assert fields("2016-10-01") == (False, False, False)
    assert fields("2019-09-01") == (False, False, True)
    assert fields("2021-04-01-preview") == (True, False, True)
    assert fields("2026-05-15") == (True, True, True)


def _creations(reference: Path) -> list[dict[str, Any]]:
    lines = (reference / "arm_traffic/keyvault_vaults.jsonl").read_text().splitlines()
    return [
        each
        for each in map(json.loads, lines)
        if each["method"] == "PUT"
        and each["status"] == 200
        and "properties" in each["request_body"]
        and each["request_body"]["properties"].get("createMode") != "recover"
        and not each["api_version"].startswith("0000")
    ]


def _oddities(record: dict[str, Any]) -> set[str]:
    """What belongs to one recording and not to the request that was sent."""
    found = set()
    if "privateEndpointConnections" in record["response_body"]["properties"]:
        found.add("privateEndpointConnections")  # made by somebody else before
    if ("systemData" in record["response_body"]) != (record["api_version"] >= "2021-04-01"):
        found.add("systemData")  # two answers: one of 2019-09-01 has it, one of 2021-04-01-preview lacks it
    if record["api_version"] == "2025-05-01":
        found |= {"enabledForDiskEncryption", "enabledForTemplateDeployment"}  # unset: shown by two of three
    if record["api_version"] == "2016-10-01":
        found.add("enableSoftDelete")  # not the default then
    return found
