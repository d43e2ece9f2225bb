"""A report seen through a framework: for each requirement the controls that answer it, and what became of each line."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.core.frameworks import Framework, Requirement
from shared.core.record import Exemption
from shared.core.report import Line, Report


class Outcome(StrEnum):
    """What a line says to an auditor, the worst first. An exempted finding is a finding that a person has dated and owns."""

    NON_COMPLIANT = "non-compliant"
    UNKNOWN = "unknown"
    EXEMPTED = "exempted"
    COMPLIANT = "compliant"
    NOT_APPLICABLE = "not applicable"


_OF = {"NonCompliant": Outcome.NON_COMPLIANT, "Compliant": Outcome.COMPLIANT, "NotApplicable": Outcome.NOT_APPLICABLE}
_TOLD = frozenset({Outcome.NON_COMPLIANT, Outcome.UNKNOWN, Outcome.EXEMPTED})


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One line with what it says, and the exemption where a person has given one."""

    line: Line
    outcome: Outcome
    exemption: Exemption | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one control says to one requirement. `is_official`: it speaks of this very thing.

    `silence` says why there is nothing to be said, '' where there is.
    """

    requirement: Requirement
    control: str
    title: str
    is_official: bool
    counts: Mapping[Outcome, int]
    exhibits: tuple[Exhibit, ...]
    silence: str = ""

    @property
    def told(self) -> tuple[Exhibit, ...]:
        """The exhibits that a page lists one by one; the others it counts."""
        return tuple(it for it in self.exhibits if it.outcome in _TOLD)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One framework."""

    framework: Framework
    answers: tuple[Answer, ...]

    def counted(self) -> Mapping[Outcome, int]:
        """Return how many lines of controls that answer this framework there are, each line once."""
        found = {it.line.id: it.outcome for answer in self.answers for it in answer.exhibits}
        counts = Counter(found.values())
        return {outcome: counts[outcome] for outcome in Outcome}


def chapter_of(
    framework: Framework, report: Report, exemptions: Mapping[str, Exemption], off: Iterable[str]
) -> Chapter:
    """Return what a report says to a framework. `exemptions` by the id of the row; `off` are controls that are switched off."""
    exhibits = [_exhibit(it, exemptions.get(it.id), report.made) for it in report.lines]
    by_control: dict[str, list[Exhibit]] = {}
    for it in exhibits:
        by_control.setdefault(it.line.control, []).append(it)
    titles, silent = {it.id: it.title for it in report.controls}, frozenset(off)
    answers = [
        _answer(each, control, titles, tuple(by_control.get(control, ())), silent)
        for each in framework.requirements
        for control in each.controls
    ]
    return Chapter(framework, tuple(answers))


def _answer(
    requirement: Requirement,
    control: str,
    titles: Mapping[str, str],
    exhibits: tuple[Exhibit, ...],
    off: frozenset[str],
) -> Answer:
    counts = Counter(it.outcome for it in exhibits)
    return Answer(
        requirement=requirement, control=control, title=titles.get(control, ""),
        is_official=control in requirement.speak, counts={outcome: counts[outcome] for outcome in Outcome}, exhibits=exhibits,
        silence=_silence(control, titles, exhibits, off),
    )  # fmt: skip


def _silence(control: str, titles: Mapping[str, str], exhibits: tuple[Exhibit, ...], off: frozenset[str]) -> str:
    if control not in titles:
        return f"{control} is not part of this version: it was not judged, and this is no evidence of anything"
    if control in off:
        return f"{control} is switched off by the deployment: it was not judged, and this is no evidence of anything"
    return "" if exhibits else "there is nothing on record that it speaks of"


def _exhibit(line: Line, exemption: Exemption | None, now: datetime) -> Exhibit:
    """Return what a line says. An exemption counts only while the record is suppressed by it and its date is not past."""
    stands = exemption is not None and line.state == "suppressed" and exemption.expires > now
    if line.is_finding and stands:
        return Exhibit(line, Outcome.EXEMPTED, exemption)
    return Exhibit(line, _OF.get(line.verdict, Outcome.UNKNOWN))
