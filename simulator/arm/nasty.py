"""Nastiness by seed: what each request may meet, drawn anew for each kind from the seed, the caller, the path and its number.

The n-th request of one caller, method and path meets the same with the same seed, whatever happens elsewhere. Never more
than `in_a_row` of them meet something one after the other, so that whoever asks again gets through.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from simulator.arm.answer import Answer, Json
from simulator.arm.chance import Chance
from simulator.arm.envelopes import envelope
from simulator.arm.knobs import Knobs
from simulator.arm.router import Target, fold

# kind -> the status it answers with (0: none), and what it does to the connection or to the effect
STATUSES = {"throttled": 429, "throttled_silently": 429, "error_500": 500, "error_502": 502, "error_503": 503}
CUTS = {"reset": "before", "lost": "after", "torn": "body"}
LATE = "late_504"  # the write takes effect, the gateway has lost patience
STRIKES = (*STATUSES, LATE, *CUTS)
LATENCY = "latency"
NAMES = (*STRIKES, LATENCY)
EVENTS = ("event_drop", "event_double", "event_delay", "event_reorder")
LAGS = ("graph_lag", "propagation_seconds", "activity_lag")
PROFILES: dict[str, Json] = {
    # Every kind, one request in twenty in all: a road with retries comes through in seconds; no event is lost.
    "mild": {
        **dict.fromkeys(STRIKES, 0.006),
        LATENCY: 0.1,
        "latency_ms": 50,
        "event_double": 0.2,
        "event_reorder": 0.3,
    },
    "nasty": {
        **dict.fromkeys(STRIKES, 0.04),
        LATENCY: 0.2,
        "latency_ms": 300,
        "in_a_row": 3,
        "event_double": 0.3,
        "event_reorder": 2.0,
        "event_drop": 0.05,
        "event_delay": 1.0,
        "graph_lag": 5.0,
        "propagation_seconds": 5.0,
        "activity_lag": 60.0,
    },
}


@dataclass(slots=True)
class Strike:
    """What one request meets; the server reads it as it reads an ordered fault."""

    delay_ms: int = 0
    cut: str = ""
    reply: Answer | None = None
    late: Answer | None = None  # takes the place of the real answer, after the effect

    def answer(self) -> Answer | None:
        """The reply in place of the real one, if there is one."""
        return self.reply


class Nasty:
    """The profile in force, if any, and how often each kind struck."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._before: Json = {}
        self.clear()

    def clear(self) -> None:
        """Be kind again; knobs that a profile turned go back."""
        self._knobs.set(self._before)
        self._before = {}
        self.name, self.chance = "off", Chance(7)
        self._rates: dict[str, float] = {}
        self._latency_ms, self._in_a_row, self._callers = 0, 2, frozenset[str]()
        self._row: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.requests = 0

    def set(self, order: Json) -> None:
        """Put a profile in force: its name, a seed, and whatever shall differ from it."""
        wanted = {name: value for name, value in order.items() if name not in {"profile", "seed"}}
        name, seed = str(order.get("profile", "mild")), order.get("seed", 1)
        if name == "off":
            self.clear()
            return
        if name not in PROFILES or not isinstance(seed, (int, str)):
            raise ValueError(f"no such profile: '{name}', or no seed: {seed!r}")
        parts = {**PROFILES[name], **wanted}
        unknown = sorted(set(parts) - {*NAMES, *EVENTS, *LAGS, "latency_ms", "in_a_row", "callers"})
        bad = [kind for kind in NAMES if not 0 <= float(parts.get(kind, 0)) <= 1]
        if unknown or bad or int(parts.get("in_a_row", 2)) < 1:
            raise ValueError(f"no such kind, or no rate between 0 and 1: {', '.join(unknown + bad) or 'in_a_row'}")
        self.clear()
        self.name, self.chance = name, Chance(seed)
        self._rates = {kind: float(parts[kind]) for kind in NAMES if parts.get(kind)}
        self._latency_ms, self._in_a_row = int(parts.get("latency_ms", 50)), int(parts.get("in_a_row", 2))
        self._callers = frozenset(fold(str(each)) for each in parts.get("callers") or [])
        turned = {knob: parts[knob] for knob in (*EVENTS, *LAGS) if knob in parts}
        shown = self._knobs.show()
        self._before = {knob: shown[knob] for knob in turned}
        self._knobs.set(turned)

    def show(self) -> Json:
        """What is in force and what it did."""
        return {
            "profile": self.name,
            "seed": self.chance.seed,
            "rates": dict(self._rates),
            "latency_ms": self._latency_ms,
            "in_a_row": self._in_a_row,
            "callers": sorted(self._callers),
            "knobs": {name: self._knobs.show()[name] for name in self._before},
            "requests": self.requests,
            "struck": dict(self.struck),
        }

    def pick(self, method: str, target: Target, caller: str, oid: str) -> Strike | None:
        """What this request meets; None is the usual."""
        if self._callers and fold(caller) not in self._callers:
            return None
        self.requests += 1
        line = fold(f"{caller or oid}|{method}|{target.id}")
        occasion = self.chance.next(line)
        strike = Strike()
        if self._hits(LATENCY, occasion):
            strike.delay_ms = max(1, int(self._latency_ms * self.chance.draw("how long", occasion)))
            self.struck[LATENCY] += 1
        kind = next((each for each in STRIKES if self._hits(each, occasion)), "")
        if kind and self._row[line] < self._in_a_row:
            self._row[line] += 1
            self.struck[kind] += 1
            self._arm(strike, kind, self.chance.draw("form", occasion), target, method, oid)
            return strike
        self._row[line] = 0
        return strike if strike.delay_ms else None

    def luck(self, kind: str, *what: str) -> float:
        """A draw for what is no request: an event on its way."""
        return self.chance.draw(kind, self.chance.next(kind, *what))

    def _hits(self, kind: str, occasion: str) -> bool:
        rate = self._rates.get(kind)
        return rate is not None and self.chance.draw(kind, occasion) < rate

    def _arm(self, strike: Strike, kind: str, form: float, target: Target, method: str, oid: str) -> None:
        if kind in CUTS:
            strike.cut = CUTS[kind]
        elif kind == LATE:
            strike.late = envelope(504, form, target, method, oid)
        else:
            strike.reply = envelope(STATUSES[kind], form, target, method, oid, retry_after=kind == "throttled")

    def __bool__(self) -> bool:
        return bool(self._rates)


def described(nasty: Nasty) -> dict[str, Any]:
    """What a ready line says of it: enough to meet the same again."""
    return {"profile": nasty.name, "seed": nasty.chance.seed}
