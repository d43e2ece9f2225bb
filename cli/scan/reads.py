"""Reading Azure from a laptop: what is asked twice is read once, and what may work later is asked again, a few times.

The app leaves both to its queue. A scan has none, so that it waits here, and what still does not work then is a fact
like any other: it could not be read.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from shared.core.errors import Denied, RemediationError, Temporary

_TRIES = 6
_LONGEST = 60.0  # seconds; whatever Azure says, nobody at a terminal waits longer
_KEPT = 500  # answers; those of one vault are used within a few targets, and a list may hold megabytes


class Patience:
    """How long Azure is given. Throttling holds back every thread: the quota is one for all of them."""

    def __init__(self, tries: int = _TRIES) -> None:
        self._tries = tries
        self._lock = threading.Lock()
        self._open = 0.0  # when, by the monotonic clock, the next call may go out
        self.waited = 0  # calls that were asked again

    def ask[T](self, call: Callable[[], T]) -> T:
        """Ask, again where it may work later. Raises what the call raises, but Denied where it never got better."""
        number = 0
        while True:
            number += 1
            time.sleep(max(0.0, self._open - time.monotonic()))
            try:
                return call()
            except Temporary as error:
                if number == self._tries or error.reason == "NoToken":
                    raise Denied(error.reason, f"{error.message} (asked {number} times)") from error
                self._wait(error, number)

    def _wait(self, error: Temporary, number: int) -> None:
        delay = min(_LONGEST, 2.0 ** (number - 1) if error.delay is None else error.delay)
        with self._lock:
            self.waited += 1
            if error.delay is not None:
                self._open = max(self._open, time.monotonic() + delay)
        if error.delay is None:
            time.sleep(delay)


class _Slot:
    """One answer, or what was raised in its place; the lock makes the second who asks wait for the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_there = False
        self.answer: Any = None
        self.error: RemediationError | None = None


class Shelf:
    """The newest answers by what was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def get(self, asked: Hashable, ask: Callable[[], Any]) -> Any:
        """Return the answer, asking only where nobody has. What was refused once is refused again."""
        with self._lock:
            slot = self._slots.setdefault(asked, _Slot())
            self._slots.move_to_end(asked)
            if len(self._slots) > _KEPT:
                self._slots.popitem(last=False)
        with slot.lock:
            if not slot.is_there:
                try:
                    slot.answer = ask()
                except RemediationError as error:
                    slot.error = error
                slot.is_there = True
        if slot.error:
            raise slot.error
        return slot.answer


class Kept:
    """A port of reads whose answers are kept, and asked for with patience."""

    def __init__(self, port: object, patience: Patience, shelf: Shelf) -> None:
        self._port, self._patience, self._shelf = port, patience, shelf

    def __getattr__(self, name: str) -> Callable[..., Any]:
        ask = getattr(self._port, name)

        def kept(*args: Hashable) -> Any:
            asked = (type(self._port).__name__, name, *args)
            return self._shelf.get(asked, partial(self._patience.ask, partial(ask, *args)))

        return kept


class KeptGrants(Kept):
    """Grants alike; the first question about roles learns all built-in ones, and nobody else needs to meanwhile."""

    def __init__(self, port: object, patience: Patience, shelf: Shelf) -> None:
        super().__init__(port, patience, shelf)
        self._first, self._learnt = threading.Lock(), False

    def definitions(self, *args: Hashable) -> Any:
        """Return the definitions of roles."""
        ask = self.__getattr__("definitions")
        if self._learnt:
            return ask(*args)
        with self._first:
            found = ask(*args)
            self._learnt = True
            return found
