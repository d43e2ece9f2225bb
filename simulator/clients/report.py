"""What was checked and what came of it: a line as each check ends, a table at the end."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from simulator.clients.stage import Ran

SHOWN = 2000  # characters of a client's complaint


@dataclass(frozen=True, slots=True)
class Check:
    """One operation of one client. `why` is '' when it agreed."""

    client: str
    operation: str
    result: str
    why: str = ""
    seconds: float = 0
    requests: int = 0


@dataclass(slots=True)
class Report:
    """The checks so far."""

    say: Callable[[str], None]
    checks: list[Check] = field(default_factory=list)

    def expect(self, client: str, operation: str, ran: Ran, wanted: Any, got: Any, note: str = "") -> bool:
        """Write down whether the client's answer is the one that was worked out."""
        why = "" if wanted == got else f"{difference(wanted, got)}\n{complaint(ran)}"
        result = note or _summary(wanted)
        return self.add(Check(client, operation, result if not why else "DISAGREES", why, ran.seconds, ran.requests))

    def expect_done(self, client: str, operation: str, ran: Ran) -> bool:
        """Write down whether the client ended well; what it did is looked at next."""
        why = "" if ran.code == 0 else f"ended with {ran.code}\n{complaint(ran)}"
        return self.add(Check(client, operation, "done" if not why else "FAILED", why, ran.seconds, ran.requests))

    def add(self, check: Check) -> bool:
        """Put one check on the list and say so; returns whether it is good."""
        self.checks.append(check)
        mark = "ok " if not check.why else "NO "
        figures = f"{check.requests:>4} requests {check.seconds:6.1f} s"
        self.say(f"{mark} {check.client:<10} {check.operation:<58} {figures}  {check.result}")
        if check.why:
            self.say("    " + check.why.strip().replace("\n", "\n    "))
        return not check.why

    def all_good(self) -> bool:
        """Whether everything agreed."""
        return bool(self.checks) and not any(check.why for check in self.checks)

    def table(self) -> str:
        """One row a client: how many checks agreed, and what they cost."""
        rows = defaultdict(list)
        for check in self.checks:
            rows[check.client].append(check)
        lines = [f"{'client':<12} {'checks':>6} {'agree':>6} {'requests':>9} {'seconds':>8}"]
        for client, checks in rows.items():
            agree = sum(not check.why for check in checks)
            asked, took = sum(check.requests for check in checks), sum(check.seconds for check in checks)
            lines.append(f"{client:<12} {len(checks):>6} {agree:>6} {asked:>9} {took:>8.1f}")
        return "\n".join(lines)


def difference(wanted: Any, got: Any) -> str:
    """What is missing and what is too much, where both are lists of findings; else both, whole."""
    if isinstance(wanted, set) and isinstance(got, set):
        return f"not found: {sorted(wanted - got)}; not expected: {sorted(got - wanted)}"
    return f"expected {_plain(wanted)}\ngot      {_plain(got)}"


def complaint(ran: Ran) -> str:
    """The end of what a client said on its error stream."""
    refused = [f"{each['method']} {each['path']} {each['status']}" for each in ran.journal if each["status"] >= 400]
    return "\n".join([*refused[:8], ran.err[-SHOWN:].strip()])


def _summary(wanted: Any) -> str:
    if isinstance(wanted, set):
        return f"{len(wanted)} findings agree"
    return _plain(wanted)[:60]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def names(rows: Iterable[Any]) -> set[str]:
    """Resource names in lower case: how findings are compared, since ARM does not care for case."""
    return {str(row).lower() for row in rows}
