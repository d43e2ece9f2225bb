"""The price of one vault write: calls to Azure, storage operations, bytes, time and CPU, from event to record.

    python -m bench.write

Each vault is written unprotected by its owner; the clock runs from the answer to that write until the record says
that a fresh read has seen the protection. One after the other, so that nothing queues.
"""

import statistics
import time
from collections import Counter
from datetime import datetime
from urllib.parse import urlsplit

from bench.local import Local, local, percentile, vault
from simulator.client import until

WRITES = 40
WARM = 5
_LISTS = ("keys", "secrets", "diagnosticSettings", "roleAssignments", "roleDefinitions")


def main() -> None:
    """Print the table."""
    # Without the gap the look that the event of our own write asks for falls into what is measured.
    with local({"CMK_GAP": "0"}) as run:
        run.azure.put_group(run.azure.facts["subscriptions"][0], "rg-bench").raise_for_status()
        for number in range(WARM):
            _write(run, f"kv-warm-{number}")
        run.azure.manage("DELETE", "/journal")
        before, cpu = len(run.requests()), run.cpu()
        written = {name: _write(run, name) for name in (f"kv-write-{number}" for number in range(WRITES))}
        requests, cpu = run.requests()[before:], run.cpu() - cpu
        times = [_resolved(run, name) - moment for name, moment in written.items()]
        _show(run, requests, times, cpu)


def _write(run: Local, name: str) -> float:
    """Write one vault and wait until all that follows has ended, the look at our own write included; return when."""
    target = vault(run.azure, name)
    run.azure.put_vault(target, {"cmk-vault": "true"}).raise_for_status()
    written = time.time()
    until(lambda: run.azure.vault(target)["properties"].get("enablePurgeProtection"), f"{name} protected")
    quiet = [0, len(run.requests())]

    def is_quiet() -> bool:
        time.sleep(0.5)  # longer than a look takes
        quiet[:] = [quiet[1], len(run.requests())]
        return quiet[0] == quiet[1]

    until(is_quiet, "the end of what follows")
    return written


def _resolved(run: Local, name: str) -> float:
    """Return when the record says that a fresh read has seen the protection."""
    row = run.azure.row(vault(run.azure, name))
    if row is None or row["state"] != "resolved":
        raise SystemExit(f"{name} was not put right: {row}")
    return datetime.fromisoformat(row["updated"]).timestamp()


def _show(run: Local, requests: list[dict[str, object]], times: list[float], cpu: float) -> None:
    arm = urlsplit(run.azure.facts["arm"]).netloc
    kinds: Counter[str] = Counter()
    for request in requests:
        where = _kind(request, arm)
        kinds[where] += 1
    azure = sum(count for kind, count in kinds.items() if kind.startswith("azure"))
    sent = sum(int(str(request["sent"])) for request in requests)
    received = sum(int(str(request["received"])) for request in requests)
    print(f"one vault write, mean of {WRITES}, its own echo included")
    for kind, count in sorted(kinds.items()):
        print(f"  {kind:42} {count / WRITES:6.2f}")
    print(f"  {'calls to Azure in all':42} {azure / WRITES:6.2f}")
    print(f"  {'storage operations in all':42} {(len(requests) - azure) / WRITES:6.2f}")
    print(f"  {'bytes sent / received, bodies':42} {sent / WRITES:6.0f} / {received / WRITES:.0f}")
    print(f"  {'event to record, p50 / p95, s':42} {statistics.median(times):6.2f} / {percentile(times, 0.95):.2f}")
    print(f"  {'CPU of the app, ms':42} {cpu / WRITES * 1000:6.0f}")


def _kind(request: dict[str, object], arm: str) -> str:
    method, path = str(request["method"]), str(request["path"])
    if request["host"] == arm:
        if "resourcegraph" in path.lower():
            return "azure: Resource Graph"
        last = path.rstrip("/").rsplit("/", 1)[-1]
        return f"azure: {method} {last if last in _LISTS else 'vault'}"
    table = path.partition("/devstoreaccount1/")[2].partition("(")[0].partition("/")[0]
    if "messages" in path:
        return f"queue: send {table}"
    return f"table: {method} {table.strip('$')}"


if __name__ == "__main__":
    main()
