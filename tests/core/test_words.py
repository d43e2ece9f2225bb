"""How settings about keys are read: the value that was meant, or a ValueError that says what would be right."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import ids, words
from shared.core.choices import LAYERS, KeyVault
from tests.fakes import SUBSCRIPTION, vault_id, workspace_id

READERS: list[Callable[[str], Any]] = [words.key_vaults, words.layers, words.version]
PIECES = st.sampled_from(
    [vault_id(), workspace_id(), SUBSCRIPTION, "westeurope", "=", "/", ",", " ", "2026-01-01", "-preview", *LAYERS]
)
PLACES = st.none() | st.tuples(st.uuids().map(str), st.from_regex("[a-z0-9]{1,20}", fullmatch=True))
VAULTS = st.from_regex("[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", fullmatch=True).map(vault_id)


@pytest.mark.parametrize("read", READERS)
@given(text=st.text() | st.lists(PIECES, max_size=8).map("".join))
def test_any_text_is_read_or_refused(read: Callable[[str], Any], text: str) -> None:
    """No text crashes a start in other words than our own."""
    try:
        read(text)
    except ValueError as error:
        assert str(error)


@given(
    st.lists(
        st.tuples(PLACES, VAULTS), max_size=4, unique_by=(lambda it: it[0] or it[1].lower(), lambda it: it[1].lower())
    )
)
def test_vaults_are_read_as_they_are_written(vaults: list[tuple[tuple[str, str] | None, str]]) -> None:
    """Each vault with the place that it is the one for, in their order, whatever blanks and cases people type."""
    written = " , ".join(f"{place[0].upper()} / {place[1]} = {path}" if place else path for place, path in vaults)
    said = written.replace(" / ", "/")

    assert words.key_vaults(said) == tuple(KeyVault(ids.parse(path), *(place or ())) for place, path in vaults)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (workspace_id(), "is no key vault"),
        ("kv-one", "expected /subscriptions/"),
        (f"westeurope={vault_id()}", "must be subscription/region"),
        (f"{SUBSCRIPTION}={vault_id()}", "must be subscription/region"),
        (f"{SUBSCRIPTION}/west europe={vault_id()}", "must be subscription/region"),
        (f"={vault_id()}", "must be subscription/region"),
        (f"{SUBSCRIPTION}/westeurope={vault_id()},{SUBSCRIPTION}/westeurope={vault_id('kv-two')}", "two vaults for"),
    ],
)
def test_vaults_that_cannot_be_meant_are_refused(text: str, why: str) -> None:
    """Above all two vaults for one place: nobody could say where a key goes."""
    with pytest.raises(ValueError, match=re.escape(why)):
        words.key_vaults(text)


@given(st.lists(st.sampled_from(LAYERS), min_size=1), st.data())
def test_layers_are_read_whatever_their_case(layers: list[str], data: st.DataObject) -> None:
    """As they are named elsewhere, each once."""
    typed = [data.draw(st.sampled_from([it, it.lower(), it.upper()])) for it in layers]

    assert words.layers(" , ".join(typed)) == set(layers)


@pytest.mark.parametrize("text", ["managedServices,disks", "managed services", ",", " "])
def test_layers_that_do_not_exist_and_none_at_all_are_refused(text: str) -> None:
    """No layer at all would turn the control off without a word."""
    with pytest.raises(ValueError, match="managedServices, dbfsRoot, managedDisk"):
        words.layers(text)


@pytest.mark.parametrize("text", ["2026-01-01", "2025-10-01-preview"])
def test_api_versions_are_read(text: str) -> None:
    """As they are."""
    assert words.version(text) == text


@pytest.mark.parametrize(
    "text", ["", "2026-1-1", "2026-01-01-beta", "2026-01-01\n", "2026-01-01&x=1", "20\u0662\u0666-01-01"]
)
def test_what_is_no_api_version_is_refused(text: str) -> None:
    """It becomes part of an address: plain digits and nothing else."""
    with pytest.raises(ValueError, match="api-version"):
        words.version(text)
