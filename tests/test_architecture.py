"""The tree is what the documents say: every file described, none too long, contracts kept, roles as small as the steps."""

import ast
import json
import re
import subprocess

import pytest

from remediators import REMEDIATORS
from shared.core.moves import grant
from shared.core.record import State
from simulator.stack import ROOT


def tracked(*patterns: str) -> list[str]:
    """Return the files of the project whose names fit, those that are not committed yet among them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [path for path in listed if (ROOT / path).exists()]


SOURCES = [path for path in tracked("*.py") if not path.startswith("tests/")]


def summary(path: str) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse((ROOT / path).read_text())) or "").split("\n")[0]


@pytest.mark.parametrize("path", SOURCES)
def test_every_module_is_described_as_it_describes_itself(path: str) -> None:
    """docs/architecture.md has a row for each module, with the first line of its docstring."""
    page = (ROOT / "docs/architecture.md").read_text()
    line = summary(path)

    assert line or not (ROOT / path).read_text().strip()
    assert not line or f"| `{path}` | {line.replace('|', chr(92) + '|')} |" in page


def test_no_other_file_is_forgotten() -> None:
    """Configuration, roles and scripts are named as well, and nothing is named that is not there."""
    page = (ROOT / "docs/architecture.md").read_text()
    others = [
        path for path in tracked("*.json", ".ci/*", "Makefile", "*.toml", "*.txt") if not path.startswith("tests/")
    ]

    assert [path for path in others if f"`{path}`" not in page] == []
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert [path for path in rows if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("path", tracked("*.py"))
def test_no_file_is_too_long(path: str) -> None:
    """A file above 300 lines is two files; tests may be longer, up to 500."""
    lines = len((ROOT / path).read_text().splitlines())

    assert lines <= (500 if path.startswith("tests/") else 300)


def test_only_function_app_knows_azure_functions() -> None:
    """import-linter takes no single module as a root: function_app.py is held here."""
    importers = {
        path
        for path in SOURCES
        if "azure.functions" in (ROOT / path).read_text() and path.startswith(("shared/", "rem"))
    }
    tree = ast.parse((ROOT / "function_app.py").read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}

    assert importers == set()
    assert not any(name.startswith(("shared.adapters", "simulator")) for name in named)


def test_the_writer_holds_what_the_steps_need_and_nothing_else() -> None:
    """The writer's role is the union of the permissions of all steps; neither role holds a wildcard."""
    moves = "".join(path.read_text() for path in (ROOT / "shared/core/moves").glob("*.py"))
    needed = set(re.findall(r'permission="([^"]+)"', moves))
    roles = {
        name: json.loads((ROOT / f"infra/roles/{name}.json").read_text()) for name in ("reader", "writer", "grants")
    }

    assert {*roles["writer"]["Actions"], *roles["grants"]["Actions"]} == needed
    assert not set(roles["writer"]["Actions"]) & set(roles["grants"]["Actions"])
    assert all(action.endswith("/read") and "*" not in action for action in roles["reader"]["Actions"])
    assert all(not role["DataActions"] for role in roles.values())


def test_every_state_and_control_is_in_the_glossary() -> None:
    """The words of the code are explained where people look for them."""
    page = (ROOT / "docs/glossary.md").read_text()

    assert [state for state in State if f"`{state}`" not in page] == []
    assert [it.control.id for it in REMEDIATORS if it.control.id not in page] == []


def test_the_condition_names_the_roles_that_the_steps_give_and_take() -> None:
    """What the writer may do under its condition is what plans are made of: neither a role more nor one less."""
    give, take = (ROOT / "infra/roles/grants.condition").read_text().split("roleAssignments/delete")
    strict = json.loads((ROOT / "infra/roles/key_user.json").read_text())["Id"]
    guid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

    assert set(re.findall(guid, give)) == {grant.NARROW, grant.STRICT, grant.SECRETS_USER}
    assert set(re.findall(guid, take)) == grant.REMOVABLE
    assert strict == grant.STRICT
