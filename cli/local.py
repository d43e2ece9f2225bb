"""The local Azure of `make up`: where the app is, and the tokens of its invented people, from `.local/stack.json`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(".local/stack.json")


class NoStack(Exception):  # noqa: N818 - a situation
    """There is no local Azure here, or no such person in it. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the local Azure, and where the app is."""

    name: str
    url: str
    token: str


def person(part: str) -> Person:
    """Return who is meant by the beginning of a name, or any part of it; the first of all for ''. Raises NoStack."""
    facts = _facts()
    try:
        everybody = [Person(str(it["name"]), str(facts["functions"]), str(it["token"])) for it in facts["people"]]
    except (KeyError, TypeError) as error:
        raise NoStack(f"{FILE} is not that of a local Azure: it has no {error}") from error
    wanted = part.lower()
    found = [it for it in everybody if any(word.startswith(wanted) for word in it.name.lower().split())]
    found = found or [it for it in everybody if wanted in it.name.lower()]
    if not found:
        raise NoStack(
            f"nobody in the local Azure is called {part!r}; there are {', '.join(it.name for it in everybody)}"
        )
    return found[0]


def _facts() -> Any:
    for folder in (Path.cwd(), *Path.cwd().parents):
        try:
            found = json.loads((folder / FILE).read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise NoStack(f"{folder / FILE} cannot be read: {error}") from error
        return found
    raise NoStack(f"there is no {FILE} here or above: start the local Azure with `make up`")
