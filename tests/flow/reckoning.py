"""Every figure once more, from the raw histories, judgements and surveys, by code that shares nothing with the product's.

Written from the definitions that people read on the page, as plainly as can be: whole lists instead of one entry at a time,
fractions instead of whole numbers.
"""

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.fakes import World

_BAD = ["NonCompliant", "Unknown", "Compliant", "NotApplicable"]  # the worst first


def reckoned(world: World, prices: str = "") -> dict[str, Any]:
    """Return what the figures must be at this very moment, keys at these prices, as the setting has them."""
    now = world.clock.now()
    since = now - timedelta(days=30)
    histories = [(stored.row.control, world.records.past[name]) for name, stored in world.records.rows.items()]
    controls = {control for control, _ in histories}
    return {
        "groups": _groups(world),
        "paces": {
            name: _pace([past for control, past in histories if name in {"", control}], since)
            for name in controls | {""}
        },
        "missed": _missed(world, since),
        "age": _age(world, now),
        "cost": _spent(world, prices) if prices else None,
        "rotation": _count(
            [r.verdict for it in world.estate.kept.values() for r in it.rulings if r.control == "KEY-ROTATION"]
        ),
        "rows": len(world.records.rows),
        "targets": len(world.estate.kept),
    }


def share(compliant: int, of: int) -> float | None:
    """Return a rate in percent, rounded down to a tenth."""
    return float(Fraction(math.floor(Fraction(compliant, of) * 1000), 10)) if of else None


def _groups(world: World) -> dict[tuple[str, str], tuple[int, int, int, float | None]]:
    found: dict[tuple[str, str], list[str]] = {}
    for target, it in world.estate.kept.items():
        production = set(it.environments) & {"production", "prod", "prd"}
        keys = [("owner", it.owner), ("cost-center", it.cost_center), ("subscription", target.split("/")[2])]
        for key in [("estate", "all"), *([("estate", "production")] if production else []), *keys]:
            found.setdefault(key, []).append(it.worst)
        for control in {r.control for r in it.rulings}:
            worst = min((r.verdict for r in it.rulings if r.control == control), key=_BAD.index)
            found.setdefault(("control", control), []).append(worst)
        for layer in it.layers:
            plain = {"compliant": "Compliant", "non-compliant": "NonCompliant", "not applicable": "NotApplicable"}
            found.setdefault(("layer", layer.layer), []).append(plain.get(layer.verdict, "Unknown"))
    return {key: (*_count(verdicts), _rate(verdicts)) for key, verdicts in found.items()}


def _count(verdicts: Sequence[str]) -> tuple[int, int, int]:
    return verdicts.count("Compliant"), verdicts.count("NonCompliant"), verdicts.count("Unknown")


def _rate(verdicts: Sequence[str]) -> float | None:
    counted = [it for it in verdicts if it != "NotApplicable"]
    return share(counted.count("Compliant"), len(counted))


def _pace(histories: Sequence[Sequence[Any]], since: datetime) -> dict[str, Any]:
    episodes = [it for past in histories for it in _episodes(past)]
    questions = [it for past in histories for it in _questions(past)]
    ended = [(begin, end, way) for begin, end, way, _ in episodes if end and end >= since]
    answered = [(b - a) for a, b, end in questions if b and b >= since and end in {"approved", "rejected"}]
    waiting = [a for a, b, _ in questions if b is None]
    return {
        "open": sum(end is None for _, end, _, _ in episodes),
        "remedied": _spread([end - begin for begin, end, _ in ended]),
        "ended": {way: n for way in ("automatic", "approved", "outside") if (n := [it[2] for it in ended].count(way))},
        "reopened": sum(begin >= since for begin, _, _, again in episodes if again),
        "answered": _spread(answered),
        "expired": sum(end == "expired" and b >= since for _, b, end in questions if b),
        "waiting": len(waiting),
        "oldest": min(waiting) if waiting else None,
    }


def _episodes(past: Sequence[Any]) -> list[tuple[datetime, datetime | None, str, bool]]:
    """Return begin, end, way and whether it came back. A finding that stands has no end; one withdrawn is left out."""
    found: list[tuple[datetime, datetime | None, str, bool]] = []
    at, right = 0, False
    while True:
        begins = [n for n in range(at, len(past)) if _says(past[n], "NonCompliant")]
        if not begins:
            return found
        begin = begins[0]
        after = range(begin + 1, len(past))
        ends = [n for n in after if past[n].state == "resolved" or _withdrawn(past[n])]
        if not ends:
            found.append((past[begin].time, None, "", right))
            return found
        end = ends[0]
        if not _withdrawn(past[end]):
            found.append((past[begin].time, past[end].time, _way(past[begin:end]), right))
        right = not _withdrawn(past[end])
        at = end + 1


def _says(entry: Any, verdict: str) -> bool:
    return bool(entry.event == "evaluated" and entry.detail["verdict"] == verdict)


def _withdrawn(entry: Any) -> bool:
    return entry.state == "superseded" and _says(entry, "NotApplicable")


def _way(entries: Sequence[Any]) -> str:
    events = [it.event for it in entries]
    last = next((it for it in reversed(events) if it in {"writing", "failed", "superseded"}), "")
    if last != "writing":
        return "outside"
    return "approved" if "approved" in events else "automatic"


def _questions(past: Sequence[Any]) -> list[tuple[datetime, datetime | None, str]]:
    """Return when each was asked and ended, and how. One that went away unanswered is left out."""
    found = []
    states = [str(it.state) for it in past]
    plans = [_plan(past[: n + 1]) for n in range(len(past))]
    for n in range(len(past)):
        if states[n] != "awaiting_approval" or (n + 1 < len(past) and states[n + 1] == "awaiting_approval"):
            continue  # not the last entry of a time of waiting
        begin = n
        while begin and states[begin - 1] == "awaiting_approval" and plans[begin - 1] == plans[begin]:
            begin -= 1
        if past[begin].reason == "AwaitsConfirmation":
            continue
        end = past[n + 1] if n + 1 < len(past) else None
        if end is None or end.event in {"approved", "rejected", "expired"}:
            found.append((past[begin].time, end.time if end else None, end.event if end else ""))
    return found


def _plan(past: Sequence[Any]) -> str:
    return next((it.detail.get("fingerprint", "") for it in reversed(past) if it.event == "evaluated"), "")


def _spread(values: Sequence[timedelta]) -> dict[str, int] | None:
    if not values:
        return None
    ordered = sorted(math.floor(it.total_seconds()) for it in values)
    mean = math.floor(Fraction(sum(ordered), len(ordered)))
    return {
        "count": len(ordered), "mean": mean, "median": _reached(ordered, Fraction(1, 2)),
        "p90": _reached(ordered, Fraction(9, 10)), "longest": max(ordered),
    }  # fmt: skip


def _reached(values: Sequence[int], part: Fraction) -> int:
    return next(it for it in values if Fraction(sum(other <= it for other in values), len(values)) >= part)


def _age(world: World, now: datetime) -> dict[str, Any]:
    made: dict[tuple[str, str, str], set[datetime | None]] = {}
    for it in world.estate.kept.values():
        for key in it.keys:
            made.setdefault((key.host, key.name, key.version), set()).add(key.made)
    known = [max(it for it in times if it) for times in made.values() if any(times)]
    found = _spread([now - it for it in known])
    return {
        "limit": 365 * 86_400,
        "young": sum(now - it < timedelta(days=365) for it in known),
        "old": sum(now - it >= timedelta(days=365) for it in known),
        "unknown": len(made) - len(known),
        "median": found["median"] if found else None,
        "oldest": found["longest"] if found else None,
    }


type Spent = tuple[Fraction | None, int, int, int, bool]


def _spent(world: World, prices: str) -> dict[tuple[str, str], Spent]:
    """Return what each vault, workspace and group costs: amount, vaults in it, vaults not in it, calls, whether it says why."""
    table = {}
    for word in prices.split(",")[1:]:
        name, month, price, many = re.split(r"=|/month\+|/", word.strip())
        table[name] = (Fraction(month), Fraction(price) / int(many))
    vaults = {it.name: it for it in world.estate.kept.values() if it.kind.endswith("/vaults")}
    users = [it for it in world.estate.kept.values() if it.vaults]
    each = {name: _of_vault(world, it, users, table) for name, it in vaults.items()}
    found = {("vault", vaults[name].target): _sum([it], alone=True) for name, it in each.items()}
    for it in users:
        named = [host.split(".")[0] for host in it.vaults]
        shared = any(sum(f"{name}.vault.azure.net" in other.vaults for other in users) > 1 for name in named)
        is_blank = shared or not set(named) <= set(each)
        parts = [each[name] for name in named if name in each]
        found["workspace", it.target] = (None, 0, len(named), 0, True) if is_blank else _sum(parts)
    for it in vaults.values():
        for by, key in _tags(it):
            found[by, key] = _sum([each[other] for other, vault in vaults.items() if (by, key) in _tags(vault)])
    found["estate", "all"] = _sum(list(each.values()))
    return found


def _tags(it: Any) -> list[tuple[str, str]]:
    return [("owner", it.owner), ("cost-center", it.cost_center), ("subscription", it.target.split("/")[2])]


def _of_vault(world: World, it: Any, users: Sequence[Any], table: dict[str, Any]) -> tuple[Fraction | None, int]:
    """Return what a vault costs, None where nobody can say, and how often it was called."""
    host, target = f"{it.name}.vault.azure.net", it.target.lower()
    keys: dict[str, set[str]] = {}
    for user in users:
        for key in user.keys:
            if key.host == host:
                keys.setdefault(key.name, set()).add(f"{key.kind}-{key.size}")
    series, reading = world.vaults.hits.get(target, {}), world.figures.meters.get(target)
    if reading is None or isinstance(series, Exception) or reading.until <= world.clock.now() - timedelta(days=2):
        return None, 0
    days = [f"{reading.until - timedelta(days=n):%Y-%m-%d}" for n in range(1, 31)]
    counts = [series[day] for day in days if day in series]
    if not counts or any(len(types) > 1 or not types <= set(table) for types in keys.values()):
        return None, 0
    priced = [table[min(types)] for types in keys.values()]
    if sum(counts) and len({operation for _, operation in priced}) != 1:
        return None, 0
    fixed = sum((month for month, _ in priced), Fraction(0))
    return fixed + sum(counts) * max((operation for _, operation in priced), default=Fraction(0)), sum(counts)


def _sum(parts: Sequence[tuple[Fraction | None, int]], *, alone: bool = False) -> Spent:
    known = [it for it in parts if it[0] is not None]
    amount = sum((it[0] or Fraction(0) for it in known), Fraction(0)) if known else None
    lacks = len(parts) - len(known)
    return amount, len(known), lacks, sum(it[1] for it in known), bool(lacks) or (alone and amount is None)


def _missed(world: World, since: datetime) -> dict[str, int] | None:
    ended = [it for it in world.surveys.kept.values() if all(share.progress != "waiting" for share in it.shares)]
    first = min((it.began for it in world.surveys.kept.values()), default=None)
    counted = [it for it in ended if it.began >= since and it.began != first]
    shares = [share for it in counted for share in it.shares]
    if not counted:
        return None
    return {
        "looks": len(counted),
        "listed": sum(it.listed for it in shares),
        "found": sum(it.missed + it.changed + it.gone for it in shares),
        "unread": sum(it.progress == "unread" for it in shares),
    }
