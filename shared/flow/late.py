"""What could not be read in this look and may be readable later: it holds back the controls that rest on it, and no other."""

from collections.abc import Callable, Iterable

from shared.core.control import Control
from shared.core.errors import Temporary

# What was to be read (the words of Control.needs, and `access`, `surroundings`) -> why it could not be. Whoever hands
# None instead of one of these judges all or nothing: Temporary rises.
type Late = dict[str, Temporary]


def put_off[T](late: Late | None, need: str, ask: Callable[[], T]) -> T | None:
    """Ask; what may be answered later is noted as late, and None is returned: nobody has asked."""
    try:
        return ask()
    except Temporary as error:
        if late is None:
            raise
        late.setdefault(need, error)
        return None


def holds_back(late: Late | None, control: Control) -> Temporary | None:
    """Return why this control cannot be judged now, None where it can."""
    return next((error for need, error in (late or {}).items() if rests_on(control, need)), None)


def rests_on(control: Control, need: str) -> bool:
    """Whether nothing can be said of a control without this."""
    match need:
        case "surroundings":
            return control.looks_around
        case "access":
            return control.takes_away
        case "roles":
            return control.takes_away or need in control.needs
        case _:
            return need in control.needs


def worst(late: Iterable[Temporary]) -> Temporary:
    """Return the failure that asks for the longest wait: whoever comes back for all comes when all may work."""
    return max(late, key=lambda error: error.delay or 0.0)
