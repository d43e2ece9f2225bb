"""The list of known differences: each with its reason; a new one fails, and so does one that has gone.

An entry of differences.json matches by words with `*`: where (the sequence, and `#index` when it matters), request
(`GET Microsoft.KeyVault/vaults`) and difference. Every entry must match something, and everything must be matched. An
entry with an `owner` waits for work that is under way: it may match nothing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.simulator.truth.patterns import matches
from tests.simulator.truth.player import Outcome

LIST = Path(__file__).with_name("differences.json")


@dataclass(frozen=True)
class Known:
    """One entry of the list."""

    where: str
    request: str
    difference: str
    reason: str
    owner: str = ""

    def covers(self, outcome: Outcome, difference: str) -> bool:
        """Whether this difference is the one that is meant."""
        place = f"{outcome.request.source}#{outcome.request.index}"
        label = outcome.request.label
        return matches(self.where, place) and matches(self.request, label) and matches(self.difference, difference)


@dataclass
class Verdict:
    """A whole run against the list."""

    outcomes: list[Outcome]
    unknown: list[str]
    stale: list[Known]

    def rates(self) -> list[str]:
        """How many requests agree, for each provider and in all."""
        total: Counter[str] = Counter()
        good: Counter[str] = Counter()
        for outcome in self.outcomes:
            total[outcome.request.provider] += 1
            good[outcome.request.provider] += not outcome.differences
        lines = [f"{name}: {good[name]} of {total[name]}" for name in sorted(total)]
        return [*lines, f"in all: {sum(good.values())} of {sum(total.values())} requests ({self.rate():.1%})"]

    def rate(self) -> float:
        """The share of requests that agree in everything."""
        return sum(not outcome.differences for outcome in self.outcomes) / max(1, len(self.outcomes))


def known(path: Path = LIST) -> list[Known]:
    """The list."""
    return [Known(**entry) for entry in json.loads(path.read_text())]


def judge(outcomes: Iterable[Outcome], entries: list[Known]) -> Verdict:
    """Match every difference with the list."""
    used: set[Known] = set()
    unknown: dict[str, list[str]] = defaultdict(list)
    played = list(outcomes)
    for outcome in played:
        for difference in outcome.differences:
            reasons = [entry for entry in entries if entry.covers(outcome, difference)]
            used.update(reasons)
            if not reasons:
                place = f"{outcome.request.source}#{outcome.request.index}"
                unknown[f"{outcome.request.label}: {difference}"].append(place)
    lines = [f"{what} ({len(places)} times, first {places[0]})" for what, places in unknown.items()]
    return Verdict(played, lines, [entry for entry in entries if entry not in used and not entry.owner])
