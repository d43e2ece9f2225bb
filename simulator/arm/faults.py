"""Faults to order: a status, a delay or a cut connection for the requests that a rule picks.

A rule counts the requests it matches; from the `nth` on (1 is the first) it strikes `times` times (0: for ever).
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from simulator.arm.answer import Answer, Json

CUTS = ("before", "after", "body")


@dataclass(slots=True)
class Fault:
    """One rule."""

    late: ClassVar[Answer | None] = None  # an ordered fault never answers after the effect: `cut` does

    path: re.Pattern[str]
    method: str = ""
    caller: str = ""
    nth: int = 1
    times: int = 1
    status: int = 0
    code: str = ""
    message: str = "This fault was ordered on the management port."
    headers: dict[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    cut: str = ""
    seen: int = 0

    def strikes(self, method: str, path: str, caller: str) -> bool:
        """Whether this request is one of those; matching counts."""
        if self.method and self.method != method:
            return False
        if self.caller and self.caller.lower() != caller.lower():
            return False
        if not self.path.search(path):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times == 0 or self.seen < self.nth + self.times)

    def answer(self) -> Answer | None:
        """The reply it puts in place of the real one, if it does."""
        if not self.status:
            return None
        code = self.code or {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(self.status, "InternalServerError")
        return Answer(self.status, {"error": {"code": code, "message": self.message}}, dict(self.headers))


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, rules: list[Json]) -> None:
        """Put rules in force; a misspelt one is refused whole."""
        self._rules += [_parse(rule) for rule in rules]

    def clear(self) -> None:
        """No more faults."""
        self._rules.clear()

    def show(self) -> list[Json]:
        """Each rule in force, with how many requests it matched."""
        names = [each for each in Fault.__slots__ if each not in {"path", "late"}]
        return [{"path": rule.path.pattern, **{name: getattr(rule, name) for name in names}} for rule in self._rules]

    def pick(self, method: str, path: str, caller: str) -> Fault | None:
        """The first rule that strikes this request."""
        for rule in self._rules:
            if rule.strikes(method, path, caller):
                return rule
        return None

    def __bool__(self) -> bool:
        return bool(self._rules)


def _parse(rule: Json) -> Fault:
    plain = dict(rule)
    pattern = re.compile(plain.pop("path", "") or "", re.IGNORECASE)
    fault = Fault(path=pattern, **{name: value for name, value in plain.items() if value is not None})
    fault.method = fault.method.upper()
    fault.headers = {name: str(value) for name, value in fault.headers.items()}
    if fault.cut and fault.cut not in CUTS:
        raise ValueError(f"cut must be one of {', '.join(CUTS)}, not '{fault.cut}'")
    return fault
