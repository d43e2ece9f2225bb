"""Every message is lost: the sweep heals whatever has a row. On a stack of its own, for a sweep looks at what others have left."""

from collections.abc import Iterator, Mapping

import pytest

from shared.core.record import State
from shared.flow.sweep import sweep
from simulator.client import Client
from tests.crash.conftest import empty_stack
from tests.crash.dying import Death
from tests.crash.pump import Pump
from tests.crash.test_crash import check, vault_written


@pytest.fixture(scope="module")
def nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Mapping[str, str]]]:
    """A local Azure that no other test has used."""
    yield from empty_stack(tmp_path_factory.mktemp("lost"))


def test_what_lost_its_message_is_healed_by_the_sweep(cloud: Client, pump: Pump) -> None:
    """Die after each write, and lose every message as well: whatever has a row is put right once the sweep has run."""
    for _ in range(2):  # the first play creates the tables
        alive = vault_written(cloud, pump, Death())
        pump.run()
    plays = []
    for at in range(1, len(alive.death.writes) + 1):
        played = vault_written(cloud, pump, Death((at,), after=True))
        pump.run_until_a_death()
        pump.lose_everything()
        plays.append(played)
    healed = sweep(pump.app)
    pump.run()

    with_row = [played for played in plays if pump.app.records.get(played.row)]
    assert healed >= 5
    assert len(with_row) >= len(plays) - 4  # without a row it is as if no event had come
    # Once the row says resolved only the notice was left, and no sweep looks at what is closed.
    closed = max(number for number, write in enumerate(alive.death.writes, 1) if "$batch" in write)
    for played in with_row:
        check(cloud, pump, played, State.RESOLVED, 1, told=played.death.at[0] < closed)
