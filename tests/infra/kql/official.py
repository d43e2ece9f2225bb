"""What Microsoft's own parser and binder say of queries; one process for many, since it takes a second to start."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infra.kql.tables import TABLES

HERE = Path(__file__).parent


def _node() -> str:
    ours = HERE.parents[2] / ".tools/bin/real-node"
    return str(ours) if ours.exists() else shutil.which("node") or pytest.fail("there is no Node: run make setup")


def problems(queries: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is wrong with each query, as `line:column message`."""
    done = subprocess.run(
        [_node(), str(HERE / "check.mjs")],
        input=json.dumps({"tables": TABLES, "queries": queries}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found
