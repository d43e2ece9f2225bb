"""The worker is killed with SIGKILL after every write of the main journey, on the whole stack; its host starts it again."""

import itertools
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Client, until
from simulator.ports import chosen
from simulator.stack import ROOT, Stack
from tests.crash.conftest import vault_body
from tests.migration import LAYERS, WEST, Plain, key_vault, plain

HOLD = 2  # seconds for which the host holds a message; 600 in Azure
_KILLS = 8
_APART = 12  # more writes than one message makes
MOST = 40  # more writes than the journey has


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[tuple[Stack, Path]]:
    """A stack whose app kills itself when it is told to."""
    app = tmp_path / "app"
    app.mkdir()
    for name in ("host.json", "shared", "remediators"):
        (app / name).symlink_to(ROOT / name)
    (app / "real_function_app.py").symlink_to(ROOT / "function_app.py")
    (app / "function_app.py").symlink_to(Path(__file__).parent / "app/function_app.py")
    settings = {"CMK_SHARE": "100", "CMK_WRITES_PER_HOUR": "1000"}
    with Stack(chosen("random"), tmp_path / "local", settings, app=app, hold_seconds=HOLD) as running:
        yield running, app / "arm"


@pytest.mark.timeout(600)
def test_a_worker_killed_after_any_write_loses_nothing(stack: tuple[Stack, Path]) -> None:
    """Each vault ends protected by one write and on record once, whatever write its worker died after."""
    running, arm = stack
    azure = Client(running.facts)
    azure.put_group(azure.facts["subscriptions"][0], "rg-kill").raise_for_status()
    # The app counts a subscription's vaults every ten minutes: enough of them, that no guard rail sees most of them change.
    others = [vault_body(azure, f"kv-other-{number}", enablePurgeProtection=True) for number in range(MOST)]
    azure.manage("POST", "/seed", {"resources": others})
    deaths = []
    for number in range(1, MOST):
        vault = _written(azure, f"kv-kill-{number}", arm, number)
        _play(running, azure, vault)
        deaths.append(not arm.exists())
        arm.unlink(missing_ok=True)  # the look at our own write is no part of the journey
        _check(azure, vault, number)
        if not deaths[-1]:
            break

    assert deaths.count(True) >= 8
    assert not deaths[-1], "the journey has more writes than were tried"


@pytest.mark.timeout(600)
def test_a_worker_killed_eight_times_in_a_migration_loses_nothing(stack: tuple[Stack, Path]) -> None:
    """Killed over and over on the way, by the seed: the migration ends as if nobody had died, and nothing was done twice."""
    draw = random.Random(os.environ["CMK_SEED"])

    assert _migrated(stack, (draw.randint(2, 7) for _ in range(_KILLS))) == _KILLS


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(1, _APART + 1))
def test_a_worker_killed_after_every_write_of_a_migration_loses_nothing(stack: tuple[Stack, Path], first: int) -> None:
    """As many migrations as there are writes between two kills: each write is died after in one of them."""
    assert _migrated(stack, itertools.chain([first], itertools.repeat(_APART))) > _KILLS // 2


def _migrated(stack: tuple[Stack, Path], kills: Iterator[int]) -> int:
    """Migrate a workspace while workers die so many writes after one another; check the end; return how many died."""
    running, arm = stack
    azure = Client(running.facts)
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    key_vault(azure, WEST)
    at = plain(azure)
    row = until(lambda: _asked(azure, at), "the question")
    for person in (1, 2):
        ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        said = {"fingerprint": row["plan"]["fingerprint"], "comment": "seen and right", "expires": ends}
        azure.call("POST", f"/api/remediations/{row['id']}/approve", person, body=said)
    armed = 0

    def ends_well() -> bool:
        nonlocal armed
        if not running.is_host_alive():
            running.replace_host()
        with suppress(OSError):  # one message died five times: somebody says go on, as the sweep would
            if failed := at.row_in("failed"):
                azure.call("POST", f"/api/remediations/{failed['id']}/retry", 1)
        kill = None if arm.exists() else next(kills, None)
        if kill:
            arm.write_text(str(kill))
            armed += 1
        return _asked(azure, at, "AwaitsConfirmation") is not None

    until(ends_well, "the end of the migration", 600)
    died = armed - arm.exists()
    arm.unlink(missing_ok=True)
    assert set(at.keys()) == set(LAYERS)
    assert len([write for write in at.puts() if write["status"] in {0, 201}]) == 4
    assert at.cluster() == {"started": True}
    whole = until(lambda: _whole(azure, at.id, "DBX-CMK"), "the record")
    assert (whole["occurrence"], whole["history_intact"]) == (1, True)
    return died


def _asked(azure: Client, at: Plain, reason: str = "NeedsAPerson") -> dict[str, Any] | None:
    """Return the record where it waits for a person for this reason; None also while the app is coming back."""
    with suppress(OSError):
        row = at.row()
        return row if row and (row["state"], row["decision"]["reason"]) == ("awaiting_approval", reason) else None
    return None


def _written(azure: Client, name: str, arm: Path, number: int) -> str:
    """Write an unprotected vault; the worker will die after its n-th write from here."""
    at = azure.facts["subscriptions"][0]
    vault = f"/subscriptions/{at}/resourceGroups/rg-kill/providers/Microsoft.KeyVault/vaults/{name}"
    arm.write_text(str(number))
    azure.put_vault(vault, {"cmk-vault": "true"}).raise_for_status()
    return vault


def _play(running: Stack, azure: Client, vault: str) -> None:
    """Wait for the end. A host that has had enough of dying workers ends itself; the platform starts another."""

    def resolved() -> bool:
        if not running.is_host_alive():
            running.replace_host()
        try:
            row = azure.row(vault)
        except OSError:  # the worker is dead, or not up yet
            return False
        return row is not None and row["state"] == "resolved"

    until(resolved, f"{vault} on record as resolved", 60)


def _check(azure: Client, vault: str, number: int) -> None:
    whole = until(lambda: _whole(azure, vault), "the record of the vault")
    writes = [write for write in azure.writes(vault) if write["status"] == 200]

    assert (len(writes), whole["occurrence"], whole["history_intact"]) == (1, 1, True), f"after write {number}: {whole}"
    assert azure.vault(vault)["properties"]["enablePurgeProtection"] is True


def _whole(azure: Client, target: str, control: str = "KV-RECOVERY") -> dict[str, Any] | None:
    """Return the record with its history; None while the app is coming back."""
    with suppress(OSError):
        row = azure.row(target, control)
        return azure.app(f"/api/remediations/{row['id']}") if row else None
    return None
