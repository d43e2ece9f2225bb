"""Which key in a vault is ours: the one under the name drawn last, with one version, made after it was drawn."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import ids, refs
from shared.core.choices import LAYERS, Choices, KeyVault
from shared.core.control import Drawn, Memory
from shared.core.facts import Absent, Key, Snapshot, Unreadable, Workspace
from shared.core.keyvaults import drawn, foreign, made, proposed, values
from shared.core.moves.key import is_ours
from shared.core.parse import workspace as parsed
from tests.fakes import NOON, vault_id, workspace_body, workspace_id

VAULT, OTHER = ids.parse(vault_id()), ids.parse(vault_id("kv-two"))
NAMES = ("cmk-a", "cmk-b")
PURPOSES = ("", "managedDisk")
TIMES = st.timedeltas(timedelta(hours=-1), timedelta(hours=1)).map(lambda it: NOON + it)
KEYS = st.builds(
    Key, name=st.sampled_from(NAMES), version=st.just("1" * 32), kind=st.just("RSA"), size=st.just(3072),
    operations=st.just(frozenset({"wrapkey", "unwrapkey"})), enabled=st.booleans(), created=st.none() | TIMES,
    not_before=st.none(), expires=st.none(), versions=st.integers(0, 3),
)  # fmt: skip
FOUND = KEYS | st.just(Absent()) | st.just(Unreadable("it", "AuthorizationFailed", "you may not"))
DRAWN = st.builds(
    Drawn,
    layer=st.sampled_from(PURPOSES),
    vault=st.sampled_from((VAULT.key, VAULT.key, OTHER.key)),
    name=st.sampled_from(NAMES),
    time=TIMES,
)


@given(st.lists(DRAWN, max_size=6), st.dictionaries(st.sampled_from(NAMES), FOUND), st.sampled_from(PURPOSES))
def test_a_key_is_ours_or_foreign_or_not_there(names: list[Drawn], keys: dict[str, Key], layer: str) -> None:
    """Under the name that was drawn last for this vault and layer lies our key, a foreign one, or none: never two of these."""
    at, memory = Snapshot(VAULT, keys=keys), Memory(drawn=tuple(names))
    own = [it for it in names if it.vault == VAULT.key and it.layer == layer][-1:]
    found = [keys.get(it.name) for it in own]
    there = [it for it in found if isinstance(it, Key)]
    first, last = -timedelta(minutes=1), timedelta(minutes=15)
    good = [it for it in there if it.versions == 1 and it.created and first <= it.created - own[0].time <= last]

    assert drawn(memory, VAULT, layer) == next(iter(own), None)
    assert made(at, memory, layer, Choices()) == next(iter(good), None)
    assert foreign(at, memory, layer, Choices()) == (own[0] if there and not good else None)


@pytest.mark.parametrize(
    ("seconds", "versions", "ours"),
    [
        (0, 1, True),
        (-60, 1, True),
        (-61, 1, False),
        (900, 1, True),
        (901, 1, False),
        (0, 0, False),
        (0, 2, False),
        (None, 1, False),
    ],
)
def test_a_key_is_ours_only_if_it_can_be_the_one_asked_for(seconds: int | None, versions: int, ours: bool) -> None:
    """Azure's clock may be a minute behind ours; what is older or much younger, or has another version, is somebody else's."""
    key = Key(
        "k",
        "1",
        "RSA",
        3072,
        frozenset({"wrapkey", "unwrapkey"}),
        enabled=True,
        created=NOON,
        not_before=None,
        expires=None,
    )
    created = None if seconds is None else NOON + timedelta(seconds=seconds)

    assert is_ours(replace(key, created=created, versions=versions), NOON, 3072) is ours


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "EC"},
        {"kind": "RSA-HSM"},
        {"size": 2048},
        {"operations": frozenset({"wrapkey", "unwrapkey", "decrypt"})},
    ],
)
def test_a_key_that_is_not_as_we_asked_for_it_is_not_ours(change: dict[str, Any]) -> None:
    """Planted under our name at the right moment, and not what was approved."""
    key = Key(
        "k", "1", "RSA", 3072, frozenset({"wrapkey", "unwrapkey"}), enabled=True, created=NOON, not_before=None,
        expires=None, versions=1,
    )  # fmt: skip

    assert is_ours(key, NOON, 3072)
    assert not is_ours(replace(key, **change), NOON, 3072)


@given(st.lists(DRAWN, max_size=6), st.dictionaries(st.sampled_from(NAMES), FOUND), st.booleans())
def test_a_version_is_said_only_of_a_key_of_ours(names: list[Drawn], keys: dict[str, Key], per_layer: bool) -> None:
    """What a reference to a version stands for is the version of our key, and of no other: else it stands for nothing."""
    choices = Choices(key_vaults=(KeyVault(VAULT, VAULT.subscription.lower(), "westeurope"),), key_per_layer=per_layer)
    memory, at = Memory(drawn=tuple(names)), Snapshot(VAULT, keys=keys)
    snapshot = Snapshot(ids.parse(workspace_id()), workspace=_workspace(), vaults={"kv-one.vault.azure.net": at})

    said = values(snapshot, memory, choices)

    for layer in LAYERS if per_layer else ("",):
        key, name = made(at, memory, layer, choices), drawn(memory, VAULT, layer)
        assert said[refs.key_version(layer)] == (key.version if key else "")
        assert said[refs.key_name(layer)] == (name.name if name else "")


@given(
    st.text()
    | st.sampled_from([vault_id(), vault_id() + "/keys/k", workspace_id(), "$(reboot)", vault_id() + "?x", "/" * 9])
)
def test_a_tag_proposes_a_vault_or_nothing(text: str) -> None:
    """Whatever the tag holds: an id of a vault, rebuilt, or ''."""
    found = proposed(replace(_workspace(), tags={"cmk-vault-id": text}), Choices())

    assert found in {"", vault_id()}
    assert text != vault_id() or found


def _workspace() -> Workspace:
    return parsed({**workspace_body(), "sku": {"name": "premium"}})
