"""Receiving: an event becomes a message with ids only, or nothing."""

import json

from shared.flow.receive import receive
from tests.fakes import SUBSCRIPTION, World, vault_id

EVENT = {"id": "e-1", "type": "Microsoft.Resources.ResourceWriteSuccess", "subject": vault_id(), "data": {"claims": {}}}


def test_an_event_becomes_a_message(world: World) -> None:
    """The message names the target and the cause, and nothing of the event's content."""
    message = receive(world, json.dumps({**EVENT, "data": {"claims": {"name": "Somebody"}, "secret": "s"}}))

    assert message is not None
    assert json.loads(message) == {
        "id": vault_id(),
        "cause": {"kind": "event", "id": "e-1", "actor": ""},
        "attempt": 1,
        "waited": False,
        "woken": False,
        "due": 0,
        "whole": False,
    }


def test_garbage_is_recorded_once_and_accepted(world: World) -> None:
    """Refusing an event would only bring it back: it is recorded, by a digest, and never kept itself."""
    for _ in range(2):
        assert receive(world, '{"type": 5, "password": "hunter2"}') is None

    assert {it.source for it in world.records.poison_list()} == {"event"}
    assert len({it.reference for it in world.records.poison_list()}) == 1
    assert "hunter2" not in str(world.records.poison_list())


def test_what_is_not_ours_leaves_no_trace(world: World) -> None:
    """An event about a storage account is none of our business."""
    other = vault_id().replace("Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts")

    assert receive(world, json.dumps({**EVENT, "subject": other})) is None
    assert world.records.poison_list() == []


def test_events_from_outside_the_estate_are_left() -> None:
    """With a list of subscriptions, an event of another one wakes nothing."""
    world = World(subscriptions=("99999999-0000-4000-8000-000000000000",))

    assert receive(world, json.dumps(EVENT)) is None
    assert receive(World(subscriptions=(SUBSCRIPTION,)), json.dumps(EVENT)) is not None
