"""The price of nothing happening: storage operations an hour of an idle app, by what asks for them.

    python -m bench.idle [SECONDS]

Queue triggers poll, and timers renew their leases; both are the Functions host's doing, with the intervals of our
host.json. The emulator's own log is counted for a while and multiplied.
"""

import re
import sys
import time
from collections import Counter

from bench.local import local

_LINE = re.compile(r'"(GET|PUT|POST|DELETE|HEAD|MERGE|PATCH) (\S+)')


def main(seconds: int) -> None:
    """Print the table."""
    with local(storage_log=True) as run:
        time.sleep(70)  # polling slows down while nothing comes; it is at its slowest after a minute
        before = len(run.storage_lines())
        cpu = run.cpu()
        time.sleep(seconds)
        lines = run.storage_lines()[before:]
        cpu = run.cpu() - cpu
    kinds = Counter(_kind(line) for line in lines)
    hour = 3600 / seconds
    print(f"an idle app, storage operations an hour (counted for {seconds} s)")
    for kind, count in kinds.most_common():
        print(f"  {kind:32} {count * hour:8.0f}")
    print(f"  {'in all':32} {len(lines) * hour:8.0f}")
    print(f"  {'CPU of the app, s an hour':32} {cpu * hour:8.1f}")


def _kind(line: str) -> str:
    match = _LINE.search(line)
    if match is None:
        return "other"
    method, path = match.groups()
    place = path.partition("?")[0].partition("/devstoreaccount1/")[2].split("/")
    if place[-1] == "messages":
        return f"queue {place[0]}: poll"
    return f"{method} {place[0]}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
