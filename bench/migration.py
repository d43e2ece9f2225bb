"""The price of one migration: event to ticket, approval to the last step, calls to Azure and CPU, for each access model.

    python -m bench.migration

The local Azure takes a second for a change of a workspace and `CMK_RBAC_SETTLE` is two seconds; in Azure the first takes
one to three minutes and the second is half an hour. What is ours are the calls, the CPU, and the seconds between steps.
"""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bench.local import Local, local
from simulator.client import until
from tests.migration import NORTH, WEST, Plain, key_vault, plain

PLAYS = 3


def main() -> None:
    """Print a line for each model."""
    with local({"CMK_GAP": "0"}) as run:
        run.azure.manage("POST", "/knobs", {"activity_lag": 0})
        key_vault(run.azure, WEST)
        key_vault(run.azure, NORTH, rbac=True, region="northeurope")
        _play(run, WEST, "westeurope")
        for model, vault, region in (("policies", WEST, "westeurope"), ("roles", NORTH, "northeurope")):
            before, cpu = len(run.requests()), run.cpu()
            times = [_play(run, vault, region) for _ in range(PLAYS)]
            _show(run, model, run.requests()[before:], times, run.cpu() - cpu)


def _play(run: Local, vault: str, region: str) -> tuple[float, float]:
    """Migrate one workspace; return the seconds from its write to the ticket, and from the yes to the last step."""
    began = time.monotonic()
    at = plain(run.azure, vault, region=region)
    row = at.soon("awaiting_approval")
    until(lambda: run.azure.call("GET", f"/api/tickets/{row['id']}").status_code == 200, "the ticket")
    ticketed = time.monotonic() - began
    for person in (1, 2):
        if at.row_in("awaiting_approval"):
            _approve(at, row, person)
    approved = time.monotonic()
    until(lambda: _waits(at), "the end of the migration", 120)
    return ticketed, time.monotonic() - approved


def _approve(at: Plain, row: dict[str, Any], person: int) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    said = {"fingerprint": row["plan"]["fingerprint"], "comment": "measured", "expires": ends}
    at.azure.call("POST", f"/api/remediations/{row['id']}/approve", person, body=said).raise_for_status()


def _waits(at: Plain) -> bool:
    row = at.row()
    return row is not None and row["decision"]["reason"] == "AwaitsConfirmation"


def _show(
    run: Local, model: str, requests: list[dict[str, object]], times: list[tuple[float, float]], cpu: float
) -> None:
    arm = urlsplit(run.azure.facts["arm"]).netloc
    kinds = Counter("azure" if it["host"] == arm else "storage" for it in requests)
    writes = sum(it["host"] == arm and it["method"] in {"PUT", "PATCH", "DELETE"} for it in requests)
    ticket, end = (max(it[place] for it in times) for place in (0, 1))
    print(f"a migration of three layers, vault with {model}, mean of {PLAYS}, echoes included")
    print(f"  {'write of the workspace to ticket, s, worst':46} {ticket:6.1f}")
    print(f"  {'approval to the last step, s, worst':46} {end:6.1f}")
    print(f"  {'calls to Azure':46} {kinds['azure'] / PLAYS:6.0f}")
    print(f"  {'of these writes':46} {writes / PLAYS:6.0f}")
    print(f"  {'storage operations':46} {kinds['storage'] / PLAYS:6.0f}")
    print(f"  {'CPU of the app, ms':46} {cpu / PLAYS * 1000:6.0f}")


if __name__ == "__main__":
    main()
