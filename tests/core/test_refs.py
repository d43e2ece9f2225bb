"""References in steps: filled in, or refused; never twice, and never what only looks like one."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import refs
from shared.core.choices import LAYERS
from shared.core.errors import Temporary
from shared.core.steps import Step

KNOWN = [refs.STORAGE, refs.DISKS, *(of(layer) for layer in ("", *LAYERS) for of in (refs.key_name, refs.key_version))]
# What looks like a reference, nearly is one, or would be one if it were looked at twice.
HOSTILE = [
    "${",
    "}",
    "$",
    "{key.name}",
    "$${key.name",
    "${key name}",
    "${key.name",
    "${}",
    "${1}",
    "%{key.name}",
    "\\1",
    "\\g<0>",
    "$(reboot)",
]
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_characters="$"), max_size=8)
VALUES = TEXTS.filter(bool) | st.sampled_from(KNOWN)


def _step(after: dict[str, Any], resource: str = "/subscriptions/s") -> Step:
    return Step(kind="any", resource=resource, before={"was": refs.STORAGE}, after=after, permission="")


def _resolved(text: str, values: dict[str, str]) -> str:
    return str(refs.resolve(_step({"it": text}), values).after["it"])


@given(st.lists(TEXTS | st.sampled_from(KNOWN)), st.dictionaries(st.sampled_from(KNOWN), VALUES))
def test_each_reference_is_filled_in_once_or_refused(parts: list[str], values: dict[str, str]) -> None:
    """Wherever it stands: what is no reference stays, and what a value holds is not looked at again."""
    text = "|".join(parts)  # which no reference holds: two halves of one stay two
    if any(part in KNOWN and not values.get(part) for part in parts):
        with pytest.raises(Temporary, match="stands for nothing yet"):
            _resolved(text, values)
    else:
        assert _resolved(text, values) == "|".join(values[part] if part in KNOWN else part for part in parts)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS | st.sampled_from(KNOWN),
        lambda it: st.lists(it) | st.dictionaries(TEXTS, it),
        max_leaves=8,
    )
)
def test_any_step_resolves_or_is_refused(after: Any) -> None:
    """However deep they stand, none is left; and the step that was agreed to, with its id, is as it was."""
    step = _step({"it": after})
    agreed, words = step.id, copy.deepcopy(after)
    values = {reference: f"value of {place}" for place, reference in enumerate(KNOWN)}

    meant = refs.resolve(step, values)

    assert not any(reference in json.dumps(dict(meant.after)) for reference in KNOWN)
    assert (step.id, step.after, meant.before, meant.kind) == (agreed, {"it": words}, {"was": refs.STORAGE}, "any")
    assert (meant.id == agreed) is not any(reference in json.dumps(words) for reference in KNOWN)


def test_a_reference_in_the_resource_is_filled_in() -> None:
    """A role at a key names the key in its scope."""
    step = _step({}, f"/vaults/kv-one/keys/{refs.key_name('')}")

    assert refs.resolve(step, {refs.key_name(""): "k-1"}).resource == "/vaults/kv-one/keys/k-1"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_reference_stays_as_it_is(text: str) -> None:
    """Names from Azure may hold anything."""
    assert _resolved(text, {}) == text


@pytest.mark.parametrize("value", [*KNOWN, *HOSTILE])
def test_a_value_is_not_looked_at_again(value: str) -> None:
    """A value that looks like a reference gets nobody another value."""
    values = {**dict.fromkeys(KNOWN, "secret"), refs.STORAGE: value}

    assert _resolved(f"a {refs.STORAGE} b", values) == f"a {value} b"


def test_an_unknown_reference_is_refused() -> None:
    """What nobody can say the meaning of is never sent to Azure."""
    with pytest.raises(Temporary, match="stands for nothing yet"):
        _resolved("${key:else.name}", dict.fromkeys(KNOWN, "x"))


def test_references_of_different_keys_differ() -> None:
    """Each layer's key has a name and a version of its own."""
    assert len(set(KNOWN)) == len(KNOWN) == 10
