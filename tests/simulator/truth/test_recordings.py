"""The simulator answers as Azure did, request by request, wherever a recording of Azure exists."""

from collections.abc import Callable
from pathlib import Path

from tests.reference import needs_reference
from tests.simulator.truth.fleet import Fleet
from tests.simulator.truth.ledger import judge, known
from tests.simulator.truth.player import Outcome, play
from tests.simulator.truth.recordings import sequences
from tests.simulator.truth.singles import singles

AT_LEAST = 0.95


@needs_reference
def test_it_differs_from_azure_only_where_the_list_says_so(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Every recorded sequence, each on a fresh simulator; new differences and those that have gone both fail."""
    fleet = Fleet(tmp_path)
    outcomes: list[Outcome] = []
    for rows in [*(rows for _, rows in sequences()), *singles()]:
        outcomes += play(fleet, rows)
    fleet.close()
    verdict = judge(outcomes, known())
    record_property("truth", "\n".join(["recorded requests answered as Azure did:", *verdict.rates()]))

    assert verdict.unknown == []
    assert verdict.stale == []
    assert verdict.rate() >= AT_LEAST
