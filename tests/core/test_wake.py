"""Events: which resource they concern, and what is never believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.control import Memory, Named, Nomination, Once
from shared.core.errors import BadInput
from shared.core.wake import users_of, wake
from tests.fakes import SUBSCRIPTION, vault_id, workspace_id
from tests.reference import REFERENCE, needs_reference

OID = "0a0a0a0a-0000-4000-8000-0000000000aa"
CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def _event(subject: object = None, **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": "e-1",
        "subject": vault_id() if subject is None else subject,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "data": {"claims": {CLAIM: OID, "name": "Somebody"}},
    }
    return {**event, **more}


def test_an_event_gives_ids_only() -> None:
    """Of an event nothing goes on but the target, the event's id and the writer's object id."""
    found = wake(json.dumps(_event()))

    assert found is not None
    assert (str(found.target), found.cause.kind, found.cause.id, found.cause.actor) == (vault_id(), "event", "e-1", OID)


@pytest.mark.parametrize(
    ("event", "target"),
    [
        (_event(vault_id().replace("resourceGroups", "resourcegroups")), vault_id()),
        (_event(vault_id().upper()), vault_id()),
        (_event(workspace_id()), workspace_id()),
        (_event(vault_id() + "/accessPolicies/replace"), vault_id()),
        (_event(vault_id() + "/keys/k"), vault_id()),
        (_event(vault_id() + "/providers/Microsoft.Authorization/roleAssignments/9"), vault_id()),
        (_event("", data={"resourceUri": vault_id()}), vault_id()),
        (
            {"type": "Microsoft.Resources.ResourceDeleteSuccess", "subject": vault_id(), "specversion": "1.0"},
            vault_id(),
        ),
        ({"type": "Microsoft.KeyVault.KeyExpired", "subject": "my-key", "source": vault_id()}, vault_id()),
        ({"eventType": "Microsoft.KeyVault.KeyExpired", "subject": "my-key", "topic": vault_id()}, vault_id()),
        (_event(eventTime=5, dataVersion=None, data=[1, 2]), vault_id()),
    ],
)
def test_the_right_target_is_found(event: dict[str, Any], target: str) -> None:
    """Both schemas, children, other casing and odd fields lead to the resource that they concern."""
    found = wake(json.dumps(event))

    assert found is not None
    assert found.target.key == target.lower()


def _of_a_key(kind: str = "KeyNewVersionCreated", subject: Any = "k", **data: Any) -> str:
    event = {"id": "e", "type": f"Microsoft.KeyVault.{kind}", "source": vault_id(), "subject": subject, "data": data}
    return json.dumps(event)


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (_of_a_key(ObjectName="CMK-one"), "cmk-one"),
        (_of_a_key(**{"ObjectName ": "cmk-one", "Version": " 1f", "NBF": "1", "EXP": ""}), "cmk-one"),
        (_of_a_key(objectName=" cmk-one "), "cmk-one"),
        (_of_a_key("KeyNearExpiry", "cmk-one"), "cmk-one"),
        (_of_a_key("KeyExpired", "cmk-one", ObjectName=5), ""),
        (_of_a_key(subject=None), ""),
        (_of_a_key(ObjectName="../../x?y"), ""),
        (_of_a_key(ObjectName="k" * 128), ""),
        (_of_a_key("VaultAccessPolicyChanged", "kv-one", ObjectName=None), None),
        (_of_a_key("SecretNewVersionCreated", "s", ObjectName="s"), None),
        (json.dumps(_event()), None),
    ],
)
def test_the_key_that_a_vault_tells_of(event: str, key: str | None) -> None:
    """Whatever spelling its fields have; what could be no key is '', and what speaks of no key has none."""
    found = wake(event)

    assert found is not None
    assert (found.target.key, found.key) == (vault_id().lower(), key)


@pytest.mark.parametrize(
    ("key", "users"), [("k", ["A", "C", "d", "e"]), ("other", ["B", "C", "e"]), ("", ["A", "B", "C", "d", "e"])]
)
def test_who_uses_a_key(key: str, users: list[str]) -> None:
    """By what workspaces have named and what identities once asked for; in doubt a workspace uses it; each once."""
    memory = Memory(
        nominations=(
            Nomination("A", "", (Named("managedServices", "K", ""),)),
            Nomination("B", "", (Named("managedServices", "other", ""), Named("managedDisk", "third", ""))),
            Nomination("C", ""),
        ),
        identities=(Once("p", "managedDisk", "a", "k"), Once("p", "managedDisk", "d", "k"), Once("p", "dbfsRoot", "e")),
    )

    assert list(users_of(memory, key)) == users


@pytest.mark.parametrize(
    "subject",
    [
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/s",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/managedHSMs/h",
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/9",
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.authorization/roleAssignments/9",
        "/providers/Microsoft.Management/managementGroups/top/providers/Microsoft.Authorization/roleAssignments/9",
        "/providers/Microsoft.Authorization/roleAssignments/9",
    ],
)
def test_what_is_not_ours_is_left(subject: str) -> None:
    """An event about another kind of resource, or about a role above all of them, wakes nothing."""
    assert wake(json.dumps(_event(subject))) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"text"',
        "NaN",
        "{}",
        json.dumps(_event(subject=5)),
        json.dumps(_event(subject={"a": 1})),
        json.dumps(_event(eventType=3)),
        json.dumps({"type": "Microsoft.KeyVault.KeyExpired", "subject": "k"}),
        '{"a":' * 5000 + "1" + "}" * 5000,
        "[" * 100_000 + "]" * 100_000,
        json.dumps({"x": "y" * 1_100_000}),
    ],
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    """Garbage, wrong types, deep nesting and a megabyte too much are bad input, never a crash."""
    with pytest.raises(BadInput):
        wake(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["id", "subject", "type", "data", "claims"]), inner)
    ),
)


@given(JSON)
def test_no_json_crashes(event: Any) -> None:
    """Whatever JSON arrives, it wakes something, nothing, or is refused."""
    try:
        found = wake(json.dumps(event))
    except BadInput:
        return

    assert found is None or found.target


def test_an_actor_that_is_no_object_id_is_not_kept() -> None:
    """A name or an e-mail in the place of an object id goes no further."""
    found = wake(json.dumps(_event(data={"claims": {CLAIM: "somebody@example.com"}})))

    assert found is not None
    assert found.cause.actor == ""


def _samples() -> list[Path]:
    return sorted([*(REFERENCE / "eventgrid").glob("*.json"), *(REFERENCE / "samples/events").glob("*.json")])


@needs_reference
@pytest.mark.parametrize("path", _samples(), ids=lambda path: path.stem)
def test_published_samples(path: Path) -> None:
    """Every sample event that Microsoft prints, and every constructed one, wakes, is left or is refused."""
    found = json.loads(path.read_text())
    events = _flat(found)

    outcomes = {_outcome(event) for event in events}

    assert outcomes <= {"vault", "workspace", "left", "refused"}
    if "keyvault_vaults_write" in path.stem or "roleAssignments_write_on_vault" in path.stem:
        assert outcomes == {"vault"}
    if "databricks_workspaces_write" in path.stem:
        assert outcomes == {"workspace"}


def _flat(found: Any) -> list[Any]:
    if isinstance(found, list):
        return [event for part in found for event in _flat(part)]
    return [found]


def _outcome(event: Any) -> str:
    try:
        woken = wake(json.dumps(event))
    except BadInput:
        return "refused"
    if woken is None:
        return "left"
    return "vault" if "vaults" in woken.target.kind else "workspace"
