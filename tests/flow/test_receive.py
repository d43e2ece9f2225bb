"""Receiving: an event becomes a message with ids only, or nothing."""

import json

from shared.core import ids
from shared.core.control import Memory, Named, Nomination
from shared.flow.receive import receive
from tests.fakes import SUBSCRIPTION, World, vault_id, workspace_id

EVENT = {"id": "e-1", "type": "Microsoft.Resources.ResourceWriteSuccess", "subject": vault_id(), "data": {"claims": {}}}


def test_an_event_becomes_a_message(world: World) -> None:
    """The message names the target and the cause, and nothing of the event's content."""
    (message,) = receive(world, json.dumps({**EVENT, "data": {"claims": {"name": "Somebody"}, "secret": "s"}}))

    assert json.loads(message) == {
        "id": vault_id(),
        "cause": {"kind": "event", "id": "e-1", "actor": ""},
        "attempt": 1,
        "waited": False,
        "woken": False,
        "due": 0,
        "whole": False,
        "via": "vaults",
    }


def test_garbage_is_recorded_once_and_accepted(world: World) -> None:
    """Refusing an event would only bring it back: it is recorded, by a digest, and never kept itself."""
    for _ in range(2):
        assert receive(world, '{"type": 5, "password": "hunter2"}') == []

    assert {it.source for it in world.records.poison_list()} == {"event"}
    assert len({it.reference for it in world.records.poison_list()}) == 1
    assert "hunter2" not in str(world.records.poison_list())


def test_what_is_not_ours_leaves_no_trace(world: World) -> None:
    """An event about a storage account is none of our business."""
    other = vault_id().replace("Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts")

    assert receive(world, json.dumps({**EVENT, "subject": other})) == []
    assert world.records.poison_list() == []


def test_events_from_outside_the_estate_are_left() -> None:
    """With a list of subscriptions, an event of another one wakes nothing."""
    world = World(subscriptions=("99999999-0000-4000-8000-000000000000",))

    assert receive(world, json.dumps(EVENT)) == []
    assert receive(World(subscriptions=(SUBSCRIPTION,)), json.dumps(EVENT)) != []


def test_a_vault_that_tells_of_a_key_wakes_who_uses_it() -> None:
    """The vault, and each workspace in the estate that is remembered to use that key; nobody for a changed policy."""
    world = World(subscriptions=(SUBSCRIPTION,))
    stranger = workspace_id("far", "99999999-0000-4000-8000-000000000000")
    users = (workspace_id("dbw-one"), workspace_id("dbw-two"), stranger)
    names = dict(zip(users, ("k", "other", "k"), strict=True))
    memory = Memory(
        nominations=tuple(Nomination(it, "", (Named("managedDisk", name, ""),)) for it, name in names.items())
    )
    world.records.remember(ids.parse(vault_id()), lambda _: memory)
    event = {"id": "e", "source": vault_id(), "subject": "k", "data": {"ObjectName ": "k", "Version": " 1"}}

    def woken(kind: str, **changed: object) -> list[str]:
        messages = receive(world, json.dumps({**event, "type": f"Microsoft.KeyVault.{kind}", **changed}))
        return [json.loads(it)["id"] for it in messages]

    assert woken("KeyNewVersionCreated") == [vault_id(), users[0]]
    assert woken("KeyExpired", data=None, subject="no key at all") == [vault_id(), users[0], users[1]]
    assert woken("VaultAccessPolicyChanged", subject="kv-one") == [vault_id()]
