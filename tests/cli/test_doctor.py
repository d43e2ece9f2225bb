"""`cmkwarden doctor` on a real stack: green where all is well, and each planted fault by its name, with what to do."""

import json
import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from remediators import REMEDIATORS
from shared import settings
from shared.flow.beat import beat
from shared.wiring import build
from simulator import estate, world
from simulator.client import Client, until
from simulator.ports import chosen
from simulator.stack import ROOT, Stack
from tests.cli.keyboard import Keyboard

READER, WRITER = (estate.IDENTITIES[name]["principal_id"] for name in ("reader", "writer"))
OPERATOR = estate.IDENTITIES["operator"]["principal_id"]
FIRST, SECOND, THIRD = (each["id"] for each in estate.SUBSCRIPTIONS)
VAULT = f"/subscriptions/{FIRST}/resourceGroups/rg-data/providers/Microsoft.KeyVault/vaults/kv-told"
OWNER_ROLE, CONTRIBUTOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "f25e0fa2-a7c8-4377-a976-54943a77a395"
AUTHORIZATION = "2022-04-01"
DENIED = {"status": 403, "code": "AuthorizationFailed", "caller": "reader", "times": 0}


class Ward:
    """A stack to plant faults in, and somebody who asks the doctor."""

    def __init__(self, azure: Client, folder: Path) -> None:
        self.azure, self.folder = azure, folder
        self.keyboard = Keyboard(folder / "desk", azure)

    def found(self, *, is_green: bool) -> dict[str, Mapping[str, str]]:
        """Ask until the answer is not one from before; return what is no pass, by name."""

        def ask() -> dict[str, Mapping[str, str]] | None:
            done = self.keyboard.local("doctor", "-o", "json")
            checks: dict[str, dict[str, str]] = {}
            for it in json.loads(done.stdout):
                if it["result"] != "pass":  # several of one name: the worst of them, with what all of them say
                    before = checks.get(it["name"], {**it, "message": ""})
                    worst = min(it["result"], before["result"], key=["fail", "unknown", "warn"].index)
                    checks[it["name"]] = {**before, "result": worst, "message": f"{before['message']}\n{it['message']}"}
            has_failed = any(it["result"] == "fail" for it in checks.values())
            assert (done.returncode, "Traceback" in done.stderr) == (3 if has_failed else 0, False)
            return {"": {}, **checks} if bool(checks) != is_green else None

        seen = until(ask, "what the doctor should say")
        return {name: it for name, it in seen.items() if name}

    def assignments(self, principal: str) -> list[dict[str, Any]]:
        """Return the role assignments of a principal as the first subscription sees them."""
        path = f"/subscriptions/{FIRST}/providers/Microsoft.Authorization/roleAssignments?$filter=assignedTo('{principal}')"
        found: list[dict[str, Any]] = self.azure.arm("GET", path, AUTHORIZATION).json()["value"]
        return found

    def give(self, role: str, principal: str, subscription: str) -> dict[str, Any]:
        """Give a role at a subscription; return the assignment."""
        scope, home = f"/subscriptions/{subscription}", "providers/Microsoft.Authorization"
        given = {"roleDefinitionId": f"{scope}/{home}/roleDefinitions/{role}", "principalId": principal, "scope": scope}
        body = {"id": f"{scope}/{home}/roleAssignments/{uuid.uuid4()}", "properties": given}
        self.seed(body)
        return body

    def take(self, *given: Mapping[str, Any]) -> None:
        """Have somebody else hold these roles."""
        self.seed(*(self.rewritten(body, principalId=OPERATOR) for body in given))

    def seed(self, *bodies: Mapping[str, Any]) -> None:
        """Put bodies into the world as they are."""
        assert self.azure.manage("POST", "/seed", {"resources": list(bodies)})["refused"] == []

    def rewritten(self, body: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
        """Return a body with other properties."""
        return {**body, "properties": {**body["properties"], **properties}}


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A stack of our own: on one that others use the doctor finds what they have left."""
    folder = tmp_path_factory.mktemp("ward")
    with Stack(chosen("random"), folder / "local") as stack:
        azure = Client(stack.facts)
        begun = azure.call("POST", "/api/sweeps", 3).json()
        until(lambda: azure.app(f"/api/sweeps/{begun['id']}")["is_over"], "the first look over the estate", 60)
        yield Ward(azure, folder)


def _check(found: Mapping[str, Mapping[str, str]], name: str, result: str, said: str, todo: str) -> None:
    it = found[name]
    assert (it["result"], said in it["message"], todo in it["todo"]) == (result, True, True), it


def test_vaults_for_keys_that_are_not_there_and_then_are(ward: Ward) -> None:
    """The local Azure starts empty: the vaults of CMK_KEY_VAULTS are missing, then open to deletion; then all is green."""
    _check(ward.found(is_green=False), "key-vaults", "fail", "there is no such vault", "CMK_KEY_VAULTS")
    ward.seed(*world.key_vaults(ward.azure.facts, purge=False))
    until(lambda: "not protected" in ward.found(is_green=False)["key-vaults"]["message"], "an unprotected vault")
    ward.seed(*world.key_vaults(ward.azure.facts))
    silent = until(lambda: _without(ward, "key-vaults"), "protected vaults")
    _write_something(ward.azure)

    _check(silent, "last-events", "warn", "no event about workspaces has come ever", "write a workspace")
    assert "no event about vaults has come ever" in silent["last-events"]["message"]
    assert set(silent) == {"last-events"}
    assert ward.found(is_green=True) == {}


def _without(ward: Ward, name: str) -> dict[str, Mapping[str, str]] | None:
    found = ward.found(is_green=False)
    return None if name in found else found


def _write_something(azure: Client) -> None:
    """Write a workspace and a vault that holds keys, and have that vault tell of one: an event of each kind."""
    azure.manage("POST", "/knobs", {"workspace_seconds": 0.2, "activity_lag": 0})
    azure.put_group(FIRST, "rg-data")
    workspace = world.confidential(azure.facts)
    azure.arm("PUT", workspace["id"], "2026-01-01", {**workspace["body"], "tags": {}}).raise_for_status()
    on = {"enableSoftDelete": True, "enablePurgeProtection": True}
    azure.put_vault(VAULT, {"cmk-vault": "true"}, **on).raise_for_status()
    azure.manage("POST", "/vault-events", {"vault": VAULT, "kind": "VaultAccessPolicyChanged"})


def test_event_subscriptions_that_lose_events(ward: Ward) -> None:
    """One is gone, one sends elsewhere and leaves something out, one keeps no dead letters; then the reader may not look."""
    workspaces, vaults, keys = json.loads((ROOT / "infra/event_subscriptions.json").read_text())
    some = {**vaults["filter"]["advancedFilters"][0], "values": ["Microsoft.KeyVault/vaults/write"]}
    site = f"{estate.SITE}-staging"
    ward.azure.manage("DELETE", f"/event-subscriptions?name={workspaces['name']}")
    ward.azure.manage("POST", "/event-subscriptions", {**vaults, "site": site, "filter": {"advancedFilters": [some]}})
    ward.azure.manage("POST", "/event-subscriptions", {**keys, "deadLetterContainer": ""})
    found = ward.found(is_green=False)
    ward.azure.manage("DELETE", f"/event-subscriptions?name={keys['name']}")
    topicless = until(lambda: _saying(ward, f"no system topic of {VAULT}"), "a vault without a topic")
    for each in (workspaces, vaults, keys):
        ward.azure.manage("POST", "/event-subscriptions", each)
    ward.azure.manage("POST", "/faults", {**DENIED, "method": "GET", "path": "Microsoft.EventGrid/systemTopics$"})
    denied = until(lambda: _saying(ward, "may not read the event subscriptions"), "a reader that may not look")
    ward.azure.manage("DELETE", "/faults")

    name = "event-subscriptions"
    _check(
        found,
        name,
        "fail",
        f"/subscriptions/{THIRD} has no event subscription cmkwarden-workspaces",
        "event_subscriptions.json",
    )
    _check(found, name, "fail", "sends to cmkwarden-staging/on_vault_write", "event_subscriptions.json")
    _check(found, name, "fail", "Microsoft.Authorization/roleAssignments/delete", "event_subscriptions.json")
    _check(
        found, name, "fail", f"cmkwarden-keys at {VAULT}: it has no dead-letter container", "event_subscriptions.json"
    )
    _check(topicless, name, "fail", "coming night only", "make one for each vault")
    _check(denied, name, "fail", f"/subscriptions/{SECOND}", "reader.json")
    assert {*found, *denied} == {name}
    assert ward.found(is_green=True) == {}


def _saying(ward: Ward, text: str) -> dict[str, Mapping[str, str]] | None:
    found = ward.found(is_green=False)
    return found if text in found.get("event-subscriptions", {}).get("message", "") else None


def test_the_table_is_for_eyes_and_the_count_for_scripts(ward: Ward) -> None:
    """One line for each check on standard output, how many of each on standard error."""
    done = ward.keyboard.local("doctor")
    lines = done.stdout.splitlines()

    assert done.returncode == 0, done.stdout
    assert lines[0].split() == ["RESULT", "CHECK", "WHAT"]
    assert {line.split()[0] for line in lines[1:]} == {"pass"}
    assert done.stderr.strip() == f"{len(lines) - 1} pass, 0 warn, 0 unknown, 0 fail"


def test_rights_that_are_too_many_or_without_their_condition(ward: Ward) -> None:
    """Owner for the writer, Key Vault Contributor for the reader, the condition gone: each has its line."""
    (grants,) = [it for it in ward.assignments(WRITER) if it["properties"]["condition"]]
    given = [ward.give(OWNER_ROLE, WRITER, SECOND), ward.give(CONTRIBUTOR, READER, THIRD)]
    ward.seed(ward.rewritten(grants, condition=None, conditionVersion=None))
    found = ward.found(is_green=False)
    ward.seed(grants)
    ward.take(*given)

    _check(found, "writer-excess", "fail", f"/subscriptions/{SECOND}", "take that role")
    _check(found, "reader-excess", "fail", "Key Vault Contributor", "take that role")
    _check(found, "writer-condition", "fail", "any role", "grants.condition")
    _check(found, "azure-databricks", "unknown", "CMK_DATABRICKS_PRINCIPAL_ID", "az ad sp show")
    assert set(found) == {"writer-excess", "reader-excess", "writer-condition", "azure-databricks"}
    assert ward.found(is_green=True) == {}


def test_rights_that_are_missing(ward: Ward) -> None:
    """The reader's role holds on two of three subscriptions, the writer's nowhere, and one vault for keys is shut to us."""
    (reader,) = ward.assignments(READER)
    (writer,) = [it for it in ward.assignments(WRITER) if _is_writers(ward, it)]
    role = reader["properties"]["roleDefinitionId"].rsplit("/", 1)[1]
    ward.azure.manage("POST", "/faults", [{**DENIED, "method": "GET", "path": "vaults/kv-keys-west"}])
    given = [ward.give(role, READER, each) for each in (FIRST, SECOND)]
    ward.take(reader, writer)
    found = ward.found(is_green=False)
    ward.seed(reader, writer)
    ward.take(*given)
    ward.azure.manage("DELETE", "/faults")

    _check(found, "estate", "fail", THIRD, "reader.json")
    _check(found, "reader-role", "fail", f"/subscriptions/{THIRD}", "reader.json")
    _check(found, "writer-role", "fail", "workspaces/write", "writer.json")
    _check(found, "key-vaults", "fail", "kv-keys-west", "reader its role")
    assert ward.found(is_green=True) == {}


def _is_writers(ward: Ward, assignment: Mapping[str, Any]) -> bool:
    role = ward.azure.arm("GET", assignment["properties"]["roleDefinitionId"], AUTHORIZATION).json()
    return bool(role["properties"]["roleName"] == "cmkwarden Writer")


def test_nobody_gets_a_token_and_resource_graph_refuses(ward: Ward) -> None:
    """The app lives on tokens that it still has; what it could not look at is unknown, not well."""
    no_identity = {"path": "^/msi/token", "status": 400, "code": "invalid_request", "times": 0}
    ward.azure.manage("POST", "/faults", [no_identity, {**DENIED, "path": "Microsoft.ResourceGraph/resources"}])
    found = ward.found(is_green=False)
    ward.azure.manage("DELETE", "/faults")

    _check(found, "reader-token", "fail", "NoToken", "CMK_READER_CLIENT_ID")
    _check(found, "writer-identity", "fail", "NoToken", "CMK_WRITER_CLIENT_ID")
    _check(found, "estate", "fail", "AuthorizationFailed", "reader.json")
    assert {found[name]["result"] for name in ("reader-role", "writer-role")} == {"unknown"}
    assert ward.found(is_green=True) == {}


def test_poison_is_named(ward: Ward) -> None:
    """An event that made no sense: a warning with its id. It is no fault, so that a script goes on."""
    ward.azure.send_events("on_vault_write", [{"id": "e", "eventType": "x", "data": "<script>"}])
    found = ward.found(is_green=False)

    _check(found, "poison", "warn", "(event, ", "/api/poison")


def test_settings_that_cannot_be_meant_and_stops_that_were_forgotten(tmp_path: Path) -> None:
    """All of them at once, each with a line of its own; at last storage goes away, and the app still says so."""
    now = datetime.now(UTC)
    freeze = f"{(now - timedelta(days=1)).isoformat()}/{(now + timedelta(days=1)).isoformat()}"
    chosen_so = {
        "CMK_SUBSCRIPTIONS": FIRST, "CMK_AUTO_SCOPE": f"{FIRST},{SECOND}", "CMK_KEY_VAULTS": "",
        "CMK_DATABRICKS_PRINCIPAL_ID": OPERATOR, "CMK_KILL_SWITCH": "true", "CMK_MODE": "observe",
        "CMK_PAUSED": FIRST, "CMK_FREEZE": freeze, "CMK_PART": "front",
    }  # fmt: skip
    with Stack(chosen("random"), tmp_path / "local", chosen_so) as stack:
        ward = Ward(Client(stack.facts), tmp_path)
        alone = ward.found(is_green=False)
        ward.seed(_writer_identity())
        found = until(lambda: _with(ward, "azure-databricks", "fail"), "what the writer's condition names")
        own = {**stack.app_settings(), "CMK_PART": "hand", "CMK_OWNER_TAG": "owned-by"}
        with _environment(own):
            beat(build(settings.read(own, tuple(it.control.id for it in REMEDIATORS)), REMEDIATORS))
        unlike = until(lambda: _with(ward, "part-settings", "fail"), "a hand that is set otherwise")
        os.kill(stack.facts["pids"]["azurite"], signal.SIGKILL)
        gone = until(lambda: _with(ward, "tables", "fail"), "storage missed")

    _check(alone, "writer-identity", "unknown", "nobody can say who the writer is", "CMK_WRITER_CLIENT_ID")
    _check(alone, "parts", "fail", "never said that it runs", "start it")
    _check(unlike, "part-settings", "fail", "do not agree on CMK_OWNER_TAG:", "set them alike")
    assert "parts" not in unlike
    _check(found, "queues", "fail", "apply", "CMK_PART")
    _check(found, "auto-scope", "fail", SECOND, "CMK_SUBSCRIPTIONS")
    _check(found, "azure-databricks", "fail", OPERATOR, "az ad sp show")
    stops = {"kill-switch": "CMK_KILL_SWITCH", "mode": "observe", "paused": FIRST, "freeze": "CMK_FREEZE"}
    for name, said in stops.items():
        _check(found, name, "warn", said, "")
    _check(gone, "tables", "fail", "ConnectionLost", "AzureWebJobsStorage")
    _check(gone, "queues", "fail", "ConnectionLost", "AzureWebJobsStorage")


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Have this process reach the local Azure, as the app does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            patch.setenv(name, values[name])
        yield


def _writer_identity() -> dict[str, Any]:
    path = f"/subscriptions/{FIRST}/resourceGroups/rg-app/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
    ids = estate.IDENTITIES["writer"]
    properties = {"clientId": ids["client_id"], "principalId": WRITER, "tenantId": estate.TENANT}
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
    return {"id": path, "name": "id", "type": kind, "location": "westeurope", "properties": properties}


def _with(ward: Ward, name: str, result: str) -> dict[str, Mapping[str, str]] | None:
    found = ward.found(is_green=False)
    return found if found.get(name, {}).get("result") == result else None


def test_the_estate_is_looked_over_on_demand(ward: Ward) -> None:
    """Begun and followed by whoever may, listed for everybody; who may only read begins none."""
    done = ward.keyboard.local("sweep", "--wait", who="Ada")
    listed = ward.keyboard.json("sweeps")
    alone = ward.keyboard.local("sweep")

    assert (done.returncode, done.stdout.split()[1]) == (0, "over"), done.stderr
    assert "3 of 3 subscriptions" in done.stderr
    assert listed[0]["id"] == done.stdout.split()[0]
    assert (listed[0]["is_over"], len(listed[0]["shares"])) == (True, 3)
    assert (alone.returncode, "NotAllowed" in alone.stderr) == (1, True)


def test_figures_on_the_command_line(ward: Ward) -> None:
    """As a table, as JSON with the definitions, as a sheet; what nobody knows says why; what is no group is refused."""
    table = ward.keyboard.local("kpis", "--by", "control")
    whole = ward.keyboard.json("kpis")
    sheet = ward.keyboard.local("kpis", "-o", "csv").stdout.splitlines()
    wrong = ward.keyboard.local("kpis", "--by", "colour")

    assert (table.returncode, "as of " in table.stderr) == (0, True)
    assert "unknown: KEY-ROTATION has judged nothing yet" in table.stdout
    assert "unknown: no prices are set: CMK_PRICES" in table.stdout
    assert [it["id"] for it in whole["kpis"]][:2] == ["compliance", "remediation"]
    assert all(it["definition"] for it in whole["kpis"])
    assert sheet[0] == "figure,by,key,value,unit,goal,unknown,lacking,parts"
    assert {line.split(",")[0] for line in sheet[1:]} == {it["id"] for it in whole["kpis"]}
    assert (wrong.returncode, "BadGrouping" in wrong.stderr) == (1, True)
