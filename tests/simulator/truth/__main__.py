"""`python -m tests.simulator.truth`: play the recordings and show every difference, known or not, with its reason."""

import argparse
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from tests.reference import REFERENCE
from tests.simulator.truth.fleet import Fleet
from tests.simulator.truth.ledger import judge, known
from tests.simulator.truth.player import Outcome, play
from tests.simulator.truth.recordings import sequences
from tests.simulator.truth.singles import singles


def say(*words: object) -> None:
    """One line of output."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.truth", description=__doc__)
    parser.add_argument("sequence", nargs="?", default="*", help="a name with *, or `singles`; everything without")
    parser.add_argument("--all", action="store_true", help="known differences too, one line each")
    options = parser.parse_args()
    if not REFERENCE.is_dir():
        raise SystemExit(f"the reference data is not at {REFERENCE}: set REFERENCE_DATA")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder))
        for name, rows in sequences():
            if fnmatch(name, options.sequence):
                outcomes += play(fleet, rows)
        for rows in singles() if fnmatch("singles", options.sequence) else []:
            outcomes += play(fleet, rows)
        fleet.close()
    entries = known()
    verdict = judge(outcomes, entries)
    for outcome in outcomes if options.all else []:
        for difference in outcome.differences:
            reasons = [entry.reason for entry in entries if entry.covers(outcome, difference)] or ["UNKNOWN"]
            say(
                f"{outcome.request.source}#{outcome.request.index} {outcome.request.label}: {difference}  [{reasons[0]}]"
            )
    for line in verdict.unknown:
        say("not on the list:", line)
    for entry in verdict.stale if options.sequence == "*" else []:
        say("gone:", entry)
    for line in verdict.rates():
        say(line)


if __name__ == "__main__":
    main()
