"""The taxonomy of what can go wrong, and what follows from each kind.

Adapters translate once into these classes; `evaluate` and `apply` catch by class at their top and nowhere else.
Whatever is none of these is a bug and must rise: the host retries, then the poison queue records it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class RemediationError(Exception):
    """Something that is not a bug stands in the way. `reason` is CamelCase for machines, `message` for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Temporary(RemediationError):  # noqa: N818 - a kind of situation, named as the design names it
    """It may work later: throttled, a 5xx, a lost connection, still being created.

    `delay` is how many seconds to wait before the next try, or None where Azure did not say.
    """

    def __init__(self, reason: str, message: str, delay: float | None = None) -> None:
        super().__init__(reason, message)
        self.delay = delay


class Conflict(RemediationError):  # noqa: N818
    """Somebody else was faster: the row or the resource has changed. Evaluate again from the start."""


class PlanChanged(Conflict):
    """What would be written now is not what was decided or agreed to: that plan is over."""


class RowChanged(Conflict):
    """A row was changed by somebody else since it was read: whatever we were doing with it is theirs now."""


class Denied(RemediationError):  # noqa: N818
    """Azure will not let us: no permission, a lock, a policy. Trying again changes nothing; a person must act."""


class Refused(RemediationError):  # noqa: N818
    """We will not do it: a guard rail, no approval, a superseded plan. Never tried again by itself.

    `extra` are further members of the problem document, as the difference between the plan seen and the plan of now.
    """

    def __init__(self, reason: str, message: str, extra: Mapping[str, Any] = _NOTHING) -> None:
        super().__init__(reason, message)
        self.extra = extra


class BadInput(RemediationError):  # noqa: N818
    """An event, message, request or ARM answer that cannot be understood. The message says what was wrong."""


class IllegalTransition(RemediationError):  # noqa: N818
    """A remediation was asked to go where its state does not lead: our bug, or a race that must be seen."""
