"""What the doctor measures, by the real SDKs on the local Azure."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediators import REMEDIATORS
from shared import settings
from shared.adapters.vitals import account, letterbox
from shared.core import ids
from shared.core.errors import BadInput, Denied, Temporary
from shared.core.ports import Home, Vitals
from shared.wiring import build
from simulator.client import Client, until


@pytest.fixture
def vitals(environment: Client, folder: Path) -> Vitals:
    """The measurements as the app has them."""
    own = json.loads((folder / "host.json").read_text())["settings"]
    return build(settings.read(own), REMEDIATORS).vitals


def test_the_activity_log_tells_of_writes_to_vaults(environment: Client, vitals: Vitals) -> None:
    """The vault and the second; a resource group is no vault, and what came before counts no more."""
    subscription = environment.facts["subscriptions"][0]
    environment.put_group(subscription, "rg-vitals")
    vault = f"/subscriptions/{subscription}/resourceGroups/rg-vitals/providers/Microsoft.KeyVault/vaults/kv-v-{uuid.uuid4().hex[:8]}"
    environment.put_vault(vault, {})
    since = datetime.now(UTC) - timedelta(minutes=5)
    target = ids.parse(vault)
    seen = until(lambda: [it for it in vitals.written(subscription, since) if it.target == target], "the write")

    assert abs(seen[0].time - datetime.now(UTC)) < timedelta(minutes=1)
    assert vitals.written(subscription, datetime.now(UTC) + timedelta(minutes=1)) == []


def test_who_we_are_and_what_we_hold(environment: Client, vitals: Vitals) -> None:
    """Object ids from tokens; the roles of infra/roles, one of them under its condition."""
    subscription = environment.facts["subscriptions"][0]
    identities = environment.facts["identities"]
    writer = vitals.identity("writer")
    held = vitals.held(subscription, writer)
    names = {vitals.definition(subscription, it["properties"]["roleDefinitionId"].rsplit("/", 1)[1])["properties"]["roleName"] for it in held}  # fmt: skip

    assert (vitals.identity("reader"), writer) == tuple(identities[it]["principal_id"] for it in ("reader", "writer"))
    assert names == {"cmkwarden Writer", "cmkwarden Grants", "cmkwarden Linked"}
    assert sum(bool(it["properties"]["condition"]) for it in held) == 1


def test_clocks_keys_and_queues(vitals: Vitals) -> None:
    """Whole seconds of two clocks, the keys of the tenant, and a queue that there is beside one that there is not."""
    found = vitals.backlog("evaluate")

    assert all(abs(vitals.time(where) - datetime.now(UTC)) < timedelta(seconds=5) for where in ("storage", "Resource Manager"))  # fmt: skip
    assert vitals.signing_keys() >= 1
    assert found is not None
    assert found.waiting >= 0
    assert vitals.backlog("no-such-queue") is None
    vitals.tables()


def test_event_subscriptions_and_where_we_are(environment: Client, vitals: Vitals) -> None:
    """The topic of a subscription and what is on it, by the names of infra; our own app and storage by theirs."""
    subscription = environment.facts["subscriptions"][0]
    (topic,) = [
        it for it in vitals.topics(subscription) if it["properties"]["source"] == f"/subscriptions/{subscription}"
    ]
    names = {it["name"] for it in vitals.subscribed(topic["id"])}

    assert names == {"cmkwarden-workspaces", "cmkwarden-vaults"}
    assert vitals.home == Home("cmkwarden", "devstoreaccount1", "devstoreaccount1/dead-letters", signs_in=True)
    with pytest.raises(BadInput):
        vitals.subscribed("/subscriptions/../x")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://stcmk.queue.core.windows.net", "stcmk"),
        ("https://stcmk.blob.core.usgovcloudapi.net/dead-letters/", "stcmk"),
        ("https://127.0.0.1:10001/devstoreaccount1", "devstoreaccount1"),
        ("", ""),
    ],
)
def test_the_account_of_an_endpoint(url: str, name: str) -> None:
    """Azure's names begin with it; elsewhere it is the first part of the path."""
    assert account(url) == name


def test_a_container_by_its_address() -> None:
    """As account/container; none where nothing is set."""
    assert letterbox("https://stcmk.blob.core.windows.net/dead-letters/") == "stcmk/dead-letters"
    assert letterbox("") == ""


def test_a_measurement_that_fails_is_tried_once(faults: Client, vitals: Vitals) -> None:
    """One request, one error of ours: a doctor that retries hides what it looks for. A refusal has a clock, too."""
    rule = {"method": "GET", "path": "/subscriptions$", "times": 0}
    faults.manage("POST", "/faults", [{**rule, "cut": "before"}])
    with pytest.raises(Temporary):
        vitals.time("Resource Manager")
    (seen,) = faults.manage("GET", "/faults")["rules"]
    faults.manage("DELETE", "/faults")
    faults.manage("POST", "/faults", [{**rule, "status": 403, "code": "AuthorizationFailed"}])

    assert seen["seen"] == 1
    assert abs(vitals.time("Resource Manager") - datetime.now(UTC)) < timedelta(seconds=5)


def test_what_we_may_not_read_is_said(faults: Client, vitals: Vitals) -> None:
    """Of roles, and of the Activity Log."""
    faults.manage("POST", "/faults", [{"method": "GET", "path": "roleAssignments|eventtypes", "status": 403, "code": "AuthorizationFailed", "times": 0}])  # fmt: skip
    subscription = faults.facts["subscriptions"][0]

    with pytest.raises(Denied):
        vitals.held(subscription, "x")
    with pytest.raises(Denied):
        vitals.written(subscription, datetime.now(UTC) - timedelta(minutes=1))
