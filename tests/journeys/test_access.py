"""Narrowing through every floor: events, the Functions host, approvals by people, Azure's own rules for the writer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until
from tests.estate import ADMINISTRATOR, CRYPTO_OFFICER, NARROW, SECRETS_USER, THREE, Place, place, policy

ADA, AMIT, DANA = 1, 2, 3
STRANGER = "57a00001-58f1-4a6b-b0c4-000000000001"


@pytest.fixture(autouse=True)
def log(azure: Client) -> None:
    """The Activity Log knows at once who has changed what: its lag is the subject of one test."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})


def _later(days: float = 1) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def _say(azure: Client, row: dict[str, Any], verb: str, person: int, **body: Any) -> Any:
    """Call the API as a person does: who is told that Azure is busy presses again."""

    def press() -> Any:
        answer = azure.call("POST", f"/api/remediations/{row['id']}/{verb}", person, body=body)
        return None if answer.status_code == 503 else [answer]  # a refusal is an answer, and is not truthy

    (said,) = until(press, f"an answer to {verb}")
    return said


def _approve(azure: Client, row: dict[str, Any], person: int, **changed: Any) -> Any:
    said = {"fingerprint": row["plan"]["fingerprint"], "comment": "seen and right", "expires": _later(), **changed}
    return _say(azure, row, "approve", person, **said)


def _agree(azure: Client, row: dict[str, Any], first: int, second: int) -> None:
    """Have it approved; by two, where the Activity Log is late and nobody knows whose change it is."""
    said = _approve(azure, row, first).json()
    if said["state"] == "awaiting_approval":
        said = _approve(azure, row, second).json()
    assert said["state"] in {"queued", "applying", "resolved"}, said


def _soon(at: Place, subject: str, *states: str) -> dict[str, Any]:
    try:
        row: dict[str, Any] = until(lambda: at.row_in(subject, *states), f"{subject} in {states}", 90)
    except TimeoutError as error:
        error.add_note(at.told(subject))
        raise
    return row


def _explained(at: Place) -> Any:
    """Explain the vault; again where Azure was busy."""

    def ask() -> Any:
        answer = at.azure.call("GET", f"/api/explain?resource={at.vault}")
        return None if answer.status_code == 503 else answer.json()

    return until(ask, "an explanation")


def test_policies_are_narrowed_and_nobody_else_is_touched(azure: Client) -> None:
    """All three identities end with the three; a stranger's entry, its order and casing stay; secrets of AzureDatabricks too."""
    stranger = policy(STRANGER, ["Get", "Purge", "all"], secrets=["Set"])
    at = place(
        azure,
        policies=[
            policy("databricks", ["all"], secrets=["Get", "list"]),
            stranger,
            policy("storage", ["GET", "wrapKey", "unwrapKey", "recover"], secrets=["get"]),
            policy("disks", ["get", "wrapkey", "unwrapkey", "GetRotationPolicy"]),
        ],
    )
    at.wake()
    for subject in (at.databricks, at.storage, at.disks):
        _soon(at, subject, "resolved")
    entries = azure.vault(at.vault)["properties"]["accessPolicies"]

    assert [at.policies()[who] for who in (at.storage, at.disks)] == [{"keys": THREE}, {"keys": THREE}]
    assert at.policies()[at.databricks] == {"keys": THREE, "secrets": ["get", "list"]}
    assert [entry["objectId"] for entry in entries] == [at.databricks, STRANGER, at.storage, at.disks]
    assert entries[1]["permissions"] == stranger["permissions"]
    assert {item["method"] for item in at.key_requests()} == {"PUT"}
    assert at.row(f"{at.databricks} secrets") is None


def test_roles_are_narrowed_by_making_before_breaking(azure: Client) -> None:
    """The narrow role comes, settles, and only then the broad one goes; the API shows the waiting."""
    at = place(azure, rbac=True, layers=["dbfsRoot", "managedServices"])
    at.assign(at.storage, ADMINISTRATOR)
    at.assign(at.databricks, CRYPTO_OFFICER)
    at.wake()
    done = [_soon(at, subject, "resolved") for subject in (at.storage, at.databricks)]
    history = azure.app(f"/api/remediations/{done[0]['id']}")["history"]

    assert at.roles(at.storage) == {"": NARROW}
    assert at.roles(at.databricks) == {"": NARROW}
    events = [entry["event"] for entry in history]
    assert events.index("waiting") < len(events) - 1 - events[::-1].index("writing")
    assert [step["kind"] for step in done[0]["plan"]["steps"]] == ["role.assign", "role.delete"]


def test_a_role_with_secrets_waits_for_a_person_and_secrets_stay(azure: Client) -> None:
    """AzureDatabricks as Administrator: asked for; approved, it reads secrets and uses keys, and nothing else."""
    at = place(azure, rbac=True, layers=["managedServices"])
    at.assign(at.databricks, ADMINISTRATOR)
    at.wake()
    row = _soon(at, f"{at.databricks} secrets", "awaiting_approval")
    assert "secret scope" in row["decision"]["message"]
    assert at.roles(at.databricks) == {"": ADMINISTRATOR}

    _agree(azure, row, ADA, AMIT)
    _soon(at, f"{at.databricks} secrets", "resolved")
    assert at.held(at.databricks) == sorted([NARROW, SECRETS_USER])


def test_what_is_missing_is_given_only_by_a_persons_yes(azure: Client) -> None:
    """A workspace without its grant: nothing by itself; every wrong yes is refused with its reason; a right one gives it."""
    at = place(azure, policies=[policy("disks", THREE), policy("databricks", THREE)])
    at.touch_workspace()
    at.wake()
    row = _soon(at, at.storage, "awaiting_approval")
    assert row["finding"]["reason"] == "KeyPermissionMissing"

    wrong = [
        (_approve(azure, row, 0), 403, "NotAllowed"),
        (_approve(azure, row, ADA, fingerprint="0" * 32), 409, "AnotherPlan"),
        (_approve(azure, row, ADA, comment=" "), 400, "NoComment"),
        (_approve(azure, row, ADA, expires=_later(-1)), 400, "BadExpiry"),
        (_approve(azure, row, ADA, expires="tomorrow"), 400, "BadBody"),
        (_approve(azure, row, ADA, wish="x"), 400, "BadBody"),
        (_say(azure, row, "approve", ADA), 400, "BadBody"),
    ]
    assert [(it.status_code, it.json()["reason"]) for it, *_ in wrong] == [
        (status, reason) for _, status, reason in wrong
    ]
    assert at.storage not in at.policies()

    _agree(azure, row, ADA, AMIT)
    done = _soon(at, at.storage, "resolved")
    assert at.policies()[at.storage] == {"keys": THREE}
    assert done["approvals"][0]["person"] == azure.facts["people"][ADA]["object_id"]
    assert _approve(azure, row, AMIT).json()["reason"] == "NothingToApprove"


def test_where_nobody_knows_the_author_two_must_agree(azure: Client) -> None:
    """The Activity Log does not show yet who made the change: one yes is not enough, and the same person is one."""
    azure.manage("POST", "/knobs", {"activity_lag": 600})
    at = place(azure, policies=[policy("disks", THREE), policy("databricks", THREE)])
    azure.send_events("on_vault_write", [_event(at.vault)])
    row = _soon(at, at.storage, "awaiting_approval")
    first = _approve(azure, row, ADA).json()
    again = _approve(azure, row, ADA).json()

    assert (first["state"], again["reason"]) == ("awaiting_approval", "ApprovedAlready")
    assert at.storage not in at.policies()
    assert _approve(azure, row, AMIT).json()["state"] == "queued"
    _soon(at, at.storage, "resolved")


def test_a_no_stands(azure: Client) -> None:
    """Rejected stays rejected, whatever events come, until somebody asks for a retry."""
    at = place(azure, policies=[policy("disks", THREE), policy("databricks", THREE)])
    at.wake()
    row = _soon(at, at.storage, "awaiting_approval")
    assert _say(azure, row, "reject", AMIT, comment="revoked on purpose").status_code == 200
    at.wake()
    azure.call("POST", f"/api/remediations/{row['id']}/retry", ADA)
    again = _soon(at, at.storage, "awaiting_approval")
    assert [entry["event"] for entry in azure.app(f"/api/remediations/{again['id']}")["history"]].count("rejected") == 1
    assert at.storage not in at.policies()


def test_an_undo_gives_back_what_was_there_and_keeps_it(azure: Client) -> None:
    """Narrow, undo by a second person: the policies are as they were, to the letter; the next event leaves them so."""
    entries = [
        policy("storage", ["GET", "wrapKey", "unwrapKey", "Recover"], secrets=["List"]),
        policy(STRANGER, ["all"]),
    ]
    at = place(azure, policies=entries, layers=["dbfsRoot"])
    before = azure.vault(at.vault)["properties"]["accessPolicies"]
    at.wake()
    row = _soon(at, at.storage, "resolved")
    asked = _say(azure, row, "undo", ADA, comment="it also backs up", until=_later(10))
    assert asked.status_code == 200, asked.text
    undo = asked.json()
    assert (undo["state"], undo["undoes"]) == ("awaiting_approval", row["id"])
    assert _approve(azure, undo, ADA).json()["reason"] == "OwnRequest"
    _agree(azure, undo, AMIT, DANA)
    _soon(at, undo["subject"], "resolved")

    assert azure.vault(at.vault)["properties"]["accessPolicies"] == before
    assert _soon(at, at.storage, "suppressed")["decision"]["reason"] == "Exempted"
    at.wake()
    assert "Exempted" in str(_explained(at)["verdicts"])
    assert azure.vault(at.vault)["properties"]["accessPolicies"] == before


def test_a_role_comes_back_by_its_owners_own_command(azure: Client) -> None:
    """The writer may not give back a broad role: the undo is a ticket with the command, and the command does it."""
    at = place(azure, rbac=True, layers=["dbfsRoot"])
    at.assign(at.storage, CRYPTO_OFFICER)
    at.wake()
    row = _soon(at, at.storage, "resolved")
    asked = _say(azure, row, "undo", ADA, comment="needed", until=_later(10)).json()
    _agree(azure, asked, AMIT, DANA)
    undo = _soon(at, asked["subject"], "observed")
    (command, *_) = undo["finding"]["evidence"]["proposed"]

    assert undo["decision"]["reason"] == "UndoByHand"
    assert command == (
        f"az role assignment create --role {CRYPTO_OFFICER} --assignee-object-id {at.storage} "
        f"--assignee-principal-type ServicePrincipal --scope {at.vault}"
    )
    at.give(at.storage, CRYPTO_OFFICER)
    azure.admin("POST", "/admin/functions/sweep", {"input": ""}).raise_for_status()
    _soon(at, asked["subject"], "resolved")
    assert CRYPTO_OFFICER in at.held(at.storage)
    assert _soon(at, at.storage, "suppressed")["decision"]["reason"] == "Exempted"


@pytest.mark.parametrize("level", ["CanNotDelete", "ReadOnly"])
def test_a_lock_is_seen_before_the_first_step(azure: Client, level: str) -> None:
    """A lock would stop the plan half way: nothing is written, and the ticket names the lock."""
    at = place(azure, rbac=True, layers=["dbfsRoot"])
    at.assign(at.storage, CRYPTO_OFFICER)
    azure.lock(at.vault, "hands-off", level).raise_for_status()
    azure.send_events("on_vault_write", [_event(at.vault)])
    row = _soon(at, at.storage, "observed")

    assert (row["decision"]["reason"], "hands-off" in row["decision"]["message"]) == ("Locked", True)
    assert not at.key_requests()
    assert at.roles(at.storage) == {"": CRYPTO_OFFICER}


def test_an_inherited_role_is_a_ticket_with_the_change(azure: Client) -> None:
    """Administrator of the whole group: never deleted from below; the ticket says what its owner should type."""
    at = place(azure, rbac=True, layers=["dbfsRoot"])
    above = at.assign(at.storage, ADMINISTRATOR, at.vault.partition("/providers/")[0])
    azure.send_events("on_vault_write", [_event(at.vault)])
    row = _soon(at, f"{at.storage} elsewhere", "observed")

    assert row["finding"]["reason"] == "InheritedRole"
    assert above in row["finding"]["evidence"]["proposed"][0]
    assert not at.key_requests()


def test_explain_shows_who_uses_the_keys_and_what_stops_without_a_grant(azure: Client) -> None:
    """The graph says which layer of which workspace stops if a grant goes."""
    at = place(azure, policies=[policy("storage", THREE), policy("disks", THREE), policy("databricks", THREE)])
    graph = _explained(at)["graph"]
    stops = {it["principal"]: [use["layer"] for use in it["stops"]] for it in graph["grants"] if it["is_active"]}

    assert stops == {at.storage: ["dbfsRoot"], at.disks: ["managedDisk"], at.databricks: ["managedServices"]}
    assert graph["broken"] == []


def _event(vault: str) -> dict[str, Any]:
    where = "/subscriptions/" + vault.split("/")[2]
    kind = "Microsoft.Resources.ResourceWriteSuccess"
    return {"id": "e", "topic": where, "eventType": kind, "subject": vault, "data": {}, "dataVersion": "2"}
