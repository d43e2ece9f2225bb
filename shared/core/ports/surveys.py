"""Surveys, as the flow sees them: begun once, each share ended once."""

from collections.abc import Sequence
from typing import Protocol

from shared.core.survey import Share, Survey


class Surveys(Protocol):
    """What is known of each survey."""

    def begin(self, survey: Survey) -> bool:
        """Keep a new survey. False where another has begun in the same second."""
        ...

    def get(self, survey_id: str) -> Survey | None:
        """Return a survey with its shares, or None."""
        ...

    def latest(self, limit: int) -> Sequence[Survey]:
        """Return the surveys that began last with their shares, the newest first."""
        ...

    def keep(self, survey_id: str, share: Share) -> None:
        """Keep how far a share has come, or how it has ended. One that has ended stays as it is."""
        ...
