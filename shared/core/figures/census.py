"""How many targets hold what should hold, over all and by layer, control, owner, cost centre and subscription."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.core import ids
from shared.core.judgement import ORDER, Judgement

ROTATION = "KEY-ROTATION"  # the control whose verdicts say how well keys are rotated
# The words of a layer's ruling; any other is one that we do not understand.
_LAYER_WORDS = {"compliant": "Compliant", "non-compliant": "NonCompliant", "not applicable": "NotApplicable"}
_MOST = 100  # groups of one kind that are kept: those with the most that is not right


@dataclass(frozen=True, slots=True)
class Count:
    """How many were judged, by verdict. What the control does not speak of is not counted at all."""

    compliant: int = 0
    noncompliant: int = 0
    unknown: int = 0

    @property
    def of(self) -> int:
        """How many there are that should be compliant."""
        return self.compliant + self.noncompliant + self.unknown

    @property
    def permille(self) -> int | None:
        """How many of a thousand are compliant, rounded down; None where there is none. Unknown is never compliant."""
        return 1000 * self.compliant // self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Group:
    """The count of one group: of which kind (`by`), and which (`key`, '' where a tag is missing)."""

    by: str
    key: str
    count: Count


@dataclass
class Census:
    """Counts while judgements are gone through, one at a time. `production`: the names of environments that are."""

    production: frozenset[str]
    targets: int = 0
    rotation: Counter[str] = field(default_factory=Counter)
    _counted: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, it: Judgement) -> None:
        """Count one target."""
        self.targets += 1
        for by, key in self._groups(it):
            self._counted[by, key][it.worst] += 1
        for control, verdict in _worst(it).items():
            self._counted["control", control][verdict] += 1
        for ruling in it.layers:
            self._counted["layer", ruling.layer][_LAYER_WORDS.get(ruling.verdict, "Unknown")] += 1
        self.rotation.update(ruling.verdict for ruling in it.rulings if ruling.control == ROTATION)

    def _groups(self, it: Judgement) -> Iterator[tuple[str, str]]:
        yield "estate", "all"
        if self.production & set(it.environments):
            yield "estate", "production"
        yield "owner", it.owner
        yield "cost-center", it.cost_center
        yield "subscription", ids.parse(it.target).subscription.lower()

    def groups(self) -> tuple[tuple[Group, ...], Mapping[str, int]]:
        """Return the groups, of each kind those first with the most that is not right, and how many were left out."""
        kinds = defaultdict[str, list[Group]](list)
        for (by, key), verdicts in self._counted.items():
            kinds[by].append(Group(by, key, counted(verdicts)))
        kept, left_out = list[Group](), dict[str, int]()
        for by, found in sorted(kinds.items()):
            found.sort(key=lambda it: (it.count.compliant - it.count.of, it.key))
            kept += found[:_MOST]
            if len(found) > _MOST:
                left_out[by] = len(found) - _MOST
        return tuple(kept), left_out


def counted(verdicts: Mapping[str, int]) -> Count:
    """Return the count of verdicts by their names."""
    return Count(*(verdicts.get(name, 0) for name in ("Compliant", "NonCompliant", "Unknown")))


def _worst(it: Judgement) -> Mapping[str, str]:
    """Return the worst that each control says of a target or a part of it."""
    worst = dict[str, str]()
    for ruling in it.rulings:
        before = worst.get(ruling.control, ruling.verdict)
        worst[ruling.control] = min(before, ruling.verdict, key=ORDER.index)
    return worst
