"""`python -m simulator.clients [CLIENT ...]`: plant the estate, let the clients loose on it, say where they disagree.

It ends with 0 when every client agreed with what was worked out for it, and leaves nothing behind.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from simulator.clients import azure_cli, custodian, narrowing, prowler, vaults, workspaces
from simulator.clients.app_stage import AppStage
from simulator.clients.report import Report
from simulator.clients.stage import INSTALLED, Stage

CLIENTS: dict[str, Callable[[Stage, Report], None]] = {
    custodian.NAME: custodian.check,
    prowler.NAME: prowler.check,
    azure_cli.NAME: azure_cli.check,
}


def plant(stage: Stage) -> None:
    """Forty vaults and forty workspaces. No vault grants our clients anything: its data plane answers 403."""
    stage.seed([vaults.body(each) for each in vaults.VAULTS])
    stage.seed([workspaces.body(each) for each in workspaces.WORKSPACES])


def run(chosen: list[str], folder: Path) -> bool:
    """Check the chosen clients; returns whether all agreed."""
    started = time.monotonic()
    report = Report(lambda line: print(line, flush=True))
    with Stage(folder) as stage:
        plant(stage)
        for name in chosen:
            CLIENTS[name](stage, report)
        refused = stage.refused()
    if azure_cli.NAME in chosen:
        with AppStage(folder / "narrowing") as stage:
            narrowing.check(stage, report)
            refused = sorted({*refused, *stage.refused()})
    print(f"\n{report.table()}")
    print(f"\nother names that were asked for and refused: {', '.join(refused) or 'none'}")
    print(f"{'all agree' if report.all_good() else 'THEY DISAGREE'}; {time.monotonic() - started:.0f} s")
    return report.all_good()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m simulator.clients", description=__doc__)
    parser.add_argument("client", nargs="*", help=f"one or more of {', '.join(CLIENTS)}; all when none is named")
    chosen = parser.parse_args().client or list(CLIENTS)
    unknown = [name for name in chosen if name not in CLIENTS]
    if unknown:
        parser.error(f"no such client: {', '.join(unknown)}")
    missing = [name for name in chosen if not (INSTALLED / name / "bin/python").exists()]
    if missing:
        parser.error(f"not installed: {', '.join(missing)}; try:  make clients")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is open is closed
    with tempfile.TemporaryDirectory(prefix="cmkwarden-clients-") as folder:
        sys.exit(0 if run(chosen, Path(folder)) else 1)


if __name__ == "__main__":
    main()
