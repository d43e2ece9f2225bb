"""One example of every form of answer, appended to a file for whoever wants to check them; off unless configured.

A form is the type that was asked, method, api-version, status, and the body's structure with its enum-like words. Of
what was seeded the simulator is not the author: such bodies are left out.
"""

from pathlib import Path
from typing import Any

import msgspec

from simulator.arm.answer import Answer
from simulator.arm.router import route

WORD = 24  # a longer text, or one with digits, is a name and no enum value


class Samples:
    """Writes each form once."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._known: set[Any] = set()
        self._seeded: set[str] = set()

    def seeded(self, identity: str) -> None:
        """A body came from outside."""
        if self._path is not None:
            self._seeded.add(identity.lower())

    def note(self, method: str, path: str, version: str, answer: Answer | None) -> None:
        """One answer of the simulator's own; None for a connection that was cut."""
        if self._path is None or answer is None or (isinstance(answer.body, dict) and self._is_foreign(answer.body)):
            return
        body = self._own(answer.body)
        target = route(path)
        form = (method, target.kind, target.is_item, bool(target.group), version, answer.status, _form(body))
        if form in self._known:
            return
        self._known.add(form)
        line = {"method": method, "path": path, "version": version, "status": answer.status, "body": body}
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")

    def _own(self, body: Any) -> Any:
        """A list without the rows that were seeded."""
        if not isinstance(body, dict) or not isinstance(body.get("value"), list):
            return body
        rows = [row for row in body["value"] if not (isinstance(row, dict) and self._is_foreign(row))]
        return {**body, "value": rows}

    def _is_foreign(self, body: dict[str, Any]) -> bool:
        return str(body.get("id", "")).lower() in self._seeded


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((name, _form(each)) for name, each in value.items()))
    if isinstance(value, list):
        return frozenset(_form(each) for each in value)
    if isinstance(value, str):
        return value if len(value) <= WORD and value.isalpha() else "s"
    return type(value).__name__
