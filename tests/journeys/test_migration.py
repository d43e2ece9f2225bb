"""A workspace on its way to keys of its own, through every floor: events, approvals by people, Azure's long operations."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from simulator.client import Client, until
from tests.migration import FREE, LAYERS, NORTH, TAGS, WEST, Plain, key_vault, plain, unchanged

ADA, AMIT, DANA = 1, 2, 3
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
THREE = {"keys": ["get", "unwrapkey", "wrapkey"]}


@pytest.fixture(autouse=True)
def log(azure: Client) -> None:
    """The Activity Log knows at once who has changed what."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})


def say(at: Plain, row: dict[str, Any], verb: str, person: int, **body: Any) -> Any:
    """Call the API as a person does: who is told that Azure is busy presses again."""

    def press() -> Any:
        answer = at.azure.call("POST", f"/api/remediations/{row['id']}/{verb}", person, body=body)
        return None if answer.status_code == 503 else [answer]

    (said,) = until(press, f"an answer to {verb}")
    return said


def approve(at: Plain, row: dict[str, Any], person: int, **changed: Any) -> Any:
    """Say yes to the plan of a row."""
    until_then = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    said = {"fingerprint": row["plan"]["fingerprint"], "comment": "seen and right", "expires": until_then, **changed}
    return say(at, row, "approve", person, **said)


def agree(at: Plain, row: dict[str, Any]) -> None:
    """Have it approved; by two, where nobody knows whose change it is."""
    said = approve(at, row, ADA).json()
    if said["state"] == "awaiting_approval":
        said = approve(at, row, AMIT).json()
    assert said["state"] in {"queued", "applying"}, said


def ticket(at: Plain, row: dict[str, Any], state: str) -> dict[str, Any] | None:
    """Return the ticket of a row where it is in a state."""
    answer = at.azure.call("GET", f"/api/tickets/{row['id']}")
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found if found.get("state") == state else None


def explained(at: Plain) -> Any:
    """Explain the workspace; None where Azure is busy."""
    answer = at.azure.call("GET", f"/api/explain?resource={at.id}")
    return answer.json()["verdicts"] if answer.status_code == 200 else None


def disks(vault: str, key: str) -> dict[str, Any]:
    """Return what puts managed disks on a key, given as `name` or `name/version`."""
    name, _, version = key.partition("/")
    at = {"keyVaultUri": f"https://{vault}.vault.azure.net/", "keyName": name, "keyVersion": version or "0" * 32}
    layer = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at, "rotationToLatestKeyVersionEnabled": True}
    return {"entities": {"managedDisk": layer}}


def make_key(azure: Client, vault: str, name: str, **attributes: Any) -> str:
    """Make a key as the owner of the vault does; return `name/version`."""
    wanted = {"kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"], "attributes": attributes}
    made = azure.arm("PUT", f"{vault}/keys/{name}", "2023-07-01", {"properties": wanted})
    made.raise_for_status()
    return f"{name}/{made.json()['properties']['keyUriWithVersion'].rsplit('/', 1)[1]}"


def waits_for_a_person(at: Plain) -> dict[str, Any] | None:
    """Return the row where all is done but what only a person can do."""
    row = at.row_in("awaiting_approval", "failed", "observed")
    return (
        row
        if row and (row["state"] != "awaiting_approval" or row["decision"]["reason"] == "AwaitsConfirmation")
        else None
    )


def moved(at: Plain) -> dict[str, Any]:
    """Wait until a migration has come to where a person must restart the compute."""
    try:
        row: dict[str, Any] = until(lambda: waits_for_a_person(at), "the end of the migration", 300)
    except TimeoutError as error:
        error.add_note(at.told())
        raise
    assert row["decision"]["reason"] == "AwaitsConfirmation", at.told()
    return row


@pytest.mark.calm
@pytest.mark.parametrize("rbac", [False, True], ids=["policies", "roles"])
def test_one_road(azure: Client, rbac: bool) -> None:
    """From the PUT of a confidential workspace to three layers on a key of its own, and nothing else changed."""
    vault, region = (NORTH, "northeurope") if rbac else (WEST, "westeurope")
    key_vault(azure, vault, rbac=rbac, region=region)
    at = plain(azure, vault, region=region)
    row = at.soon("awaiting_approval")
    until(lambda: ticket(at, row, "open"), "a ticket")
    before = at.body()
    assert (row["finding"]["reason"], row["decision"]["kind"]) == ("PlatformKey", "approval")
    agree(at, row)
    done = moved(at)
    say(at, done, "confirm", DANA, comment="all clusters, pools and warehouses restarted").raise_for_status()
    at.soon("resolved")
    closed = until(lambda: ticket(at, row, "closed"), "the end of the ticket")

    keys = at.keys()
    assert set(keys) == set(LAYERS)
    ((uri, name),) = set(keys.values())
    assert uri == f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net/"
    assert at.key_versions(name) == 1
    unchanged(before, at.body())
    assert at.body()["tags"] == TAGS
    for principal in at.identities().values():
        if rbac:
            assert at.roles(principal) == [NARROW]
        else:
            assert at.permissions(principal) == THREE
    assert len(at.puts()) == 4
    shown = azure.app(f"/api/remediations/{row['id']}")
    assert (shown["history_intact"], shown["history_problem"]) == (True, "")
    assert closed["occurrence"] == 1


def test_what_azure_says_proves_nothing(azure: Client) -> None:
    """Disks on a vault that does not exist, on a disabled key, without a grant: Azure says Succeeded, nobody says compliant."""
    key_vault(azure, FREE)
    bogus = plain(azure, FREE, encryption=disks("kv-does-not-exist", "k"))
    disabled = plain(
        azure, FREE, tags={}, encryption=disks("kv-keys-free", make_key(azure, FREE, "off", enabled=False))
    )
    bare = plain(azure, FREE, tags={}, encryption=disks("kv-keys-free", make_key(azure, FREE, "on")))
    missing = disabled.soon("observed", subject="managedDisk")
    lacking = bare.soon("observed", subject="managedDisk")
    unseen = bogus.soon("awaiting_approval", "observed")
    layers = {it["layer"]: (it["verdict"], it["reason"]) for it in unseen["finding"]["evidence"]["layers"]}

    assert (missing["finding"]["reason"], lacking["finding"]["reason"]) == ("KeyIsDisabled", "KeyPermissionMissing")
    assert layers["managedDisk"] == ("unknown", "VaultNotSeen")
    assert [at.cluster()["started"] for at in (bogus, disabled, bare)] == [False, False, False]
    for at in (bogus, disabled, bare):
        verdicts = until(partial(explained, at), "an explanation")
        said = {it["subject"]: it["verdict"] for it in verdicts if it["control"] == "DBX-CMK"}
        assert "Compliant" not in {said[""], said.get("managedDisk", "")}


# The one in foul weather: each message reads a dozen things, and its tries are ever further apart.
@pytest.mark.timeout(500)
def test_a_vault_is_picked_by_one_and_approved_by_others(azure: Client) -> None:
    """No vault is named for this place: the ticket lists those to pick from; whoever picks does not approve."""
    key_vault(azure, FREE)
    at = plain(azure, FREE, subscription=1)
    row = at.soon("observed")
    assert row["decision"]["reason"] == "NoVaultChosen"
    assert FREE in row["finding"]["evidence"]["eligible"]
    foreign = say(at, row, "vault", ADA, vault=WEST.replace("kv-keys-west", "kv-mine"), comment="mine")
    assert (foreign.status_code, foreign.json()["reason"]) == (409, "NotAKeyVault")
    say(at, row, "vault", ADA, vault=FREE, comment="near its data").raise_for_status()
    asked = at.soon("awaiting_approval")
    own = approve(at, asked, ADA)

    assert (own.status_code, own.json()["reason"]) == (409, "OwnRequest")
    assert own.json()["type"].endswith("OwnRequest")
    for person in (AMIT, DANA):
        if at.row_in("awaiting_approval"):
            approve(at, asked, person).raise_for_status()
    moved(at)
    assert set(at.keys()) == set(LAYERS)
