"""The estate as the last looks have left it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.core.ids import ResourceId
from shared.core.judgement import Judgement
from shared.core.survey import Before


@dataclass(frozen=True, slots=True)
class JudgementPage:
    """A part of a list, by name; `cursor` continues it and is '' at its end."""

    items: tuple[Judgement, ...]
    cursor: str


class Estate(Protocol):
    """The last judgement on every target."""

    def note(self, judgement: Judgement) -> None:
        """Keep it in place of the one before."""
        ...

    def drop(self, target: ResourceId) -> None:
        """Forget a target that is gone."""
        ...

    def under(self, kind: str, subscription: str) -> Mapping[str, Before]:
        """Return what the last looks have left of one kind of target in a subscription, by id in lower case."""
        ...

    def saw(self, kind: str, subscription: str, what: str, texts: Mapping[str, str]) -> None:
        """Keep what a survey saw beside the last looks: `what` is grants or keys, `texts` are by id in lower case."""
        ...

    def page(self, kind: str, *, text: str, worst: str, cursor: str, limit: int) -> JudgementPage:
        """Return judgements of one kind of target by name; empty filters match all. Raises BadInput for a foreign cursor.

        `text` stands in the name, in what a tag says of owner or cost centre, or in the subscription's id.
        """
        ...
