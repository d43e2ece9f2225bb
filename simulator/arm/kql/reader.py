"""A place in the list of tokens, and the names that are known there."""

from collections.abc import Callable
from typing import Any

from simulator.arm.kql.lexer import Invalid, Token

# Columns of Resource Graph whose values may be of any type; the rest are text.
DYNAMIC_COLUMNS = frozenset({"properties", "tags", "sku", "identity", "plan", "zones", "extendedLocation"})


class Cursor:
    """What comes next, and taking it."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self.columns: dict[str, bool] = {}  # name -> whether it may hold anything
        self.constants: dict[str, Any] = {}  # what `let` has named

    def know(self, names: tuple[str, ...]) -> None:
        """The columns of a table."""
        self.columns = {name: name in DYNAMIC_COLUMNS for name in names}

    @property
    def next(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def step(self) -> Token:
        """Take it."""
        token = self.next
        self._at += token.kind != "end"
        return token

    def back(self) -> None:
        """Give the last token back."""
        self._at -= 1

    def takes(self, *texts: str) -> bool:
        """Take it if it is one of these."""
        if self.next.kind in {"word", "mark"} and self.next.text.lower() in texts:
            self.step()
            return True
        return False

    def need(self, wanted: str) -> Token:
        """Take it; it has to be this."""
        token = self.next
        if not self.takes(wanted):
            raise Invalid(token, wanted)
        return token

    def name(self) -> str:
        """Take a name."""
        token = self.step()
        if token.kind != "word" or token.text.endswith("~"):
            raise Invalid(token, "a name")
        return token.text

    def whole(self) -> int:
        """Take a whole number."""
        token = self.step()
        if token.kind != "number" or not token.text.isdigit():
            raise Invalid(token, "a whole number")
        return int(token.text)

    def listed[T](self, read: Callable[[], T]) -> list[T]:
        """One or more, with commas between."""
        found = [read()]
        while self.takes(","):
            found.append(read())
        return found
