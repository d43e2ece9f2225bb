"""Whether work goes on: what waits too long, what was given up, what the night has left lying, which clock is wrong. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.core.checkup import Check, Result
from shared.core.checkup.rights import listed
from shared.core.choices import Choices
from shared.core.ports.values import PoisonRecord
from shared.core.question import is_over
from shared.core.record import BUSY, Remediation, State
from shared.core.survey import Survey

LATE = timedelta(minutes=15)  # a message that is visible is taken within seconds
NIGHT = timedelta(hours=26)  # a sweep comes every day; two hours for it to be done
FRESH = timedelta(days=7)  # older poison has been seen by whoever was going to see it
_HOUR = timedelta(hours=1)
_ON_ITS_WAY = timedelta(minutes=5)  # Event Grid needs seconds, the Activity Log minutes
_OFF, _ODD = timedelta(seconds=60), timedelta(seconds=10)  # between two clocks; tokens are taken with a minute's leeway


def poison(records: Sequence[PoisonRecord], now: datetime) -> Check:
    """Say what could not be worked on and what nobody has tried again."""
    left = [it for it in records if not it.redriven and it.time > now - FRESH]
    again = [it for it in left if it.what.body]
    if again:
        return Check(
            "poison", "work", Result.FAIL,
            f"{len(again)} could not be worked on in the last week: {listed([f'{it.id} ({it.what.source}, {it.what.reason})' for it in again])}",
            "read GET /api/poison, mend the cause, then POST /api/poison/{id}/redrive",
        )  # fmt: skip
    if left:
        return Check(
            "poison", "work", Result.WARN,
            f"{len(left)} made no sense in the last week: {listed([f'{it.id} ({it.what.source}, {it.what.reason})' for it in left])}",
            "read GET /api/poison; nothing of them is kept, so that nothing can be tried again",
        )  # fmt: skip
    return Check("poison", "work", Result.PASS, "nothing was given up in the last week")


def swept(rows: Iterable[Remediation], choices: Choices, now: datetime) -> Check:
    """Say whether something lies there that a sweep of last night would have seen to."""
    left = [row for row in rows if _is_left(row, choices, now)]
    if left:
        oldest = min(left, key=lambda row: row.updated)
        return Check(
            "sweep", "work", Result.FAIL,
            f"the nightly sweep has left {len(left)} records lying, {oldest.id} ({oldest.state}) since {oldest.updated.isoformat()}",
            "look at the function `sweep`: is it there, switched on, and is CMK_SWEEP_SCHEDULE right?",
        )  # fmt: skip
    return Check("sweep", "work", Result.PASS, "nothing lies there that a nightly sweep would have seen to")


def surveyed(last: Survey | None, now: datetime) -> Check:
    """Say whether the estate is looked over each night, and whether all of it could be read."""
    if last is None:
        said = "the estate has not been looked over yet: the first night has not come"
        return Check("survey", "work", Result.WARN, said, "wait for it, or begin one: cmkwarden sweep")
    if now - last.began > NIGHT:
        said = f"the estate was looked over last at {last.began.isoformat()}"
        todo = "look at the function `sweep`: is it there, switched on, and is CMK_SWEEP_SCHEDULE right?"
        return Check("survey", "work", Result.FAIL, said, todo)
    if last.unread:
        problem = next(share.problem for share in last.shares if share.subscription == last.unread[0])
        said = f"{len(last.unread)} subscriptions could not be read, as {last.unread[0]}: {problem}"
        return Check(
            "survey",
            "work",
            Result.FAIL,
            said,
            "give the reader its role there, or leave them out of CMK_SUBSCRIPTIONS",
        )
    listed = sum(share.listed for share in last.shares)
    said = f"the last one saw {listed} targets, {last.found} of which no event had told"
    return Check("survey", "work", Result.PASS, said)


def _is_left(row: Remediation, choices: Choices, now: datetime) -> bool:
    since = now - NIGHT
    if row.state in BUSY:
        return row.updated < since - choices.claim
    if row.state is State.FAILED and not row.is_wished:
        return row.updated < since
    return is_over(row, choices, since)


def told(now: datetime, choices: Choices) -> tuple[datetime, datetime]:
    """Return from when to when a write must have been looked at by now."""
    return now - _HOUR, now - max(_ON_ITS_WAY, 2 * choices.gap)


def events(told_of: int, missed: Sequence[str]) -> Check:
    """Say which writes nobody has looked at. Where nothing was written, nothing shows whether events arrive."""
    if missed:
        return Check(
            "events", "work", Result.FAIL, f"written within the hour, and nobody has looked since: {listed(missed)}",
            "deploy infra/event_subscriptions.json there; look at the dead letters of the event subscriptions",
        )  # fmt: skip
    said = (
        f"all {told_of} that were written in the last hour were looked at"
        if told_of
        else "no write has gone unseen; there was none in the last hour"
    )
    return Check("events", "work", Result.PASS, said)


def clock(where: str, theirs: datetime, before: datetime, after: datetime) -> Check:
    """Compare a clock with the app's own, which was read before and after the question. Theirs knows whole seconds."""
    off = max(before - theirs - timedelta(seconds=1), theirs - after, timedelta(0))
    name = f"clock-{where.lower().replace(' ', '-')}"
    if off < _ODD:
        return Check(name, "clocks", Result.PASS, f"the app's clock agrees with that of {where}")
    return Check(
        name, "clocks", Result.FAIL if off > _OFF else Result.WARN,
        f"the app's clock and that of {where} are {off.total_seconds():.0f} seconds apart",
        "restart the app on another instance; tokens and leases depend on the time",
    )  # fmt: skip
