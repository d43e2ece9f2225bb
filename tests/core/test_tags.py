"""Legal values of tags: patterns come from a setting and values from anybody, and neither may hang or trick the app."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediators.workspace_tags.rules import is_legal

LETTERS = st.text(st.sampled_from("ab*?[]!-"), max_size=12)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [("*a" * 60 + "b", "a" * 256), ("*" * 200 + "b", "a" * 256), ("*[a-z]*" * 40 + "9", "a" * 256), ("?*" * 80, "a")],
)
def test_no_pattern_takes_long(pattern: str, value: str) -> None:
    """What would keep a regular expression that goes back busy for ever is answered at once."""
    began = time.process_time()

    assert not is_legal(value, (pattern,))
    assert time.process_time() - began < 1


@given(LETTERS, LETTERS)
def test_a_pattern_never_breaks(pattern: str, value: str) -> None:
    """Whatever a setting says, there is an answer; a value without wild cards is legal where it is listed itself."""
    is_legal(value, (pattern,))
    if not set(value) & set("*?["):
        assert is_legal(value.upper(), (value,))


@pytest.mark.parametrize(
    ("value", "is_fine"),
    [("prod", True), ("PROD", True), ("prod\nx", False), ("x prod", False), ("production", False), ("", False)],
)
def test_a_word_is_the_whole_value(value: str, is_fine: bool) -> None:
    """No part of a value, and nothing behind a line break, makes it legal."""
    assert is_legal(value, ("prod", "test")) is is_fine
