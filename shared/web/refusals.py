"""What the door itself refuses, before any verb of the flow is asked. The class's name is the reason of the problem.

docs/problems.md says of each what it means and what to do about it; a test keeps it whole.
"""

from typing import ClassVar


class Turned(Exception):  # noqa: N818 - a situation, as in core/errors.py
    """A request that is turned away. The text says why, without quoting a token."""

    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds; 0: trying again changes nothing

    @property
    def reason(self) -> str:
        """The word for machines."""
        return type(self).__name__


class NotSignedIn(Turned):
    """There is no token, or none that counts."""

    status, title = 401, "Sign in"


class NotAllowed(Turned):
    """The caller is known and may not do this."""

    status, title = 403, "Not allowed"


class CrossSite(Turned):
    """A browser sent this on behalf of another site, or nothing shows that it did not."""

    status, title = 403, "From another site"


class Stale(Turned):
    """`If-Match` names a version that is not the current one."""

    status, title = 412, "Read again"


class NotJson(Turned):
    """The body is not said to be JSON."""

    status, title = 415, "Send JSON"


class KeyReused(Turned):
    """The same `Idempotency-Key` came with another body."""

    status, title = 422, "The key belongs to another request"


class StillRunning(Turned):
    """The first request with this `Idempotency-Key` has no answer yet."""

    status, title = 409, "Still running"


class TooManyRequests(Turned):
    """More requests than one caller, or failed sign-ins than one address, has in a minute."""

    status, title = 429, "Slow down"
