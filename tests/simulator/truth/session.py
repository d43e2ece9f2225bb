"""The end of a test run: every answer that any simulator gave in it is held to the official documents.

The tests' simulators write their answers into one folder (`answers` in their configuration), in whatever process they
run; when all tests are over the folder is read, and what no document and no habit of Azure allows fails the run.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.reference import REFERENCE
from tests.simulator.answers import FOLDER
from tests.simulator.truth.specs import Specs, audit, written


def begin(config: pytest.Config) -> None:
    """Make the folder, once for all worker processes."""
    if not hasattr(config, "workerinput") and REFERENCE.is_dir():
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="answers-")


def end(session: pytest.Session) -> None:
    """Read the answers in the process that leads the run; anything wrong makes the run fail."""
    if hasattr(session.config, "workerinput"):
        return
    folder = os.environ.pop(FOLDER, "")
    samples = list(written(Path(folder))) if folder else []
    shutil.rmtree(folder, ignore_errors=True)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or (folder and not samples):
        return
    reporter.write_line("")
    if not folder:
        reporter.write_line(f"ANSWERS NOT CHECKED AGAINST THE OFFICIAL DOCUMENTS: no reference data at {REFERENCE}")
        return
    result = audit(Specs(), samples)
    reporter.write_sep("-", "answers against the official documents")
    reporter.write_line(f"{result.answers} answers of {result.operations} operations were checked.")
    missing = ", ".join(f"{count} x {label}" for label, count in sorted(result.unknown.items()))
    reporter.write_line(f"without a document: {missing or 'none'}")
    for line in result.wrong[:40]:
        reporter.write_line(f"WRONG {line}", red=True)
    if result.wrong:
        reporter.write_line(f"{len(result.wrong)} answers are wrong", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
