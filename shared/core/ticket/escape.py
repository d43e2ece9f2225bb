"""Hostile text -> Markdown that shows it and does nothing else: no link, image, HTML, mention, reference or extra cell.

Two ways. A value that people copy (an id, a name, JSON) goes into a code span: nothing is found in there by anybody.
A sentence stays a sentence: everything that Markdown knows is escaped, and where a mention, a reference or a link could
be found in plain text an invisible word joiner stands between.
"""

import re
import unicodedata
from typing import Final

NOTHING = r"\-"  # shown for an empty text; a bare dash would begin a list
LONGEST = 500  # characters of one value; the record has the whole
_JOINER: Final = "\u2060"
_BREAKS: Final = frozenset({"Zl", "Zp"})
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # control, bidi, halves of pairs, nothing at all
# What Markdown, or whoever shows it, knows.
_ESCAPED: Final = {ord(letter): "\\" + letter for letter in "\\`*_{}[]()#+-.!|~@=:$^"}
_ESCAPED.update({ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"})
# Where programs look for something to link to or to replace: @name, #12, GH-12, http://, name.tld, name@host, :name:.
_FOUND = re.compile(r"(?<=[@#:.])(?=\S)|(?<=-)(?=\d)")


def line(text: object, longest: int = LONGEST) -> str:
    """Return a text as one line without characters that cannot be seen; cut where it is too long."""
    found = str(text)[: longest * 2]
    seen = found if found.isprintable() else "".join(map(_seen, found))
    words = " ".join(seen.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def sentence(text: object, longest: int = LONGEST) -> str:
    """Return a text to be read; in a table, a list or a paragraph."""
    words = _FOUND.sub(_JOINER, line(text, longest))
    return words.translate(_ESCAPED) or NOTHING


def value(text: object, longest: int = LONGEST) -> str:
    """Return a text to be copied: a code span with a fence that the text cannot close."""
    words = line(text, longest)
    if not words:
        return "`-`"
    fence = "`" * (_longest_run(words) + 1)
    room = " " if words[0] == "`" or words[-1] == "`" else ""
    return f"{fence}{room}{words}{room}{fence}"


def cell(text: object, longest: int = LONGEST) -> str:
    """Return a text to be copied, in a table: there a pipe ends the cell even inside of code."""
    return value(text, longest).replace("|", r"\|")


def block(text: str, language: str) -> str:
    """Return commands as a block of code with a fence that they cannot close, blanks and lines as they are. `language` is ours."""
    words = visible(text)
    fence = "`" * max(3, _longest_run(words) + 1)
    return f"{fence}{language}\n{words}\n{fence}"


def visible(text: str) -> str:
    """Return a text without characters that cannot be seen, blanks and lines as they are."""
    return text if text.isprintable() else "".join(letter if letter == "\n" else _seen(letter) for letter in text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _seen(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in _BREAKS or letter in "\t\n\v\f\r\x85":
        return " "
    return "\N{REPLACEMENT CHARACTER}" if kind in _UNSEEN else letter
