"""The figures as they are shown: each with its definition, its source, its goal, and the way to what is behind it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from shared.core.choices import LAYERS
from shared.core.figures import WINDOW
from shared.core.figures.census import Count, Group
from shared.core.figures.figures import Figures
from shared.core.figures.pace import ALL, Pace
from shared.core.figures.spread import Spread
from shared.core.figures.track import Way

_DAYS = WINDOW.days
type _Show = Callable[[Pace], Value]
BY = ("estate", "layer", "control", "owner", "cost-center", "subscription")  # what figures are grouped by


class Unit(StrEnum):
    """What a value counts."""

    PERCENT = "percent"
    SECONDS = "seconds"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Value:
    """One figure, of the whole or of a group. `value` is None where nobody can know it, and `unknown` says why.

    `parts` are the whole numbers that it is made of; `link` leads to the page of the console with what is behind it.
    """

    by: str
    key: str
    value: float | None
    unknown: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure with its groups. `goal` is what the deployment wants it to be, None where it has said nothing."""

    id: str
    title: str
    definition: str
    source: str
    unit: Unit
    whole: Value
    groups: tuple[Value, ...] = ()
    goal: int | None = None


def kpis(it: Figures, goals: Mapping[str, int]) -> tuple[Kpi, ...]:
    """Return every figure, in the order in which they are shown."""
    return (_compliance(it, goals), *_paces(it, goals), _missed(it), _rotation(it))


def _compliance(it: Figures, goals: Mapping[str, int]) -> Kpi:
    whole = _counted("estate", "all", it.count("estate", "all"), "/estate?worst=NonCompliant")
    groups = tuple(
        _counted(group.by, group.key, group.count, _behind(group))
        for by in BY
        for group in _ordered(it.groups, by)
        if (group.by, group.key) != ("estate", "all")
    )
    return Kpi(
        "compliance", "Compliance",
        "Targets whose worst verdict is compliant, of all that some control speaks of. What could not be judged counts as "
        "not compliant. By control: targets where that control holds; by layer: layers that hold, of those that must.",
        "the last judgement on every target", Unit.PERCENT, whole, groups, goals.get("compliance"),
    )  # fmt: skip


def _paces(it: Figures, goals: Mapping[str, int]) -> Iterable[Kpi]:
    history = "the hash-chained histories of all remediations"
    yield Kpi(
        "remediation", "Time to remediate",
        f"Mean time from the look that found it, seconds after the event, to the fresh read that shows it put right, of "
        f"findings that ended in the last {_DAYS} days. A finding that no control speaks of any more was put right by nobody "
        "and is left out.",
        history, Unit.SECONDS, *_each(it, _remedied), goals.get("remediation"),
    )  # fmt: skip
    yield Kpi(
        "approval", "Time to an answer",
        f"Mean time from the question to the last yes that it took, or to a no, of questions answered in the last {_DAYS} "
        "days. A plan that changes is another question. Those that nobody answered are counted beside it.",
        history, Unit.SECONDS, *_each(it, _answered), goals.get("approval"),
    )  # fmt: skip
    yield Kpi(
        "automatic", "Put right by itself",
        f"Of the findings that ended in the last {_DAYS} days, those that cmkwarden put right without asking. Approved: after "
        "a person's yes. Outside: without a write of cmkwarden's, or after its write had failed.",
        history, Unit.PERCENT, *_each(it, _automatic),
    )  # fmt: skip
    yield Kpi(
        "open", "Open findings", "Findings that stand now, whatever is being done about them.", history, Unit.COUNT,
        *_each(it, lambda pace: _value(pace, pace.open, "/history")),
    )  # fmt: skip
    yield Kpi(
        "reopened", "Came back",
        f"Findings of the last {_DAYS} days where the same had been put right before: somebody changes it back.",
        history, Unit.COUNT, *_each(it, lambda pace: _value(pace, pace.reopened, "/history")),
    )  # fmt: skip


def _missed(it: Figures) -> Kpi:
    found, why = (
        it.missed,
        "no sweep has looked over the estate a second time in these days; the first finds everything",
    )
    parts = {"sweeps": found.looks, "listed": found.listed, "unread": found.unread} if found else {}
    value = Value("estate", "all", found.found if found else None, "" if found else why, parts, "/estate")
    return Kpi(
        "missed", "Found without an event",
        f"Targets that the sweeps of the last {_DAYS} days found new, changed or gone, and of which no event had told. Where "
        "subscriptions could not be read it is at least so many.",
        "the shares of all surveys", Unit.COUNT, value,
    )  # fmt: skip


def _rotation(it: Figures) -> Kpi:
    value = _counted("estate", "all", it.rotation, "/history?control=KEY-ROTATION")
    if value.value is None:
        value = Value("estate", "all", None, "KEY-ROTATION has judged nothing yet")
    return Kpi(
        "rotation", "Keys rotated in time", "Verdicts of KEY-ROTATION that are compliant, of all that it speaks of.",
        "the last judgement on every target", Unit.PERCENT, value,
    )  # fmt: skip


def _counted(by: str, key: str, count: Count, link: str) -> Value:
    parts = {"compliant": count.compliant, "noncompliant": count.noncompliant, "unknown": count.unknown}
    value = None if count.permille is None else count.permille / 10
    return Value(by, key, value, "" if count.of else "nothing was judged yet that it speaks of", parts, link)


def _ordered(groups: Iterable[Group], by: str) -> Iterable[Group]:
    """Return the groups of a kind: layers in their own order, all others with the worst first."""
    found = [it for it in groups if it.by == by]
    return sorted(found, key=lambda it: LAYERS.index(it.key) if it.key in LAYERS else len(LAYERS))


def _behind(group: Group) -> str:
    match group.by:
        case "control":
            return f"/history?control={quote(group.key)}"
        case "layer" | "estate":
            return "/estate?worst=NonCompliant"
        case _:
            return f"/estate?q={quote(group.key, safe='')}" if group.key else ""


def _each(it: Figures, shown: "_Show") -> tuple[Value, tuple[Value, ...]]:
    """Return a figure of all rows, and of each control."""
    return shown(it.pace()), tuple(shown(pace) for pace in it.paces if pace.control != ALL)


def _value(pace: Pace, value: float | None, link: str, unknown: str = "", **parts: int) -> Value:
    query = "&".join(filter(None, [f"control={quote(pace.control)}" if pace.control else "", link.partition("?")[2]]))
    address = link.partition("?")[0] + (f"?{query}" if query else "")
    return Value("control" if pace.control else "estate", pace.control or "all", value, unknown, parts, address)


def _remedied(pace: Pace) -> Value:
    found = pace.remedied
    why = "" if found else f"nothing was put right in the last {_DAYS} days"
    return _value(pace, found.mean if found else None, "/history?state=resolved", why, **_spread(found))


def _answered(pace: Pace) -> Value:
    found = pace.answered
    why = "" if found else f"no question was answered in the last {_DAYS} days"
    now = {"waiting": pace.waiting, "expired": pace.expired}
    return _value(pace, found.mean if found else None, "/", why, **_spread(found), **now)


def _automatic(pace: Pace) -> Value:
    counts = {way.value: pace.ended.get(way, 0) for way in Way}
    total = sum(counts.values())
    value = 1000 * counts[Way.AUTOMATIC] // total / 10 if total else None
    why = "" if total else f"nothing was put right in the last {_DAYS} days"
    return _value(pace, value, "/history?state=resolved", why, **counts)


def _spread(found: Spread | None) -> Mapping[str, int]:
    if found is None:
        return {}
    return {"count": found.count, "median": found.median, "p90": found.p90, "longest": found.longest}
