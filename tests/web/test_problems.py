"""docs/problems.md and the code say the same: each reason that is raised is explained, and none that is not."""

import ast
import re
from collections.abc import Iterator

import pytest

from shared.web import refusals
from simulator.stack import ROOT

_ERRORS = {"BadInput", "Refused", "Denied", "Temporary", "Conflict", "RowChanged", "Rail"}
_BY_STATUS = {"NotFound", "MethodNotAllowed", "Bug", "BadPath"}  # of a route, of a bug, of function_app
PAGE = (ROOT / "docs/problems.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| `")]
LISTED = [reason for row in ROWS for reason in re.findall(r"`(\w+)`", row.split("|")[1])]
TURNED = {kind.__name__: kind.status for kind in refusals.Turned.__subclasses__()}


def _raised(*folders: str) -> Iterator[str]:
    """Yield the reasons with which errors are made there, as far as they are literal."""
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            is_error = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ERRORS
            if is_error and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def test_each_reason_is_explained() -> None:
    """What the flow and the web raise, and what the door refuses, has a row; once."""
    needed = {*_raised("shared/flow", "shared/web"), *TURNED, *_BY_STATUS}

    assert sorted(needed - set(LISTED)) == []
    assert sorted(set(LISTED)) == sorted(LISTED)


def test_nothing_is_explained_that_is_not_raised() -> None:
    """Where a reason goes, its row goes. Some are made by the core and raised by name."""
    said = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))

    assert [it for it in LISTED if f'"{it}"' not in said and it not in {*TURNED, *_BY_STATUS}] == []


@pytest.mark.parametrize("name", sorted(TURNED))
def test_the_status_of_the_door_is_the_one_explained(name: str) -> None:
    """The page says with which status each is answered."""
    assert f"| `{name}` | {TURNED[name]} |" in PAGE
