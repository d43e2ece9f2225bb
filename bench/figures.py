"""The price of the figures of the day over 10,000 remediations and 5,000 targets: time, CPU, memory, storage operations.

    python -m bench.figures [ROWS]

Each row has a history of eight entries. Made three times: of everything for the first time, with nothing new, and with one
row in twenty gone on. By the timer's function in the real app; the kernel says what its process has cost.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from azure.data.tables import TableServiceClient

from bench.console import WORKSPACES, _each, _judgement
from bench.local import Local, local
from shared.adapters.credentials import managed_identity
from shared.adapters.estate import TableEstate
from shared.adapters.figures import TableFigures
from shared.adapters.records import TableRecords
from shared.adapters.tables import Table, cells, encoded
from shared.core import ids
from shared.core.chain import START, Entry, link
from shared.core.control import Finding, NonCompliant
from shared.core.decide import Decision, Kind
from shared.core.plan import Plan
from shared.core.ports import Event
from shared.core.record import State
from shared.core.settle import Look, settle
from shared.core.shelf import place
from shared.core.wake import Cause
from simulator.client import until

ROWS, GONE_ON = 10_000, 20
_NOW = datetime.now(UTC)
_SUB = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
# What a row lives through, twice over: found, asked, agreed to, written, put right.
_LIFE = (
    ("evaluated", State.AWAITING_APPROVAL), ("approved", State.QUEUED), ("writing", State.APPLYING),
    ("resolved", State.RESOLVED),
)  # fmt: skip


def main() -> None:
    """Fill the tables, then print a line for each run."""
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    with local() as run:
        settings = json.loads((run.folder / "local/host.json").read_text())["settings"]
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            os.environ[name] = settings[name]
        credential = managed_identity(run.azure.facts["identities"]["reader"]["client_id"])
        url = run.azure.facts["storage"]["table"]
        table = Table(TableServiceClient(url, credential=credential), "remediations")
        _fill(table, rows)
        _each(partial(_judgement, TableEstate(url, credential)), WORKSPACES, "workspaces")
        book, records = TableFigures(url, credential), TableRecords(url, credential)
        print(f"{'run':24} {'seconds':>8} {'rows/s':>8} {'CPU s':>6} {'MiB':>5} {'peak':>5} {'storage':>8}")
        print(f"{'the first':24} {_cost(run, book, rows)}", flush=True)
        print(f"{'nothing new':24} {_cost(run, book, rows)}", flush=True)
        _go_on(records, rows)
        print(f"{f'one row in {GONE_ON} new':24} {_cost(run, book, rows)}", flush=True)


def _cost(run: Local, book: TableFigures, rows: int) -> str:
    """Have the timer's function run, and say what that took."""
    last, sent = book.latest(), len(run.requests())
    cpu, began = run.cpu(), time.perf_counter()
    run.azure.admin("POST", "/admin/functions/figures", {"input": ""}).raise_for_status()
    until(lambda: (made := book.latest()) is not None and made != last, "the figures", 900)
    seconds, cpu = time.perf_counter() - began, run.cpu() - cpu
    calls = len(run.requests()) - sent
    return f"{seconds:>8.1f} {rows / seconds:>8.0f} {cpu:>6.1f} {run.memory():>5.0f} {_peak(run):>5.0f} {calls:>8}"


def _peak(run: Local) -> float:
    """Return the most resident memory that the app's process ever had, in MiB."""
    status = Path(f"/proc/{run.worker}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _fill(table: Table, rows: int) -> None:
    """Write rows with their histories as the app would have left them, many in one transaction."""
    batch: list[dict[str, object]] = []
    for number in range(rows):
        batch += _lived(number)
        if len(batch) >= 900:
            table.put_all(batch)
            batch.clear()
        if number % 1000 == 999:
            print(f"{number + 1} of {rows} remediations", file=sys.stderr)
    table.put_all(batch)


def _lived(number: int) -> Iterator[dict[str, object]]:
    target = f"/subscriptions/{_SUB}/resourceGroups/rg/providers/{ids.VAULT}/kv-bench-{number}"
    verdict = NonCompliant(Finding("PurgeProtectionIsOff", "purge protection is off", {"days": 90}))
    decision = Decision(Kind.APPROVAL, "OutsideAutoScope", "the target lies outside CMK_AUTO_SCOPE", None, "owner")
    look = Look(f"{number:016}", "KV-RECOVERY", target, verdict, Plan(), decision, Cause("event"))
    row = settle(None, look, _NOW - timedelta(days=20))
    assert row is not None
    past = _history(number)
    row = replace(row, state=State.RESOLVED)
    chained = {"state": "resolved", "head": past[-1].n, "newest": past[-1].hash, **cells("body", encoded(row))}
    yield {"PartitionKey": "rows", "RowKey": f"row-{row.id}", **chained}
    yield {"PartitionKey": "rows", "RowKey": f"list-{place(row)}"}
    for it in past:
        yield {
            "PartitionKey": "rows", "RowKey": f"history-{row.id}-{it.n:07}", **cells("body", encoded(it))
        }  # fmt: skip


def _history(number: int) -> Sequence[Entry]:
    found = list[Entry]()
    for n, (event, state) in enumerate((*_LIFE, *_LIFE), 1):
        when = _NOW - timedelta(days=10, seconds=number) + timedelta(hours=n)
        detail = {"verdict": "NonCompliant", "fingerprint": f"{number:032}"} if event == "evaluated" else {}
        entry = Entry(n, when, event, state, "bench", "Bench", detail, found[-1].hash if found else START)
        found.append(replace(entry, hash=link(entry)))
    return found


def _go_on(records: TableRecords, rows: int) -> None:
    for number in range(0, rows, GONE_ON):
        stored = records.get(f"{number:016}")
        assert stored is not None
        event = Event("evaluated", "evaluate", "Bench", {"verdict": "NonCompliant", "fingerprint": "another"})
        records.save(replace(stored.row, state=State.AWAITING_APPROVAL, updated=_NOW), event, stored)


if __name__ == "__main__":
    main()
