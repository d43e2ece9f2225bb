"""The figures as they are shown: each with its definition, its source, its goal, and the way to what is behind it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from urllib.parse import quote

from shared.core import ids
from shared.core.choices import LAYERS
from shared.core.figures import WINDOW
from shared.core.figures.census import Count, Group
from shared.core.figures.cost import Sum
from shared.core.figures.figures import Figures
from shared.core.figures.pace import ALL, Pace
from shared.core.figures.spread import Spread
from shared.core.figures.track import Way

_DAYS = WINDOW.days
type _Show = Callable[[Pace], Value]
# What figures are grouped by.
BY = ("estate", "layer", "control", "owner", "cost-center", "subscription", "workspace", "vault")
_CENT = Decimal("0.0001")  # to what amounts are rounded down: operations are cheap


class Unit(StrEnum):
    """What a value counts."""

    PERCENT = "percent"
    SECONDS = "seconds"
    COUNT = "count"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Value:
    """One figure, of the whole or of a group. `value` is None where nobody can know it, and `unknown` says why.

    `lacking` says what is not in a value of which only a part is known: it is at least so much.
    `parts` are the whole numbers that it is made of; `link` leads to the page of the console with what is behind it.
    """

    by: str
    key: str
    value: float | None
    unknown: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)
    link: str = ""
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure with its groups. `goal` is what the deployment wants it to be, None where it has said nothing.

    `currency` is that of money (ISO 4217), '' for anything else.
    """

    id: str
    title: str
    definition: str
    source: str
    unit: Unit
    whole: Value
    groups: tuple[Value, ...] = ()
    goal: int | None = None
    currency: str = ""


def kpis(it: Figures, goals: Mapping[str, int]) -> tuple[Kpi, ...]:
    """Return every figure, in the order in which they are shown."""
    return (_compliance(it, goals), *_paces(it, goals), _missed(it), _rotation(it), _age(it), _cost(it))


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


def _age(it: Figures) -> Kpi:
    found, link = it.age, "/history?control=KEY-ROTATION"
    value = Value("estate", "all", None, "no key of a workspace was looked at yet", link=link)
    if found and found.permille is not None:
        times = {"median": found.median, "oldest": found.oldest}
        known = {name: number for name, number in times.items() if number is not None}
        parts = {"young": found.young, "old": found.old, "unknown": found.unknown, **known}
        value = Value("estate", "all", found.permille / 10, parts=parts, link=link)
    limit = f" ({found.limit // 86_400} days)" if found else ""
    return Kpi(
        "age", "Keys young enough",
        f"Versions of keys in use, each once, that are younger than CMK_KEY_AGE{limit}, of all in use. A version whose age "
        "nobody can say counts as too old.",
        "when each version was made, as the last look at each workspace has found it", Unit.PERCENT, value,
    )  # fmt: skip


def _cost(it: Figures) -> Kpi:
    found = it.cost
    why = "no prices are set: CMK_PRICES"
    whole = _spent(found.whole) if found else Value("estate", "all", None, why)
    groups = tuple(_spent(each) for by in BY for each in (found.groups if found else ()) if each.by == by)
    return Kpi(
        "cost", f"Key cost in {_DAYS} days",
        f"Calls to each vault in the last {_DAYS} whole days, times the price of one operation with its keys, and for each key "
        "that a workspace uses the price of a month, all by CMK_PRICES: an estimate, no bill. A workspace has a cost where no "
        "other uses its vaults: what is shared is not divided, for nobody counts calls by key. Owner, cost centre and "
        "subscription are those of the vault. What is unknown is left out of a sum, which then says at least.",
        "Azure Monitor's count of calls to each vault (ServiceApiHit), the last look at each workspace, CMK_PRICES",
        Unit.MONEY, whole, groups, currency=found.currency if found else "",
    )  # fmt: skip


def _spent(it: Sum) -> Value:
    link = ""
    if it.by in {"workspace", "vault"}:
        link = f"/estate?kind={it.by}s&q={quote(ids.parse(it.key).name, safe='')}"
    elif it.key and it.by != "estate":
        link = f"/estate?kind=vaults&q={quote(it.key, safe='')}"
    parts = {"vaults": it.counted, "unknown": it.unknown, "calls": it.hits, "keys": it.keys}
    if it.amount is None:
        return Value(it.by, it.key, None, it.why or "no vault is looked at", parts, link)
    return Value(it.by, it.key, money(it.amount), "", parts, link, it.why)


def money(amount: Decimal | None) -> float | None:
    """Return an exact amount as it is shown, rounded down to a ten-thousandth. Nothing is reckoned with it any more."""
    return None if amount is None else float(amount.quantize(_CENT, ROUND_DOWN))


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
