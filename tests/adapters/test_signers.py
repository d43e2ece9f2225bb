"""The keys that sign tokens: fetched when a token needs them, and seldom, whatever Entra and the forgers do."""

from typing import Any

import pytest

from shared.adapters.signers import EntraSigners
from shared.core.errors import Temporary


class Authority(EntraSigners):
    """Entra with one key, or down."""

    def __init__(self) -> None:
        super().__init__("https://login.example.net", "tenant", lambda: self.time)
        self.time, self.asked, self.is_down = 1000.0, 0, False

    def _fetched(self) -> dict[str, Any]:
        self.asked += 1
        if self.is_down:
            raise Temporary("ConnectionLost", "down")
        return {"one": "the key"}


def test_unknown_keys_ask_once_a_minute() -> None:
    """A thousand forged ids are one question."""
    authority = Authority()
    found = {authority.key(f"forged-{n}") for n in range(1000)}
    authority.time += 61

    assert (found, authority.asked) == ({None}, 1)
    assert (authority.key("one"), authority.key("forged"), authority.asked) == ("the key", None, 2)


def test_forged_keys_do_not_hammer_an_authority_that_is_down() -> None:
    """It is asked once a minute all the same, and known keys go on to count."""
    authority = Authority()
    authority.key("one")
    authority.is_down = True
    authority.time += 61
    with pytest.raises(Temporary):
        authority.key("forged")

    assert [authority.key(it) for it in ("forged", "one", "forged")] == [None, "the key", None]
    assert authority.asked == 2


def test_keys_that_are_a_day_old_do_not_count() -> None:
    """Entra takes keys out of use: without an answer nobody enters, and each one who tries asks again."""
    authority = Authority()
    authority.key("one")
    authority.is_down = True
    authority.time += 86_401
    for _ in range(2):
        with pytest.raises(Temporary):
            authority.key("one")
    authority.is_down = False

    assert authority.key("one") == "the key"
