"""What looks leave, in memory: the estate and surveys, of the same shape as in storage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.judgement import Judgement
from shared.core.ports import JudgementPage
from shared.core.survey import Before, Progress, Share, Survey


@dataclass
class MemoryEstate:
    """The estate in memory."""

    kept: dict[str, Judgement] = field(default_factory=dict)
    seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, judgement: Judgement) -> None:
        self.kept[judgement.target.lower()] = judgement

    def drop(self, target: ResourceId) -> None:
        self.kept.pop(target.key, None)

    def under(self, kind: str, subscription: str) -> dict[str, Before]:
        start = f"/subscriptions/{subscription.lower()}/"
        return {
            target: Before(
                it.target, it.digest, it.time, it.kind == ids.VAULT or bool(it.vaults), it.until, *self.around(target)
            )
            for target, it in self.kept.items()
            if it.kind == kind and target.startswith(start)
        }

    def around(self, target: str) -> tuple[str, str]:
        return self.seen.get((target, "grants"), ""), self.seen.get((target, "keys"), "")

    def saw(self, kind: str, subscription: str, what: str, texts: Mapping[str, str]) -> None:
        self.seen |= {(target, what): text for target, text in texts.items()}

    def page(self, kind: str, *, text: str, worst: str, cursor: str, limit: int) -> JudgementPage:
        at = _place(cursor)
        found = [
            it
            for it in sorted(self.kept.values(), key=lambda it: (it.name.lower(), it.target))
            if it.kind == kind and text.lower() in _words(it) and (not worst or it.worst == worst)
        ]
        return JudgementPage(tuple(found[at : at + limit]), str(at + limit) if at + limit < len(found) else "")


@dataclass
class MemoryLetters:
    """Dead letters in memory: name -> text, or what reading it ends in."""

    kept: dict[str, str | Exception] = field(default_factory=dict)
    failure: Exception | None = None
    read: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        if self.failure:
            raise self.failure
        return list(self.kept)

    def text(self, name: str) -> str:
        self.read.append(name)
        found = self.kept[name]
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class MemorySurveys:
    """Surveys in memory."""

    kept: dict[str, Survey] = field(default_factory=dict)

    def begin(self, survey: Survey) -> bool:
        return self.kept.setdefault(survey.id, survey) is survey

    def get(self, survey_id: str) -> Survey | None:
        return self.kept.get(survey_id)

    def latest(self, limit: int) -> Sequence[Survey]:
        return [self.kept[name] for name in sorted(self.kept)][:limit]

    def keep(self, survey_id: str, share: Share) -> None:
        survey = self.kept[survey_id]
        shares = [
            share if it.subscription == share.subscription and it.progress is Progress.WAITING else it
            for it in survey.shares
        ]
        self.kept[survey_id] = replace(survey, shares=tuple(shares))


def _words(it: Judgement) -> str:
    return " / ".join((it.name, it.owner, it.cost_center, it.target.split("/")[2])).lower()


def _place(cursor: str) -> int:
    if cursor and not cursor.isdigit():
        raise BadInput("BadCursor", "not a cursor")
    return int(cursor or 0)
