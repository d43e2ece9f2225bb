"""The packages of others: the wheels that requirements.txt names by hash, and nothing but wheels, put into a folder.

pip fetches them, for it keeps the files, and the list of contents wants their hashes; uv unpacks them without asking
anybody, so no address of an index gets into the package. Both find their index as the machine tells them to.
"""

import subprocess
import sys
from pathlib import Path

from infra.package.ours import ROOT

# Azure runs Python 3.13 on Linux, x86-64, with a glibc newer than 2.28.
_PLATFORMS = ("manylinux2014_x86_64", *(f"manylinux_2_{minor}_x86_64" for minor in range(17, 29)))


class RefusedError(Exception):
    """A tool has ended with an error; the text is what it said."""


def download(requirements: Path, to: Path) -> None:
    """Fetch the wheels; one whose hash is not in the list is refused."""
    run(
        *(str(ROOT / ".tools/bin/python"), "-m", "pip", "download", "--quiet", "--dest", str(to)),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements)),
        *("--implementation", "cp", "--python-version", "3.13", "--abi", "cp313", "--abi", "abi3", "--abi", "none"),
        *(word for platform in _PLATFORMS for word in ("--platform", platform)),
    )


def install(requirements: Path, wheels: Path, to: Path) -> None:
    """Unpack the wheels as Azure's Python would import them."""
    run(
        *(str(ROOT / ".tools/bin/uv"), "pip", "install", "--quiet", "--target", str(to), "--python", sys.executable),
        *("--python-platform", "x86_64-manylinux_2_28", "--no-index", "--find-links", str(wheels)),
        *("--only-binary", ":all:", "--require-hashes", "-r", str(requirements)),
    )


def run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a tool that has something to say only when it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise RefusedError(f"{' '.join(command[:4])} ... ended with {done.returncode}:\n{done.stderr}{done.stdout}")
