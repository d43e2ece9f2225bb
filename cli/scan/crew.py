"""A few threads that work through a list. They are daemons: Ctrl-C must not wait for an answer that is still to come."""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue

HANDS = 8  # at 25 reads a second, which is what Azure refills, more would only be told to wait (AZURE 7)


def each[T, R](work: Callable[[T], R], items: Sequence[T], hands: int = HANDS) -> Iterator[R]:
    """Yield what came of each item, as it comes. What a thread raises is raised here, and ends it all."""
    todo: SimpleQueue[T] = SimpleQueue()
    done: SimpleQueue[tuple[R | None, BaseException | None]] = SimpleQueue()
    for item in items:
        todo.put(item)

    def toil() -> None:
        while True:
            try:
                item = todo.get_nowait()
            except Empty:
                return
            try:
                done.put((work(item), None))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                done.put((None, error))
                return

    for _ in range(min(hands, len(items))):
        threading.Thread(target=toil, daemon=True).start()
    for _ in items:
        result, error = done.get()
        if error is not None:
            raise error
        yield result  # type: ignore[misc]  # no error, so there is a result, None among them
