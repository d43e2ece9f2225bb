"""Lists below a vault over the wire, with the reader's own rights: all pages, no values, and their failures as ours."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft4Validator

from shared.adapters.pipeline import Pipeline
from shared.adapters.rest import Rest
from shared.adapters.vaults import ArmVaults
from shared.core import ids, parse
from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary
from shared.core.figures import WINDOW
from shared.core.figures.reading import midnight
from shared.core.ids import ResourceId
from shared.core.moves import logs
from shared.core.parse.hits import hits as parsed_hits
from shared.core.words import log_workspace
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.adapters.test_arm import CORRELATION, hand
from tests.fakes import vault_id
from tests.reference import REFERENCE, needs_reference, put_schema
from tests.vaults import LOGS

_NUMBERS = itertools.count()
_EXAMPLES = (
    "openapi/azure-rest-api-specs/specification/keyvault/resource-manager/Microsoft.KeyVault/stable/2023-07-01/examples"
)


@pytest.fixture
def vault(environment: Client) -> Iterator[ResourceId]:
    """A vault with keys, secrets and diagnostic settings, more than fit on a page."""
    environment.manage("POST", "/knobs", {"page_size": 7})
    at = environment.facts["subscriptions"][0]
    path = f"/subscriptions/{at}/resourceGroups/rg-vaults/providers/Microsoft.KeyVault/vaults/kv-holds-{next(_NUMBERS)}"
    own = {"enableSoftDelete": True, "provisioningState": "Succeeded"}
    held: list[dict[str, Any]] = [{"id": path, "location": "westeurope", "properties": own}]
    for number in range(30):
        name = f"it-{number:02}"
        times = {"attributes": {"created": 1_790_000_000 + number}}
        held.append({"id": f"{path}/keys/{name}", "name": name, "properties": times})
        held.append({"id": f"{path}/secrets/{name}", "name": name, "properties": {"value": "do not show", **times}})
    environment.manage("POST", "/seed", {"resources": held})
    yield ids.parse(path)
    environment.manage("POST", "/knobs", {"page_size": 100})


def test_every_key_is_listed_and_the_first_secrets(vault: ResourceId, reader: Pipeline) -> None:
    """Over five pages; of thirty secrets twenty-one, without their values; the facts hold names and times."""
    vaults = ArmVaults(Rest(reader))
    secrets = vaults.secrets(vault)
    found = parse.contents(vaults.keys(vault), secrets)

    assert [it.name for it in found.keys] == [f"it-{number:02}" for number in range(30)]
    assert [int(it.created.timestamp()) for it in found.keys if it.created][:2] == [1_790_000_000, 1_790_000_001]
    assert found.secrets == tuple(f"it-{number:02}" for number in range(21))
    assert found.certificates == found.secrets
    assert "do not show" not in str(secrets)


def test_a_setting_that_we_send_is_the_one_that_is_read(
    vault: ResourceId, environment: Client, reader: Pipeline
) -> None:
    """PUT under our name by the writer, in the body of AZURE 8.1; the reader's list shows that the audit log is sent."""
    workspace = log_workspace(LOGS)
    assert workspace is not None
    body = {
        "id": str(vault),
        "location": "westeurope",
        "properties": {"vaultUri": f"https://{vault.name}.vault.azure.net"},
    }
    step = logs.send(parse.vault(body), workspace, None)
    writer, client_id = _writer(environment)
    before = parse.log_settings(ArmVaults(Rest(reader)).settings(vault))
    hand(writer, client_id).write(logs.send_request(step), CORRELATION)
    (found,) = parse.log_settings(ArmVaults(Rest(reader)).settings(vault))

    assert before == ()
    assert (found.name, found.workspace, found.elsewhere) == ("cmkwarden-audit", workspace.key, ())
    assert found.is_seen
    assert found.raw["logAnalyticsDestinationType"] == "Dedicated"


def test_another_setting_is_nothing_that_we_write(environment: Client, vault: ResourceId) -> None:
    """The hand knows one name alone."""
    request = logs.send_request(logs.send(_facts(vault), _workspace(), None))
    writer, client_id = _writer(environment)
    for below in (request.below + "2", request.below.replace("cmkwarden-audit", "theirs")):
        with pytest.raises(BadInput, match="is not something cmkwarden does"):
            hand(writer, client_id).write(type(request)("PUT", request.path, request.body, below), CORRELATION)


def test_a_list_that_is_throttled_says_when(environment: Client, vault: ResourceId, reader: Pipeline) -> None:
    """429 on the second page is Temporary, with Azure's own delay: half a list is none."""
    fault = {"method": "GET", "path": "/keys$", "nth": 2, "times": 9, "status": 429, "headers": {"Retry-After": "0"}}
    environment.manage("POST", "/faults", [fault])
    try:
        with pytest.raises(Temporary):
            ArmVaults(Rest(reader)).keys(vault)
    finally:
        environment.manage("DELETE", "/faults")


def _writer(environment: Client) -> tuple[Pipeline, str]:
    client_id = environment.facts["identities"]["writer"]["client_id"]
    return Pipeline(identity(environment, "writer"), environment.facts["arm"]), client_id


def _facts(vault: ResourceId) -> Any:
    return parse.vault({"id": str(vault), "location": "x", "properties": {"vaultUri": "https://kv.vault.azure.net"}})


def _workspace() -> ResourceId:
    found = log_workspace(LOGS)
    assert found is not None
    return found


@needs_reference
def test_the_body_that_we_send_is_what_the_official_schema_allows() -> None:
    """The setting, with the name that the path gives it."""
    sent = logs.send_request(logs.send(_facts(ids.parse(vault_id())), _workspace(), None))
    named = {"name": logs.NAME, "type": "Microsoft.Insights/diagnosticSettings", "apiVersion": "2021-05-01-preview"}
    schema = Draft4Validator(put_schema("2021-05-01-preview", "Microsoft.Insights", "diagnosticSettings"))

    assert [error.message for error in schema.iter_errors({**sent.body, **named})] == []
    assert not schema.is_valid({**named, "properties": {**sent.body["properties"], "logs": "audit"}})


@needs_reference
def test_the_official_example_of_a_list_is_read() -> None:
    """The list of keys of the specification gives names and times."""
    example = json.loads((REFERENCE / _EXAMPLES / "listKeys.json").read_text())
    rows = example["responses"]["200"]["body"]["value"]
    read = parse.contents(rows, ())

    assert [it.name for it in read.keys] == ["sample-key-name-1", "sample-key-name-2"]
    assert [it.created for it in read.keys] == [
        datetime.fromtimestamp(it["properties"]["attributes"]["created"], UTC) for it in rows
    ]


def test_calls_to_a_vault_are_counted(vault: ResourceId, environment: Client, reader: Pipeline) -> None:
    """Thirty whole days of them, as Azure Monitor has them; of a vault at which nothing was counted nobody knows."""
    vaults, until = ArmVaults(Rest(reader)), midnight(datetime.now(UTC))
    with pytest.raises(BadInput) as caught:
        parsed_hits(vaults.metrics(vault, until - WINDOW, until), until - WINDOW, 30)
    days = {0: 5, 1: 7, 30: 11, 31: 13}
    hits = {f"{until - timedelta(days=n):%Y-%m-%d}": count for n, count in days.items()}
    environment.manage("POST", "/hits", {"vault": str(vault), "hits": hits})
    found = vaults.metrics(vault, until - WINDOW, until)

    assert caught.value.reason == "NothingCounted"
    assert len(found[0]["timeseries"][0]["data"]) == 30
    assert parsed_hits(found, until - WINDOW, 30) == 7 + 11


@pytest.mark.parametrize(("status", "code", "kind"), [(403, "AuthorizationFailed", Denied), (404, "ResourceNotFound", Conflict), (429, "TooManyRequests", Temporary)])  # fmt: skip
def test_a_refused_metric_is_one_of_our_errors(
    vault: ResourceId, environment: Client, reader: Pipeline, status: int, code: str, kind: type[RemediationError]
) -> None:
    """Whoever asks can tell what he may not, what is not there, and what is for later."""
    environment.manage("POST", "/faults", [{"method": "GET", "path": "metrics", "status": status, "code": code}])
    until = midnight(datetime.now(UTC))

    with pytest.raises(kind) as caught:
        ArmVaults(Rest(reader)).metrics(vault, until - WINDOW, until)
    environment.manage("DELETE", "/faults")
    assert caught.value.reason == code
