"""The templates with the values they are judged with: tests/infra/values/NAME.json has a sentence for each set of them.

    {"as small as it gets": {"mails": ["ops@example.com"]}, "private": {"mails": [...], "private": true}}

Only what is deployed is judged, so together the sets must deploy every resource of the template.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from infra.build import TEMPLATES
from tests.infra.judges.expand import Expansion, expand

VALUES = Path(__file__).parent.parent / "values"


class Case(NamedTuple):
    """A template with one set of values."""

    template: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.template}: {self.sentence}"


def cases() -> list[Case]:
    """Return every template with each of its sets of values; one without values counts as a set of none."""
    return [Case(name, sentence) for name in TEMPLATES for sentence in values(name) or {"without values": {}}]


def values(name: str) -> dict[str, dict[str, Any]]:
    """Return the sets of values of a template, by their sentences."""
    path = VALUES / name
    found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return found


@cache
def assembled(name: str) -> dict[str, Any]:
    """Return a template as its parts make it."""
    return dict(TEMPLATES[name]())


@cache
def expanded(case: Case) -> Expansion:
    """Return a template expanded with a set of values. Whoever changes it works on a copy."""
    return expand(assembled(case.template), values(case.template).get(case.sentence, {}))
