"""What takes seconds to ask is asked once for a whole run, even when several processes run the tests."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.package.unpacked import Unpacked, unpack
from simulator.stack import ROOT
from tests.infra.faults import FAULTS, planted
from tests.infra.judges import azmcp
from tests.infra.judges.bicep import kinds
from tests.infra.judges.cases import cases, expanded
from tests.infra.judges.checkov import checkov
from tests.infra.judges.complaint import Complaint
from tests.infra.judges.expand import Expansion

Once = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Make something, or take what another process of this run has made: kept as JSON, waited for with a lock."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent

    def made(name: str, make: Callable[[], Any]) -> Any:
        path = folder / f"{name}.json"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                path.write_text(json.dumps(make()))
        return json.loads(path.read_text())

    return made


@pytest.fixture(scope="session")
def everything() -> dict[str, Expansion]:
    """Every template with every set of its values, and the first of them with each planted fault."""
    good = {str(case): expanded(case) for case in cases()}
    return good | {fault.sentence: planted(fault) for fault in FAULTS}


@pytest.fixture(scope="session")
def types(once: Once, everything: dict[str, Expansion]) -> Any:
    """Microsoft's Bicep types of everything."""
    return once("bicep-types", lambda: azmcp.types(kinds(list(everything.values()))))


@pytest.fixture(scope="session")
def checked(
    once: Once, everything: dict[str, Expansion], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Complaint]]:
    """What checkov says of every case, and of the faults that it is there for, by the name of each."""
    others = {fault.sentence for fault in FAULTS if "checkov" not in fault.judges}
    looked_at = {name: expansion for name, expansion in everything.items() if name not in others}
    found = once("checkov", lambda: checkov(looked_at, tmp_path_factory.mktemp("expanded")))
    return {name: [Complaint(*one) for one in complaints] for name, complaints in found.items()}


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` has written, and in `told` what it has said."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dist"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "told").exists():
            command = [sys.executable, "-m", "infra.package", "--to", str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "told").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def unpacked(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """The package as Azure finds it."""
    return unpack(dist / "cmkwarden.zip", tmp_path_factory.mktemp("unpacked"))
