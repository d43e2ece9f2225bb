"""Whether work goes on: storage, queues, what was given up, what the night has left, writes that no event told us of."""

from collections.abc import Iterable, Iterator

from shared.core.checkup import Check, Result, work
from shared.core.ports import PoisonRecord, Ports, Seen
from shared.core.record import Remediation, State
from shared.flow.messages import APPLY, EVALUATE, NOTIFY
from shared.flow.rounds import Look, estate

_PAGES, _PAGE = 5, 200  # of records that are gone through
_BLINK = 3.0  # seconds in which a message that is visible is taken: the host asks every two
_FEW = 10  # subscriptions whose Activity Log is read: it is slow
_QUEUES = (EVALUATE, APPLY, NOTIFY, "wake")


def _tables(ports: Ports) -> Iterator[Check]:
    ports.vitals.tables()
    yield Check("tables", "storage", Result.PASS, "the records can be read")


def _queues(ports: Ports) -> Iterator[Check]:
    """Look at what waits, and again a moment later: what is old and still there is taken by nobody."""
    first = {queue: ports.vitals.backlog(queue) for queue in (*_QUEUES, *(f"{it}-poison" for it in _QUEUES))}
    missing = [queue for queue in _QUEUES if first[queue] is None]
    if missing:
        yield Check(
            "queues", "storage", Result.FAIL, f"there is no queue {', '.join(missing)}: no app has ever worked on it",
            "start the app that serves it (CMK_PART); its host creates the queue",
        )  # fmt: skip
    late = ports.clock.now() - work.LATE
    old = {queue: {key for key, sent in found.first.items() if sent < late} for queue, found in first.items() if found}
    if any(old.values()):
        ports.clock.sleep(_BLINK)
    stuck = [queue for queue, keys in old.items() if keys and keys & {*_first(ports, queue)}]
    if stuck:
        yield Check(
            "backlog", "work", Result.FAIL, f"messages lie on {', '.join(stuck)} for more than {work.LATE.seconds // 60} minutes and nobody takes them",
            "look whether that app runs, and at its log; two apps must share one storage account",
        )  # fmt: skip
    if not missing and not stuck:
        yield Check(
            "queues",
            "storage",
            Result.PASS,
            f"{sum(it.waiting for it in first.values() if it)} messages wait, none of them for long",
        )


def _first(ports: Ports, queue: str) -> Iterable[str]:
    found = ports.vitals.backlog(queue)
    return found.first if found else ()


def _poison(ports: Ports) -> Iterator[Check]:
    found, cursor = list[PoisonRecord](), ""
    for _ in range(_PAGES):
        page = ports.records.poison_page(cursor=cursor, limit=_PAGE)
        found += page.items
        cursor = page.cursor
        if not cursor:
            break
    yield work.poison(found, ports.clock.now())


def _sweep(ports: Ports) -> Iterator[Check]:
    yield work.swept(_unfinished(ports), ports.choices, ports.clock.now())


def _survey(ports: Ports) -> Iterator[Check]:
    yield work.surveyed(next(iter(ports.surveys.latest(1)), None), ports.clock.now())


def _unfinished(ports: Ports) -> Iterator[Remediation]:
    states, cursor = (State.QUEUED, State.APPLYING, State.FAILED, State.AWAITING_APPROVAL), ""
    for _ in range(_PAGES):
        page = ports.records.page(states=states, control="", target="", cursor=cursor, limit=_PAGE)
        yield from page.items
        cursor = page.cursor
        if not cursor:
            return


def _events(ports: Ports) -> Iterator[Check]:
    """Compare what the Activity Log tells of with what we have looked at since: the only sight of a lost event."""
    now = ports.clock.now()
    since, until = work.told(now, ports.choices)
    subscriptions = estate(ports)
    found = [it for subscription in subscriptions[:_FEW] for it in ports.vitals.written(subscription, since)]
    last = {it.target.key: it for it in sorted(found, key=lambda it: it.time) if it.time < until}
    yield work.events(len(last), [str(it.target) for it in last.values() if not _is_seen(ports, it)])
    if len(subscriptions) > _FEW:
        left = f"the Activity Log of {len(subscriptions) - _FEW} more subscriptions was not read: {_FEW} are all there is time for"
        yield Check("events", "work", Result.UNKNOWN, left)


def _is_seen(ports: Ports, written: Seen) -> bool:
    """Whether a look at the target has begun since; storage stamps looks in whole seconds."""
    gather = ports.records.known(written.target).gather
    return gather is not None and gather.began >= written.time.replace(microsecond=0)


_STORAGE = "look at AzureWebJobsStorage and its roles: Storage Blob Data Owner, Queue and Table Data Contributor"
LOOKS = (
    Look("tables", "storage", _tables, _STORAGE, Result.FAIL),
    Look("queues", "storage", _queues, _STORAGE, Result.FAIL),
    Look("poison", "work", _poison, _STORAGE),
    Look("sweep", "work", _sweep, _STORAGE),
    Look("survey", "work", _survey, _STORAGE),
    Look("events", "work", _events, "look at the Activity Log yourself: was everything that it tells of looked at?"),
)
