"""The price of a page with 10,000 remediations and 5,000 workspaces behind it: CPU of the app, time, bytes.

    python -m bench.console

Asked of the real app in Microsoft's worker over HTTP, one after the other; the kernel says what its process has cost.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import requests

from bench.local import Local, local
from shared.adapters.credentials import managed_identity
from shared.adapters.estate import TableEstate
from shared.adapters.records import TableRecords
from shared.core import ids
from shared.core.control import Finding, NonCompliant
from shared.core.decide import Decision, Kind
from shared.core.judgement import Judgement, LayerRuling, Ruling
from shared.core.plan import Plan
from shared.core.ports import Event
from shared.core.record import State
from shared.core.settle import Look, settle
from shared.core.shelf import Wanted
from shared.core.steps import Step
from shared.core.wake import Cause

ROWS, WORKSPACES, TIMES = 10_000, 5_000, 20
_STATES = (State.AWAITING_APPROVAL, State.OBSERVED, State.FAILED, State.RESOLVED)
_NOW = datetime.now(UTC)
_SUB = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
PAGES = (
    ("queue, the first page", "/"),
    ("queue, the rest open", "/?shelf=open"),
    ("queue, by control", "/?control=KV-RECOVERY"),
    ("search, found at the front", "/?q=kv-bench-9996"),
    ("search, nowhere in 5,000", "/history?q=nothing-is-called-so"),
    ("history, failed ones", "/history?state=failed"),
    ("history, chains verified", "/history?verify=1"),
    ("estate, workspaces", "/estate"),
    ("estate, by name", "/estate?q=dbw-4999"),
    ("estate, not compliant", "/estate?worst=NonCompliant"),
)


def main() -> None:
    """Fill the tables, then print a line for each page."""
    with local() as run:
        settings = json.loads((run.folder / "local/host.json").read_text())["settings"]
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            os.environ[name] = settings[name]
        credential = managed_identity(run.azure.facts["identities"]["reader"]["client_id"])
        url = run.azure.facts["storage"]["table"]
        records, estate = TableRecords(url, credential), TableEstate(url, credential)
        _each(partial(_row, records), ROWS, "remediations")
        _each(partial(_judgement, estate), WORKSPACES, "workspaces")
        print(f"{'page':36} {'p50':>8} {'slowest':>8} {'CPU':>8} {'size':>8}")
        first = records.summaries(Wanted(), cursor="", limit=1).items[0].id
        for name, path in (*PAGES, ("one remediation", f"/remediations/{first}"), *_deep(run)):
            print(f"{name:36} {_cost(run, path)}")


def _deep(run: Local) -> Sequence[tuple[str, str]]:
    """Return the hundredth page of the queue, found as a reader would: by the link to the next one."""
    path = "/"
    for _ in range(99):
        page = _got(run, path).text
        path = "/" + page.split('rel="next" href="', 1)[1].partition('"')[0].replace("&amp;", "&")
    return (("queue, the hundredth page", path),)


def _cost(run: Local, path: str) -> str:
    _got(run, path)
    cpu, times, size = run.cpu(), list[float](), 0
    for _ in range(TIMES):
        began = time.perf_counter()
        size = len(_got(run, path).content)
        times.append(1000 * (time.perf_counter() - began))
    cpu = 1000 * (run.cpu() - cpu) / TIMES
    return f"{statistics.median(times):5.0f} ms {max(times):5.0f} ms {cpu:5.1f} ms {size / 1000:5.1f} KB"


def _got(run: Local, path: str) -> requests.Response:
    answer = run.azure.call("GET", path, 1)
    answer.raise_for_status()
    return answer


def _each(make: Callable[[int], None], count: int, what: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number, _ in enumerate(pool.map(make, range(count)), 1):
            if number % 1000 == 0:
                print(f"{number} of {count} {what}", file=sys.stderr)


def _row(records: TableRecords, number: int) -> None:
    target = ids.parse(f"/subscriptions/{_SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-bench-{number}")
    step = Step("vault.protect", str(target), {"a": None}, {"a": True}, "p", irreversible=True)
    verdict = NonCompliant(Finding("PurgeProtectionIsOff", "purge protection is off", {"days": 90}))
    decision = Decision(Kind.APPROVAL, "OutsideAutoScope", "the target lies outside CMK_AUTO_SCOPE", None, "owner")
    look = Look(f"{number:016}", "KV-RECOVERY", str(target), verdict, Plan((step,)), decision, Cause("event"))
    row = settle(None, look, _NOW - timedelta(seconds=number))
    assert row is not None
    row = replace(row, state=_STATES[number % len(_STATES)])
    records.save(row, Event("evaluated", "evaluate", "bench", {"number": number}), None)


def _judgement(estate: TableEstate, number: int) -> None:
    target = f"/subscriptions/{_SUB}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/dbw-{number:04}"
    verdict = ("Compliant", "NonCompliant", "NotApplicable")[number % 3]
    layers = tuple(LayerRuling(it, verdict, "PlatformKey") for it in ("managedServices", "managedDisk", "dbfsRoot"))
    rulings = (Ruling("DBX-CMK", "", verdict, "PlatformKey", f"{number:016}"),)
    estate.note(
        Judgement(
            target, ids.WORKSPACE, f"dbw-{number:04}", "westeurope", ("prod",), "owner", _NOW, verdict, rulings, layers
        )
    )


if __name__ == "__main__":
    main()
