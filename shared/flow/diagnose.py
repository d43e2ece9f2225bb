"""The doctor, from inside: everything the app leans on is looked at, read only, and each fault is named with what to do.

The looks (`rounds/`) run side by side and have a time after which they count as not done: what could not be looked at is
`unknown`, never a pass. The writer is judged by the roles that the reader sees; nothing is tried under it.
"""

from concurrent.futures import Future, ThreadPoolExecutor, wait

from shared.core.checkup import Check, Result
from shared.core.errors import Denied, RemediationError
from shared.core.ports import Ports
from shared.flow.rounds import Look, events, rights, setup, work

LIMIT = 20.0  # seconds for all looks together: a person waits
LOOKS = (*rights.LOOKS, *events.LOOKS, *work.LOOKS, *setup.LOOKS)
_AT_ONCE = 8


def diagnose(ports: Ports, limit: float = LIMIT) -> tuple[Check, ...]:
    """Look at everything; return what was found, in a fixed order. Takes about `limit` seconds at most."""
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="doctor")
    try:
        begun = [(look, pool.submit(_looked, ports, look)) for look in LOOKS]
        wait([future for _, future in begun], timeout=limit)
        return tuple(check for look, future in begun for check in _outcome(look, future, limit))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _looked(ports: Ports, look: Look) -> tuple[Check, ...]:
    try:
        return tuple(look.run(ports))
    except RemediationError as error:
        result = Result.FAIL if isinstance(error, Denied) else look.temporary
        return (Check(look.name, look.area, result, f"{error.reason}: {error.message}", look.todo),)


def _outcome(look: Look, future: "Future[tuple[Check, ...]]", limit: float) -> tuple[Check, ...]:
    if future.done():
        return future.result()  # a bug rises here
    return (Check(look.name, look.area, Result.UNKNOWN, f"it was not done within {limit:.0f} seconds", look.todo),)
