"""Alerts on the audit log of vaults, in both tables it may go to: silent on good days, and on bad ones not."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from shared.flow.evaluate import evaluate
from tests.access import DATABRICKS, TENANT, Access, policy
from tests.fakes import World, vault_body, vault_id, workspace_body
from tests.flow.conftest import evaluation
from tests.flow.narrowing import FINE, access_world
from tests.infra.kql import engine, rules
from tests.infra.kql.logs import Row, ago, dedicated, diagnostics, recorded, traces
from tests.reference import REFERENCE, needs_reference

type Call = Callable[..., Row]
type Calls = Callable[[Call], list[Row]]

STRANGER = "eeeeeeee-0000-4000-8000-00000000000e"
HOLDER = "ffffffff-0000-4000-8000-00000000000f"
ON_VAULTS = ("stranger", "taken", "purge", "denied", "operations")
TABLES: dict[str, Call] = {"AZKVAuditLogs": dedicated, "AzureDiagnostics": diagnostics}
ENABLED: dict[str, Callable[[bool], dict[str, Any]]] = {
    "AZKVAuditLogs": lambda on: {"KeyProperties": {"attributes": {"enabled": on}}},
    "AzureDiagnostics": lambda on: {"keyProperties_attributes_enabled_b": on},
}
STATUS = {"AZKVAuditLogs": "HttpStatusCode", "AzureDiagnostics": "httpStatusCode_d"}


@pytest.fixture(params=TABLES)
def table(request: pytest.FixtureRequest) -> str:
    """The table that the vault's diagnostic setting writes to."""
    return str(request.param)


@pytest.fixture
def call(table: str) -> Call:
    """Makes a call in that table."""
    return TABLES[table]


@pytest.fixture
def known(caplog: pytest.LogCaptureFixture) -> list[Row]:
    """What a real look at a vault with a workspace on it logs."""
    caplog.set_level(logging.INFO)
    world = access_world(FINE, policy(HOLDER, ["get", "decrypt"]))
    evaluate(world, evaluation(world))
    return traces(caplog.records)


def _good(call: Call) -> list[Row]:
    """A day like any other: handshakes, uses by who should, reads by a pipeline, a few refusals, rotation."""
    return [
        *(call("Authentication", **_status(call, 401)) for _ in range(50)),
        *(call("KeyUnwrap", DATABRICKS.upper(), ago(hours=n)) for n in range(40)),
        call("KeyGet", rules.PIPELINE),
        call("KeyGet", rules.READER),
        call("keyget", rules.WRITER),
        *(call(name) for _ in range(1000) for name in ("Authentication", "KeyNearExpiryEventGridNotification")),
        call("KeyList", STRANGER),
        call("VaultGet", STRANGER),
        call("KeyRotate", DATABRICKS),
        call("KeyNewVersionCreatedEventGridNotification"),
        *(call("KeyGet", STRANGER, **_status(call, 403)) for _ in range(5)),
    ]


def _status(call: Call, code: int) -> dict[str, float]:
    return {STATUS["AZKVAuditLogs"]: code} if call is dedicated else {STATUS["AzureDiagnostics"]: float(code)}


def _fires(name: str, table: str, rows: list[Row], known: list[Row]) -> bool:
    return bool(rules.found(name, {table: rows, "AppTraces": known}))


@pytest.mark.parametrize("name", ON_VAULTS)
def test_a_good_day_is_silent(name: str, table: str, call: Call, known: list[Row]) -> None:
    """Nothing of what happens every day rings."""
    assert not _fires(name, table, _good(call), known)


BAD: dict[str, tuple[str, Calls]] = {
    "a stranger unwraps": ("stranger", lambda call: [call("KeyUnwrap", STRANGER)]),
    "a stranger in capitals": ("stranger", lambda call: [call("keydecrypt", STRANGER.upper())]),
    "somebody who may and never needs to": ("stranger", lambda call: [call("KeyDecrypt", HOLDER)]),
    "nobody knows who": ("stranger", lambda call: [call("KeySign")]),
    "our own reader unwraps": ("stranger", lambda call: [call("KeyUnwrap", rules.READER)]),
    "a key is deleted": ("taken", lambda call: [call("KeyDelete", STRANGER)]),
    "a key is backed up by who may": ("taken", lambda call: [call("KeyBackup", DATABRICKS)]),
    "a key is deleted, in small letters": ("taken", lambda call: [call("keydelete", STRANGER)]),
    "a key was changed, in small letters": ("taken", lambda call: [call("keyupdate", STRANGER)]),
    "a key is restored": ("taken", lambda call: [call("KeyRestore", STRANGER)]),
    "a vault is deleted": ("taken", lambda call: [call("VaultDelete", STRANGER)]),
    "a key was changed, and how is not said": ("taken", lambda call: [call("KeyUpdate", STRANGER)]),
    "a purge": ("purge", lambda call: [call("KeyPurge", STRANGER)]),
    "a purge that was refused": ("purge", lambda call: [call("VaultPurge", STRANGER, **_status(call, 403))]),
    "many refusals": ("denied", lambda call: [call("KeyGet", STRANGER, **_status(call, 403)) for _ in range(40)]),
    "many operations": ("operations", lambda call: [call("KeyUnwrap", DATABRICKS, ago(hours=2)) for _ in range(1100)]),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_day_rings(what: str, table: str, call: Call, known: list[Row]) -> None:
    """One thing that is wrong among all that is right."""
    name, bad = BAD[what]

    assert _fires(name, table, [*_good(call), *bad(call)], known)


SILENT: dict[str, tuple[str, Calls]] = {
    "a stranger in another vault, of which nobody knows": (
        "stranger", lambda call: [call("KeyUnwrap", STRANGER, _ResourceId=vault_id("kv-other").lower())]),
    "a stranger who is turned away": ("stranger", lambda call: [call("KeyUnwrap", STRANGER, **_status(call, 403))]),
    "a stranger of an hour ago, told of then": ("stranger", lambda call: [call("KeyUnwrap", STRANGER, ago(hours=1))]),
    "a deletion that was refused": ("taken", lambda call: [call("KeyDelete", STRANGER, **_status(call, 403))]),
    "as many refusals as every hour": (
        "denied",
        lambda call: [call("KeyGet", STRANGER, ago(minutes=60 * n + 5), **_status(call, 403)) for n in range(47) for _ in range(25)]),
    "many operations, yesterday": (
        "operations", lambda call: [call("KeyUnwrap", DATABRICKS, ago(hours=30)) for _ in range(1100)]),
}  # fmt: skip


@pytest.mark.parametrize("what", SILENT)
def test_what_is_no_reason_is_silent(what: str, table: str, call: Call, known: list[Row]) -> None:
    """Alarms that ring for nothing are switched off."""
    name, rows = SILENT[what]

    assert not _fires(name, table, [*_good(call), *rows(call)], known)


@pytest.mark.parametrize(("is_on", "rings"), [(True, False), (False, True)])
def test_a_key_that_is_switched_off_rings_and_another_change_does_not(
    table: str, call: Call, known: list[Row], is_on: bool, rings: bool
) -> None:
    """Where the log says how the key is after the change."""
    changed = call("KeyUpdate", DATABRICKS, **ENABLED[table](is_on))

    assert _fires("taken", table, [changed], known) == rings


@pytest.mark.parametrize("name", ON_VAULTS)
def test_what_others_send_to_the_same_table_is_not_ours(name: str, known: list[Row]) -> None:
    """AzureDiagnostics is everybody's: other services, and another category of vaults."""
    words = ("KeyDelete", "KeyPurge", "KeyUnwrap")
    others: tuple[dict[str, Any], ...] = (
        {"ResourceProvider": "MICROSOFT.SQL"},
        {"Category": "AzurePolicyEvaluationDetails"},
    )
    for other in others:
        rows = [diagnostics(word, STRANGER, **other) for word in words for _ in range(400)]
        denied = [diagnostics("KeyGet", STRANGER, httpStatusCode_d=403.0, **other) for _ in range(40)]

        assert not rules.found(name, {"AzureDiagnostics": [*rows, *denied], "AppTraces": known})


def test_the_provider_is_written_as_it_comes(known: list[Row]) -> None:
    """In capitals, mostly."""
    rows = [diagnostics("KeyPurge", STRANGER, ResourceProvider="Microsoft.KeyVault", Category="auditevent")]

    assert rules.found("purge", {"AzureDiagnostics": rows, "AppTraces": known})


def test_a_call_that_names_its_caller_as_oid_is_known(known: list[Row]) -> None:
    """Tokens of version 2 say oid; both tables then have another name for it."""
    first = dedicated("KeyUnwrap", Identity={"claim": {"oid": DATABRICKS}})
    second = diagnostics("KeyUnwrap", identity_claim_oid_g=DATABRICKS)

    assert not rules.found("stranger", {"AZKVAuditLogs": [first], "AzureDiagnostics": [second], "AppTraces": known})


def test_a_new_workspace_is_known_from_its_first_look(caplog: pytest.LogCaptureFixture, known: list[Row]) -> None:
    """The identity of its disks uses the key at once: a stranger until cmkwarden has looked, which takes seconds."""
    new = "dddddddd-0000-4000-8000-00000000000d"
    rows = [dedicated("KeyUnwrap", new)]
    before = rules.found("stranger", {"AZKVAuditLogs": rows, "AppTraces": known})
    body = workspace_body("dbw-two")
    key = body["properties"]["encryption"]["entities"]["managedServices"]
    body["properties"]["encryption"]["entities"]["managedDisk"] = key
    body["properties"]["managedDiskIdentity"] = {"principalId": new, "type": "SystemAssigned"}
    caplog.clear()
    world = access_world(FINE, workspaces=[body])
    evaluate(world, evaluation(world))

    assert before
    assert not rules.found("stranger", {"AZKVAuditLogs": rows, "AppTraces": [*known, *traces(caplog.records)]})


def test_a_vault_that_nobody_uses_knows_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A tagged vault is waiting for its first workspace: whoever uses a key there already is a stranger."""
    caplog.set_level(logging.INFO)
    world = World()
    body = vault_body(enablePurgeProtection=True, tenantId=TENANT, accessPolicies=[])
    world.give(Access(json.loads(json.dumps(body))))
    for _ in range(2):  # the first look learns that it is one
        evaluate(world, evaluation(world))
        world.clock.advance(60)
    known = traces(caplog.records)

    assert rules.found("stranger", {"AZKVAuditLogs": [dedicated("KeyUnwrap", DATABRICKS)], "AppTraces": known})
    assert rules.found("stranger", {"AZKVAuditLogs": [dedicated("KeyUnwrap")], "AppTraces": known})


def test_more_users_than_one_line_holds(caplog: pytest.LogCaptureFixture) -> None:
    """Application Insights cuts long messages off: the list goes over several lines, and all of them are known."""
    caplog.set_level(logging.INFO)
    bodies = list[dict[str, Any]]()
    for n in range(130):
        body = workspace_body(f"dbw-{n}")
        entities = body["properties"]["encryption"]["entities"]
        entities["managedDisk"] = entities.pop("managedServices")
        body["properties"]["managedDiskIdentity"] = {"principalId": f"dddddddd-0000-4000-8000-{n:012}"}
        bodies.append(body)
    world = access_world(FINE, workspaces=bodies)
    evaluate(world, evaluation(world))
    known = traces(caplog.records)
    calls = [dedicated("KeyUnwrap", f"dddddddd-0000-4000-8000-{n:012}") for n in range(130)]

    assert max(len(row["Message"]) for row in known) < 32_768
    assert not rules.found("stranger", {"AZKVAuditLogs": calls, "AppTraces": known})


@needs_reference
def test_the_record_that_microsoft_prints_is_understood() -> None:
    """Its caller, status and vault come out of the shape that all queries stand on."""
    (record,) = json.loads((REFERENCE / "samples/keyvault_audit_log_record.json").read_text())["records"]
    query = rules.text("purge").replace('endswith "Purge"', '== "VaultGet"')
    (row,) = engine.run(query, {"AZKVAuditLogs": [recorded(record, ago(minutes=1))]})

    assert row["Principal"] == "d9da5048-2737-4770-bd64-xxxxxxxxxxxx"
    assert (row["Status"], row["Address"]) == (200, "104.40.82.76")
    assert row["Vault"].endswith("/vaults/contosokeyvault")
