"""ARM and Resource Graph through the real SDKs, over TLS, with the identities' own permissions; and their failures."""

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.arm import ArmHand, ArmReader
from shared.adapters.clients import Clients
from shared.adapters.inventory import ResourceGraph
from shared.adapters.longrun import Watch
from shared.adapters.pipeline import Pipeline
from shared.adapters.rest import Rest
from shared.adapters.vaults import ArmVaults
from shared.core import ids, parse
from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary
from shared.core.facts import Absent, Deleted
from shared.core.ids import ResourceId
from shared.core.moves.vault import recover, recover_request
from shared.core.steps import Request
from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import Stack
from tests.adapters.conftest import identity
from tests.fakes import workspace_body
from tests.reference import bodies, needs_reference

_NUMBERS = itertools.count()
CORRELATION = "0f7d9c1e-1111-4222-8333-444455556666"
FLAGS = {"properties": {"enableSoftDelete": True, "enablePurgeProtection": True}}


def hand(pipeline: Pipeline, client_id: str) -> ArmHand:
    """Return a hand that writes with an identity, and watches with it."""
    return ArmHand(pipeline, Clients(pipeline), client_id, Watch(Rest(pipeline), every=0.2, patience=20))


def _seeded(azure: Client, **properties: Any) -> ResourceId:
    name = f"kv-arm-{next(_NUMBERS)}"
    subscription = azure.facts["subscriptions"][0]
    target = f"/subscriptions/{subscription}/resourceGroups/rg-arm/providers/Microsoft.KeyVault/vaults/{name}"
    own = {"enableSoftDelete": True, "softDeleteRetentionInDays": 90, "provisioningState": "Succeeded"}
    body = {"id": target, "location": "westeurope", "tags": {"A": "b"}, "properties": {**own, **properties}}
    azure.manage("POST", "/seed", {"resources": [body]})
    return ids.parse(target)


def test_a_vault_is_read_raw(environment: Client, reader: Pipeline) -> None:
    """Fields that the SDK's models do not know survive the read."""
    target = _seeded(environment, somethingNew={"deep": [1]})
    body = ArmReader(Clients(reader)).read(target)

    assert body is not None
    assert body["properties"]["somethingNew"] == {"deep": [1]}
    assert parse.vault(body).id == target


def test_what_is_not_there_is_none(reader: Pipeline, environment: Client) -> None:
    """A missing vault, group or subscription is absence, not an error."""
    target = _seeded(environment)
    for text in (
        str(target) + "x",
        str(target).replace("rg-arm", "rg-none"),
    ):
        assert ArmReader(Clients(reader)).read(ids.parse(text)) is None


def test_only_vaults_and_workspaces_are_read(reader: Pipeline) -> None:
    """The reader's calls are a closed set."""
    other = f"/subscriptions/{'0' * 8}-0000-4000-8000-{'0' * 12}/resourceGroups/g/providers/A.B/c/d"
    with pytest.raises(BadInput):
        ArmReader(Clients(reader)).read(ids.parse(other))


def test_a_write_changes_what_it_names_and_nothing_else(environment: Client, writer: Pipeline) -> None:
    """After the PATCH the vault differs in purge protection alone."""
    acl = {
        "defaultAction": "Deny",
        "bypass": "AzureServices",
        "ipRules": [{"value": "1.2.3.4"}],
        "virtualNetworkRules": [],
    }
    policy = {"tenantId": environment.facts["tenant"], "objectId": "o", "permissions": {"keys": ["Get", "all"]}}
    target = _seeded(environment, accessPolicies=[policy], networkAcls=acl, enableRbacAuthorization=False)
    before = environment.vault(str(target))
    hand(writer, "client").write(Request("PATCH", str(target), FLAGS), CORRELATION)
    after = environment.vault(str(target))

    assert after["properties"].pop("enablePurgeProtection") is True
    assert {**after, "systemData": None} == {**before, "systemData": None}


def test_the_hand_says_who_it_is(environment: Client, writer: Pipeline) -> None:
    """The writer's object id comes out of its own token."""
    own = environment.facts["identities"]["writer"]

    assert hand(writer, own["client_id"]).identity == own


def test_the_hand_sends_only_what_it_knows(environment: Client, writer: Pipeline) -> None:
    """There is no way to DELETE a vault through the hand, nor to PUT one other than to take it back."""
    target = _seeded(environment)
    for method in ("PUT", "DELETE", "POST"):
        with pytest.raises(BadInput):
            hand(writer, "c").write(Request(method, str(target), FLAGS), CORRELATION)


def test_a_deleted_vault_is_listed_and_taken_back(environment: Client, reader: Pipeline, writer: Pipeline) -> None:
    """The reader finds it among the deleted, with its dates; the writer's PUT brings it back as it was, whatever sku it names."""
    target = _seeded(environment, enablePurgeProtection=True, sku={"family": "A", "name": "premium"})
    environment.arm("DELETE", str(target), "2023-07-01").raise_for_status()
    found = parse.deleted(ArmVaults(Rest(reader)).deleted(target.subscription), target)
    assert isinstance(found, Deleted)
    step = recover(target, found, environment.facts["tenant"])

    assert hand(writer, "writer").write(recover_request(step), CORRELATION) is True
    body = environment.vault(str(target))
    assert (found.location, found.tags, found.purge_protection) == ("westeurope", {"a": "b"}, True)
    assert found.deleted is not None
    assert found.purged is not None
    assert (found.purged - found.deleted).days == 90
    assert (body["tags"], body["properties"]["sku"]["name"]) == ({"A": "b"}, "premium")
    assert isinstance(parse.deleted(ArmVaults(Rest(reader)).deleted(target.subscription), target), Absent)


def test_no_vault_is_put_that_is_not_taken_back(environment: Client, writer: Pipeline) -> None:
    """A PUT of a vault in any other mode would replace its settings: it is not sent."""
    target = _seeded(environment)
    for mode in ({}, {"createMode": "default"}):
        with pytest.raises(BadInput, match="does not recover"):
            hand(writer, "writer").write(Request("PUT", str(target), {"properties": mode}), CORRELATION)

    assert environment.writes(str(target)) == []


def test_the_reader_may_not_write(environment: Client, reader: Pipeline) -> None:
    """With the reader's identity a write is refused by Azure itself."""
    target = _seeded(environment)
    with pytest.raises(Denied) as caught:
        hand(reader, "c").write(Request("PATCH", str(target), FLAGS), CORRELATION)

    assert caught.value.reason == "AuthorizationFailed"
    assert "enablePurgeProtection" not in environment.vault(str(target))["properties"]


def test_the_writer_may_not_read_workspaces(environment: Client, writer: Pipeline) -> None:
    """The writer holds what it writes with, and nothing else."""
    target = ids.parse(str(_seeded(environment)).replace("KeyVault/vaults", "Databricks/workspaces"))
    with pytest.raises(Denied):
        ArmReader(Clients(writer)).read(target)


@pytest.mark.parametrize(
    ("fault", "error", "reason", "delay"),
    [
        (
            {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "17"}},
            Temporary,
            "TooManyRequests",
            17,
        ),
        ({"status": 503, "code": "ServerBusy"}, Temporary, "ServerBusy", None),
        ({"status": 500, "code": "InternalServerError"}, Temporary, "InternalServerError", None),
        ({"status": 409, "code": "ConflictError"}, Temporary, "ConflictError", None),
        ({"status": 403, "code": "RequestDisallowedByPolicy"}, Denied, "RequestDisallowedByPolicy", None),
        ({"status": 409, "code": "ScopeLocked"}, Denied, "ScopeLocked", None),
        ({"status": 412, "code": "PreconditionFailed"}, Conflict, "PreconditionFailed", None),
        ({"status": 404, "code": "ResourceNotFound"}, Conflict, "ResourceNotFound", None),
        ({"status": 400, "code": "BadRequest"}, BadInput, "BadRequest", None),
        ({"cut": "before"}, Temporary, "ConnectionLost", None),
        ({"cut": "after"}, Temporary, "ConnectionLost", None),
    ],
)
def test_failures_of_a_write_are_told_apart(
    environment: Client, faults: Client, writer: Pipeline, fault: dict[str, Any], error: type[RemediationError],
    reason: str, delay: float | None,
) -> None:  # fmt: skip
    """Each way Azure fails becomes one of our errors, at once: nothing is sent again by itself."""
    target = _seeded(environment)
    faults.manage("DELETE", "/journal")
    faults.manage("POST", "/faults", [{"method": "PATCH", "path": target.name, "times": 5, **fault}])
    began = time.monotonic()
    with pytest.raises(error) as caught:
        hand(writer, "c").write(Request("PATCH", str(target), FLAGS), CORRELATION)

    assert caught.value.reason == reason
    assert getattr(caught.value, "delay", None) == delay
    assert time.monotonic() - began < 5
    assert len(environment.writes(str(target))) == 1


def test_a_truncated_answer_is_temporary(environment: Client, faults: Client, reader: Pipeline) -> None:
    """Half an answer is no answer: it is neither parsed nor taken for absence."""
    target = _seeded(environment)
    faults.manage("POST", "/faults", [{"method": "GET", "path": target.name, "times": 1, "cut": "body"}])
    with pytest.raises(Temporary):
        ArmReader(Clients(reader)).read(target)


def test_the_inventory_finds_dependants(environment: Client, reader: Pipeline) -> None:
    """The workspaces that name a vault are found over all subscriptions, raw as ARM has them."""
    name = f"kv-inv-{next(_NUMBERS)}"
    found = []
    for n, subscription in enumerate(environment.facts["subscriptions"]):
        body = workspace_body(f"dbw-{name}-{n}", name)
        body["id"] = body["id"].replace(body["id"].split("/")[2], subscription)
        found.append(body)
    environment.manage("POST", "/seed", {"resources": found})
    inventory = ResourceGraph(reader, ())
    rows = inventory.workspaces_naming(f"{name}.vault.azure.net")

    assert {parse.workspace(row).id for row in rows} == {ids.parse(body["id"]) for body in found}
    assert all(parse.workspace(row).hosts() == (f"{name}.vault.azure.net",) for row in rows)
    mine = ResourceGraph(reader, environment.facts["subscriptions"][:1])
    assert len(mine.workspaces_naming(f"{name}.vault.azure.net")) == 1


def test_the_inventory_reads_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a thousand workspaces on one vault are all found. In a world of their own: a sweep would look at each."""
    with Stack(chosen("random"), tmp_path / "local", hosts=0) as stack:
        settings = stack.app_settings()
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, settings[name])
        azure = Client(stack.facts)
        made = [workspace_body(f"dbw-{n}", "kv-many") for n in range(1100)]
        for body in made:
            body["id"] = body["id"].replace(body["id"].split("/")[2], azure.facts["subscriptions"][2])
        azure.manage("POST", "/seed", {"resources": made})
        graph = ResourceGraph(Pipeline(identity(azure, "reader"), azure.facts["arm"]), ())

        assert len(graph.workspaces_naming("kv-many.vault.azure.net")) == 1100


def test_the_inventory_finds_vaults_by_name(environment: Client, reader: Pipeline) -> None:
    """Names lead to ids, unknown ones to nothing, and hostile ones are not asked about."""
    target = _seeded(environment)
    inventory = ResourceGraph(reader, ())

    assert inventory.vaults_named([target.name.upper(), "kv-nothing", "x' or 1 == 1"]) == {target.name: str(target)}
    assert inventory.vaults_named([]) == {}
    assert inventory.vaults_in(target.subscription) >= 1


@pytest.mark.parametrize("host", ["", "kv' | project x", "kv.vault.azure.net'", "KV.vault.azure.net", "a" * 300])
def test_a_hostile_host_is_not_made_part_of_a_query(reader: Pipeline, host: str) -> None:
    """What a workspace names as its vault is data, never query text."""
    with pytest.raises(BadInput):
        ResourceGraph(reader, ()).workspaces_naming(host)


@needs_reference
@pytest.mark.parametrize("category", ["keyvault_vaults", "databricks_workspaces"])
def test_every_recorded_body_is_read_through_the_sdk(environment: Client, reader: Pipeline, category: str) -> None:
    """Whatever odd shape Azure has sent, the SDK's operations hand it over raw and it parses or is refused."""
    kind = ids.VAULT if category == "keyvault_vaults" else ids.WORKSPACE
    found = [body for body in bodies(category, kind) if body.get("properties")]
    environment.manage("POST", "/seed", {"resources": found})
    arm, read = ArmReader(Clients(reader)), parse.vault if kind == ids.VAULT else parse.workspace
    for body in found:
        raw = arm.read(ids.parse(body["id"]))
        assert raw is not None
        assert read(raw).id == ids.parse(body["id"])


def test_without_a_token_it_may_work_later(
    environment: Client, reader: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity endpoint does not answer: temporary, whatever class the SDK raises it as."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    fresh = Pipeline(identity(environment, "reader"), environment.facts["arm"])
    with pytest.raises(Temporary) as caught:
        ArmReader(Clients(fresh)).read(_seeded(environment))

    assert caught.value.reason in {"NoToken", "ConnectionLost"}
