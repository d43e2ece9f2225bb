"""A package as Azure finds it: unzipped, read-only, and run by a Python that has nothing of its own but this."""

import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

SITE = ".python_packages/lib/site-packages"  # where the host's Python worker looks for an app's packages


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Where the app lies, and the Python to run it with."""

    app: Path
    python: Path

    @property
    def path(self) -> str:
        """Return PYTHONPATH as the host's worker would have it."""
        return f"{self.app / SITE}:{self.app}"


def unpack(archive: Path, to: Path, *, bytecode: bool = True) -> Unpacked:
    """Unzip into a new folder; without bytecode it is what a package would be that brings sources alone."""
    app, python = to / "wwwroot", to / "python"
    with ZipFile(archive) as package:
        names = [name for name in package.namelist() if bytecode or not name.endswith(".pyc")]
        package.extractall(app, names)
    for path in [*app.rglob("*"), app]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    venv.create(python, symlinks=True, with_pip=False)
    return Unpacked(app, python / "bin/python")
