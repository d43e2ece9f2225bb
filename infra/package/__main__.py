"""The command: `python -m infra.package`; what it has built and measured goes to standard output."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from infra.package.build import Built, build
from infra.package.cost import IMPORT, median
from infra.package.ours import ROOT
from infra.package.unpacked import unpack
from infra.package.wheels import RefusedError

_RUNS = 3


def main(arguments: list[str]) -> int:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="folder for the files (dist)")
    parser.add_argument("--telemetry", action="store_true", help="with the exporter that CMK_TELEMETRY needs")
    told = parser.parse_args(arguments)
    requirements = ROOT / f"requirements{'-telemetry' if told.telemetry else ''}.txt"
    try:
        built = build(told.to, requirements)
        lines = [*_sizes(built), *_costs(built), ""]
    except RefusedError as wrong:
        sys.stderr.write(f"package: {wrong}\n")
        return 1
    sys.stdout.write("\n".join(lines))
    return 0


def _sizes(built: Built) -> list[str]:
    with ZipFile(built.archive) as package:
        entries = package.infolist()
    code = sum(entry.compress_size for entry in entries if entry.filename.endswith(".pyc"))
    whole, inside = built.archive.stat().st_size, sum(entry.file_size for entry in entries)
    return [
        f"{built.archive}",
        f"  sha256    {built.sha256}",
        f"  size      {_mb(whole)} zipped, {_mb(code)} of it bytecode; {_mb(inside)} in {len(entries)} files",
        *(f"  without   {size / 1000:.0f} KB: {why}" for why, size in built.pruned.items()),
    ]


def _costs(built: Built) -> list[str]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        ready, bare = unpack(built.archive, folder / "1"), unpack(built.archive, folder / "2", bytecode=False)
        least, more, much = (median(code, at, _RUNS) for code, at in (("", ready), (IMPORT, ready), (IMPORT, bare)))
    told = (
        f"{more:.0f} ms of CPU until the app is imported, {much:.0f} ms without bytecode; Python alone {least:.0f} ms"
    )
    return [f"  start     {told} (median of {_RUNS})"]


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
