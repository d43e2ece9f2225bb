"""What Event Grid could not deliver is put on record once, explained, and looked at by the sweep; nothing else of it is kept."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import BadInput, Denied, Temporary
from shared.core.letter import letters
from shared.flow.letters import collect
from shared.flow.sweep import sweep
from tests.fakes import World, vault_body, vault_id
from tests.flow.conftest import run
from tests.reference import REFERENCE

NAME = "CMKWARDEN-VAULTS/2026/11/24/2/one.json"


def _event(**more: Any) -> dict[str, Any]:
    return {
        "subject": vault_id(), "eventType": "Microsoft.Resources.ResourceWriteSuccess", "id": "e-1",
        "data": {"claims": {"upn": "ada@example.com"}}, "deadLetterReason": "MaxDeliveryAttemptsExceeded",
        "deliveryAttempts": 30, "lastDeliveryOutcome": "InternalServerError", **more,
    }  # fmt: skip


def _records(world: World) -> list[tuple[str, str, str]]:
    return [(it.what.reference, it.what.reason, it.what.message) for it in world.records.poison_records.values()]


def test_a_dead_letter_is_explained_and_what_it_told_of_is_looked_at(world: World) -> None:
    """Why Event Grid gave up, about what; the sweep of that night looks at it, and the next one does neither again."""
    world.arm.put(vault_body())
    world.letters.kept[NAME] = json.dumps([_event()])
    sweep(world)
    said = _records(world)
    run(world)
    rows = [(row.row.target, row.row.cause.kind) for row in world.records.rows.values()]
    sweep(world)

    told = "Event Grid gave up after 30 tries, the last one ended in InternalServerError"
    assert said == [(NAME, "MaxDeliveryAttemptsExceeded", f"{told}: {vault_id()}")]
    assert rows == [(vault_id(), "sweep")]
    assert world.letters.read == [NAME]
    assert world.queue.of("evaluate") == []
    assert "ada@example.com" not in repr(world.records.poison_records)


def test_a_batch_is_as_many_records_and_a_kill_between_them_loses_none(world: World) -> None:
    """The record that stands for the blob comes last: until then the blob is read again."""
    world.letters.kept[NAME] = json.dumps([_event(id=f"e-{n}", subject=vault_id(f"kv-{n}")) for n in range(3)])
    save, left = world.records.poison, 2

    class Killed(BaseException):
        """The worker died."""

    def dying(*args: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        save(*args)

    world.records.poison = dying  # type: ignore[assignment,method-assign]
    with pytest.raises(Killed):
        collect(world)
    world.records.poison = save  # type: ignore[method-assign]
    collect(world)

    assert sorted(reference for reference, _, _ in _records(world)) == [NAME, f"{NAME}#1", f"{NAME}#2"]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", ["BadDeadLetter"]),
        ("{}", ["BadDeadLetter"]),
        ("[" * 100_000, ["BadDeadLetter"]),
        ("[]", []),
        (json.dumps([{}]), ["DeadLetter"]),
        (json.dumps([7, _event()]), ["DeadLetter", "MaxDeliveryAttemptsExceeded"]),
        (json.dumps([_event(deadLetterReason="<script>", deliveryAttempts="many")]), ["DeadLetter"]),
        (json.dumps([_event(subject="/subscriptions/x/resourceGroups/rg")]), ["MaxDeliveryAttemptsExceeded"]),
        (json.dumps([_event(subject=vault_id().replace("KeyVault/vaults", "Web/sites"))]), []),
        (json.dumps([_event(subject=vault_id(subscription="99999999-0000-4000-8000-000000000001"))]), []),
    ],
)
def test_odd_letters(world: World, text: str, reasons: list[str]) -> None:
    """What makes no sense is on record without its content; what is none of ours is not."""
    world.choices = replace(world.choices, subscriptions=(vault_id().split("/")[2],))
    world.letters.kept[NAME] = text
    collect(world)

    assert sorted(reason for _, reason, _ in _records(world)) == reasons
    assert "<script" not in repr(world.records.poison_records)


@pytest.mark.parametrize("failure", [Temporary("ServerBusy", "slow"), Denied("AuthorizationFailed", "no")])
def test_the_night_goes_on_without_the_container(world: World, failure: Exception) -> None:
    """Whatever stands between us and the letters."""
    world.letters.failure = failure
    sweep(world)

    assert len(world.queue.of("sweep")) == 1


def test_a_letter_that_was_removed_meanwhile_is_said_to_be_gone(world: World) -> None:
    """And the others are read all the same."""
    world.letters.kept = {"a.json": BadInput("NoSuchBlob", "removed"), NAME: json.dumps([_event()])}
    collect(world)

    assert {reference for reference, _, _ in _records(world)} == {"a.json", NAME}


def test_the_printed_blob_is_read() -> None:
    """The reference data's own example, and the same as CloudEvents."""
    path = REFERENCE / "samples/events/ADAPTED_deadletter_blob.json"
    if not path.exists():
        pytest.skip(f"no reference data at {REFERENCE}")
    (letter,) = letters(path.read_text())
    events = json.loads(path.read_text())
    cloud = [
        {
            **{name.lower() if name[0] == "d" or name[:4] == "last" else name: it[name] for name in it},
            "type": it["eventType"],
        }
        for it in events
    ]
    (same,) = letters(json.dumps(cloud))

    assert letter.found is not None
    assert letter.found.target.name == "kv-cmk"
    assert (letter.reason, letter.outcome, letter.tries) == ("MaxDeliveryAttemptsExceeded", "InternalServerError", 30)
    assert (same.reason, same.outcome, same.tries) == (letter.reason, letter.outcome, letter.tries)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)))
def test_no_letter_is_too_odd(content: object) -> None:
    """Anything is a letter, or bad input."""
    try:
        found = list(letters(json.dumps(content)))
    except BadInput as error:
        assert error.reason == "BadDeadLetter"
    else:
        assert all(it.found is None or it.problem is None for it in found)
