"""A storm: 10,000 events over 500 vaults, delivered as fast as they are taken.

    python -m bench.storm [EVENTS [VAULTS]]

Says how many events a second are taken in for each second of CPU that the app spends on it, how often each vault was
looked at and written, how long it took until all were right, and whether the app's memory stayed flat.
"""

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bench.local import Local, event, local, seed
from simulator.client import until

BATCH = 100  # events in a delivery; Event Grid's own limit is 5,000


def main(events: int, vaults: int) -> None:
    """Print the figures."""
    with local() as run:
        targets = seed(run.azure, [f"kv-storm-{number}" for number in range(vaults)])
        (extra,) = seed(run.azure, ["kv-warm"])  # a warm app: the cold start has a benchmark of its own
        run.azure.send_events("on_vault_write", [event(extra, 0)])
        until(lambda: run.azure.writes(extra), "the first vault put right")
        run.azure.manage("DELETE", "/journal")
        with _peak(run) as peak:
            _storm(run, random.Random(1).choices(targets, k=events), vaults, peak)


def _storm(run: Local, hits: list[str], vaults: int, peak: list[float]) -> None:
    before, cpu, began = run.memory(), run.cpu(), time.monotonic()
    for at in range(0, len(hits), BATCH):
        batch = [event(target, at + place) for place, target in enumerate(hits[at : at + BATCH])]
        run.azure.send_events("on_vault_write", batch).raise_for_status()
    taken, spent = time.monotonic() - began, run.cpu() - cpu
    until(lambda: len(_written(run)) == len(set(hits)), "every vault put right", 600)
    ended = time.monotonic() - began
    # What is left on the queues is coalesced; the cost of that belongs to the storm as well.
    seen = [0.0, run.cpu()]

    def is_idle() -> bool:
        time.sleep(1)
        seen[:] = [seen[1], run.cpu()]
        return seen[1] - seen[0] < 0.05

    until(is_idle, "the end of the storm", 900)
    whole, all_cpu = time.monotonic() - began, run.cpu() - cpu
    looks = Counter(item["path"] for item in _journal(run, "GET") if item["caller"] == "reader")
    writes = _written(run)
    print(f"{len(hits)} events over {vaults} vaults")
    print(f"  taken in                       {taken:7.1f} s   {len(hits) / taken:6.0f} events/s")
    print(f"  CPU of the app meanwhile       {spent:7.1f} s   {len(hits) / spent:6.0f} events/s per core")
    print(f"  every vault right after        {ended:7.1f} s")
    print(
        f"  quiet after                    {whole:7.1f} s   {all_cpu / len(hits) * 1000:6.1f} ms CPU an event, all told"
    )
    print(f"  reads of a vault, mean / most  {sum(looks.values()) / vaults:7.1f} / {max(looks.values())}")
    print(f"  writes to a vault, most        {max(writes.values()):7}   vaults written {len(writes)}")
    quarters = " ".join(f"{peak[len(peak) * part // 4 - 1]:.0f}" for part in (1, 2, 3, 4))
    print(f"  memory before, at quarters     {before:7.0f}   {quarters} MiB   peak {max(peak):.0f}")


def _journal(run: Local, method: str) -> list[dict[str, str]]:
    items = run.azure.manage("GET", "/journal")["items"]
    return [item for item in items if item["method"] == method and "/vaults/" in item["path"]]


def _written(run: Local) -> Counter[str]:
    """Return how often each vault was written. Asked once a second: the answer is long."""
    time.sleep(1)
    return Counter(item["path"] for item in _journal(run, "PATCH"))


@contextmanager
def _peak(run: Local) -> Iterator[list[float]]:
    """Watch the app's memory from a thread."""
    seen, over = [run.memory()], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen.append(run.memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    main(*[*words, *(10_000, 500)[len(words) :]])
