"""Bytecode that the app loads without comparing it with its source: a package is mounted read-only, with other times.

Python would not write any there, and would not trust what it finds by its time: each start would compile everything.
"""

import sys
from pathlib import Path

from infra.package.wheels import run

WWWROOT = "/home/site/wwwroot"  # where Azure puts the package; else the folder of the build would be in each file


def write(app: Path) -> None:
    """Compile every module of a folder, for the Python that runs this.

    In one new process, in the order of the names: what marshal writes depends on what else the process holds.
    """
    run(
        *(sys.executable, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(app), "-p", WWWROOT, str(app)),
        environment={"PYTHONHASHSEED": "0"},
    )
