"""Foreign words made harmless: for a terminal, for a spreadsheet, for a shell. Whatever came over the wire goes through here."""

import shlex
import unicodedata
from typing import Any

# What a terminal obeys, what turns the direction of writing, what nobody sees: all shown as an escape instead.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINER = "\u2060"
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")  # the last four are what full-width input makes of the first


def plain(value: Any) -> str:
    """Return a value as one line that any terminal shows and none obeys."""
    text = "" if value is None else value if isinstance(value, str) else str(value)
    return "".join(_shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if unicodedata.category(letter) not in _UNSEEN:
        return letter
    return letter.encode("unicode_escape").decode()


def cell(value: Any) -> str:
    """Return a value for a cell of a CSV file: no spreadsheet takes it for a formula."""
    text = "" if value is None else value if isinstance(value, str) else str(value)
    guarded = f"'{text}" if text.startswith(_FORMULA) else text
    return "".join(letter if letter in "\t\r\n" else _shown(letter) for letter in guarded)


def block(text: str) -> str:
    """Return Markdown of the app's, each line harmless. Its word joiners stay: they are what keeps names from being mentions."""
    return "\n".join(_JOINER.join(map(plain, line.split(_JOINER))) for line in text.split("\n"))


def command(*words: str) -> str:
    """Return a command that can be typed as it stands: each word is quoted for the shell."""
    return shlex.join(plain(word) for word in words)
