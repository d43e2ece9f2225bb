"""The whole road in bad weather of every kind at once: what is written is protected in the end, and written once."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.package.unpacked import Unpacked
from simulator.arm.nasty import STRIKES
from simulator.client import Client, until
from simulator.nastiness import wanted
from simulator.ports import chosen
from simulator.stack import Stack

TAGS = {"cmk-vault": "true", "environment": "prod"}
RATE = 0.025  # of each kind: of all requests of the app every fifth meets something


@pytest.fixture
def azure(tmp_path: Path, app: Unpacked) -> Iterator[Client]:
    """A stack of our own, on which every control is judged."""
    with Stack(chosen("random"), tmp_path / "local", app=app.app, python=app.python) as stack:
        yield Client(stack.facts)


def _vault(azure: Client, name: str) -> str:
    at = azure.facts["subscriptions"][2]
    azure.put_group(at, "rg-weather").raise_for_status()
    return f"/subscriptions/{at}/resourceGroups/rg-weather/providers/Microsoft.KeyVault/vaults/{name}"


def _resolved(azure: Client, vault: str) -> Any:
    row = azure.row(vault)
    return row if row and row["state"] == "resolved" else None


def _effects(azure: Client, vault: str) -> int:
    """How often the app changed the vault, as Azure's own log has it: an answer that was lost counts, a lost request not."""
    start = datetime.now(UTC) - timedelta(minutes=30)
    query = {
        "api-version": "2015-04-01",
        "$filter": f"eventTimestamp ge '{start:%Y-%m-%dT%H:%M:%SZ}' and resourceUri eq '{vault}' and status eq 'Succeeded'",
    }
    url = f"{azure.facts['arm']}/subscriptions/{vault.split('/')[2]}/providers/Microsoft.Insights/eventtypes/management/values"
    answer = azure.get(url, query, {"Authorization": f"Bearer {azure.facts['owner_token']}"})
    answer.raise_for_status()
    writer = azure.facts["identities"]["writer"]["client_id"]
    return sum(row["caller"] == writer for row in answer.json()["value"])


@pytest.mark.calm  # it brings weather of its own
def test_what_is_written_in_bad_weather_is_protected_once(azure: Client) -> None:
    """Refused, failed, slow, cut off before and after: each vault ends protected and resolved, by one write."""
    order = {"callers": ["reader", "writer"], **dict.fromkeys(STRIKES, RATE), "in_a_row": 3, "event_double": 0.5}
    azure.manage("POST", "/faults", {**order, "profile": "mild", "seed": f"{wanted(os.environ)['seed']} weather"})
    vaults = [_vault(azure, f"kv-weather-{number}") for number in range(4)]
    for vault in vaults:
        azure.put_vault(vault, TAGS).raise_for_status()
    rows = [until(lambda vault=vault: _resolved(azure, vault), "the record", 120) for vault in vaults]  # type: ignore[misc]
    struck = azure.manage("GET", "/faults")["struck"]
    azure.manage("DELETE", "/faults")

    assert [row["verdict"] for row in rows] == ["Compliant"] * 4
    assert [bool(azure.vault(vault)["properties"].get("enablePurgeProtection")) for vault in vaults] == [True] * 4
    assert [_effects(azure, vault) for vault in vaults] == [1] * 4, struck
