"""What the figures need of one row's history, followed entry by entry: a history only grows, so nothing is read twice.

    found --------------------------------- shown to be right      an episode: how long it took, and who put it right
      |    asked --------- answered            |                   a question: how long people took
      |                                        '- found again      reopened
      '- does not concern it any more: no episode

An episode begins with the first look that finds the control not met and ends with the fresh read that shows it met. What
could not be judged in between does not end it. A finding that ends because the control no longer speaks of the target
(NotApplicable) was put right by nobody, and is no episode.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.core.chain import Entry
from shared.core.decide import AWAITS_CONFIRMATION
from shared.core.record import State


class Way(StrEnum):
    """Who put it right."""

    AUTOMATIC = "automatic"  # we wrote, and nobody had to be asked
    APPROVED = "approved"  # we wrote after a person's yes
    OUTSIDE = "outside"  # without a write of ours, or after ours had failed


@dataclass(frozen=True, slots=True)
class Episode:
    """From a finding to the proof that it is no more. `is_again`: it had been right before."""

    began: datetime
    ended: datetime
    way: Way
    is_again: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question that people were asked, and its end: approved, rejected or expired."""

    asked: datetime
    ended: datetime
    end: str


@dataclass(frozen=True, slots=True)
class Track:
    """Where a history has been followed to (`head`), and what it has told so far.

    `began` is when the finding that stands was found, `asked` when the question that stands was put. `wrote`: our write
    came last. `agreed`: a person has said yes to it since it was found. `was_right`: what ended last was put right.
    """

    head: int = 0
    state: str = ""
    fingerprint: str = ""
    began: datetime | None = None
    is_again: bool = False
    wrote: bool = False
    agreed: bool = False
    was_right: bool = False
    asked: datetime | None = None
    episodes: tuple[Episode, ...] = ()
    questions: tuple[Question, ...] = ()


_ANSWERS = frozenset({"approved", "rejected", "expired"})
_NOT_OURS = frozenset({"failed", "superseded"})  # after these, whoever put it right was not our last write


def followed(track: Track, entries: Iterable[Entry], since: datetime) -> Track:
    """Return the track after these entries, the next of the history; what ended before `since` is let go of."""
    for entry in entries:
        track = _asked(_told(track, entry), entry)
        track = replace(track, head=entry.n, state=str(entry.state))
    return replace(
        track, episodes=tuple(it for it in track.episodes if it.ended >= since),
        questions=tuple(it for it in track.questions if it.ended >= since),
    )  # fmt: skip


def _told(track: Track, entry: Entry) -> Track:
    """Return the track with what an entry says of the finding."""
    verdict = entry.detail.get("verdict") if entry.event == "evaluated" else None
    if track.began is None and verdict == "NonCompliant":
        return replace(track, began=entry.time, is_again=track.was_right, wrote=False, agreed=False, was_right=False)
    if track.began is None:
        return track
    if entry.state == State.RESOLVED:
        episode = Episode(track.began, entry.time, _way(track), track.is_again)
        return replace(track, began=None, was_right=True, episodes=(*track.episodes, episode))
    if entry.state == State.SUPERSEDED and verdict == "NotApplicable":
        return replace(track, began=None)
    wrote = entry.event == "writing" or (track.wrote and entry.event not in _NOT_OURS)
    return replace(track, wrote=wrote, agreed=track.agreed or entry.event == "approved")


def _way(track: Track) -> Way:
    if not track.wrote:
        return Way.OUTSIDE
    return Way.APPROVED if track.agreed else Way.AUTOMATIC


def _asked(track: Track, entry: Entry) -> Track:
    """Return the track with what an entry says of the question. To ask for work by hand is none."""
    fingerprint = str(entry.detail.get("fingerprint", "")) if entry.event == "evaluated" else track.fingerprint
    is_new = entry.state != track.state or fingerprint != track.fingerprint
    if entry.state == State.AWAITING_APPROVAL:
        is_by_hand = entry.reason == AWAITS_CONFIRMATION
        asked = (None if is_by_hand else entry.time) if is_new else track.asked
        return replace(track, asked=asked, fingerprint=fingerprint)
    if track.asked and entry.event in _ANSWERS:
        question = Question(track.asked, entry.time, entry.event)
        track = replace(track, questions=(*track.questions, question))
    return replace(track, asked=None, fingerprint=fingerprint)
