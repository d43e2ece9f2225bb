"""What would happen if the settings were others: every finding on record decided again, nothing asked, nothing written. Pure.

The rails that count are played forward: in the order of the targets, what would happen by itself is entered into the ledger
as if it had, and whatever comes after a limit is asked for. Which of them come first nobody can foresee; how many, one can.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.core.choices import Choices, Mode
from shared.core.decide import Case, Decision, Kind, decide
from shared.core.plan import Write, counting_rail
from shared.core.record import STUCK_UNTIL_CHANGED, Remediation, State

ITEMS = 200  # shown one by one; all are counted
_NAMED = 50  # of whom plans touch


class Fate(StrEnum):
    """What would become of a finding. The first five are the kinds of decision."""

    AUTO = "auto"
    APPROVAL = "approval"
    TICKET = "ticket"
    OBSERVE = "observe"
    SUPPRESSED = "suppressed"
    UNDER_WAY = "under_way"  # let through before: no setting recalls it
    RESTS = "rests"  # rejected, failed or expired: it stays so until its plan changes or somebody retries it
    ENDS = "ends"  # its control would be off
    NOT_KNOWN = "not_known"  # the record does not say what it depends on


_ACTING = (Fate.AUTO, Fate.APPROVAL)


@dataclass(frozen=True, slots=True)
class Variation:
    """Settings as they might be. None and {}: as they are."""

    mode: Mode | None = None
    modes: Mapping[str, Mode] = field(default_factory=dict)
    auto_scope: tuple[str, ...] | None = None

    def of(self, choices: Choices) -> Choices:
        """Return the settings with the variation in them."""
        return replace(
            choices, mode=choices.mode if self.mode is None else self.mode, modes={**choices.modes, **self.modes},
            auto_scope=choices.auto_scope if self.auto_scope is None else self.auto_scope,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Matter:
    """A finding on record: its row, and the case as its last look saw it; None where the record does not say. `judged`: when."""

    row: Remediation
    case: Case | None
    judged: datetime | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of one finding, and why. `state` is where it stands, `recorded` what was decided about it."""

    remediation: str
    control: str
    target: str
    subject: str
    owner: str
    fate: Fate
    reason: str
    message: str
    state: State
    recorded: Kind
    steps: tuple[str, ...]  # their kinds, in order
    irreversible: tuple[str, ...]  # the kinds of those that nobody can undo
    gives: bool
    principals: tuple[str, ...]
    judged: datetime | None


@dataclass
class Estate:
    """What the rails count, by subscription in lower case: the ledger of the last day, and how many vaults there are.

    A subscription whose vaults could not be counted is missing: nobody knows then what CMK_SHARE lets through.
    """

    ledgers: dict[str, list[Write]]
    vaults: Mapping[str, int]


def foreseen(matters: Iterable[Matter], choices: Choices, estate: Estate, now: datetime) -> Sequence[Prospect]:
    """Return what would become of each finding, in the order in which the rails were played."""
    ordered = sorted(matters, key=lambda it: (it.row.target.lower(), it.row.control, it.row.subject))
    return [_prospect(it, *_fate(it, choices, estate, now)) for it in ordered]


def _fate(matter: Matter, choices: Choices, estate: Estate, now: datetime) -> tuple[Fate, str, str]:
    row, case = matter.row, matter.case
    if not choices.is_on(row.control):
        return Fate.ENDS, "ControlIsOff", f"{row.control} would be off: nothing is judged, and the record ends"
    if row.state is State.APPLYING:
        return Fate.UNDER_WAY, row.decision.reason, "it is being carried out"
    if row.state in STUCK_UNTIL_CHANGED:
        return (
            Fate.RESTS,
            row.decision.reason,
            f"it is {row.state}: it stays so until its plan changes or somebody retries",
        )
    if row.verdict != "NonCompliant":
        return Fate(row.decision.kind), row.decision.reason, row.decision.message
    if case is None:
        return (
            Fate.NOT_KNOWN,
            "NotOnRecord",
            "the last look has not kept what the decision depends on: the next one does",
        )
    found = decide(case, choices, now)
    if row.state is State.QUEUED and (found.kind is Kind.AUTO or (found.kind is Kind.APPROVAL and row.approvals)):
        return Fate.UNDER_WAY, row.decision.reason, "it was let through before, and is on its way"
    if found.kind is Kind.AUTO:
        return _counted(case, choices, estate, now)
    return _of(found)


def _counted(case: Case, choices: Choices, estate: Estate, now: datetime) -> tuple[Fate, str, str]:
    """Decide what would happen by itself once more, with the rails that count; enter it where they let it through."""
    subscription = case.target.subscription.lower()
    if subscription not in estate.vaults:
        said = (
            "how many vaults the subscription holds could not be read, so that nobody knows what CMK_SHARE lets through"
        )
        return Fate.NOT_KNOWN, "VaultsNotCounted", said
    ledger = estate.ledgers.setdefault(subscription, [])
    found = decide(case, choices, now, counting_rail(case.target, ledger, estate.vaults[subscription], choices, now))
    if found.kind is Kind.AUTO:
        ledger.append(Write(now, case.target.key))
    return _of(found)


def _of(found: Decision) -> tuple[Fate, str, str]:
    return Fate(found.kind), found.reason, found.message


def _prospect(matter: Matter, fate: Fate, reason: str, message: str) -> Prospect:
    row = matter.row
    left = [it for it in row.plan.steps if not it.done]
    named = [it.after.get("objectId") or it.after.get("principalId") for it in left]
    return Prospect(
        remediation=row.id, control=row.control, target=row.target, subject=row.subject, owner=row.decision.owner,
        fate=fate, reason=reason, message=message, state=row.state, recorded=row.decision.kind,
        steps=tuple(it.kind for it in left), irreversible=tuple(it.kind for it in left if it.irreversible),
        gives=any(it.grants for it in left), principals=tuple(dict.fromkeys(str(it) for it in named if it)),
        judged=matter.judged,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepCount:
    """How many steps of one kind would be taken in one way, and how many of them nobody can undo."""

    kind: str
    fate: Fate
    steps: int
    irreversible: int


@dataclass(frozen=True, slots=True)
class Names:
    """How many there are, and the first of them by name."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Touched:
    """Whom the plans of one fate touch. `owners` are what tags say, `principals` object ids, `workspaces` ids."""

    fate: Fate
    plans: int
    owners: Names
    principals: Names
    workspaces: Names
    subscriptions: Names


@dataclass(frozen=True, slots=True)
class Supposition:
    """What would happen.

    `oldest` is the oldest judgement it rests on; `silent` controls are off today: nothing is on record of them.
    `left_out` counts findings beyond `items`; `unread` names subscriptions that could not be read.
    """

    time: datetime
    mode: Mode
    modes: Mapping[str, Mode]
    auto_scope: tuple[str, ...]
    is_varied: bool
    targets: int
    oldest: datetime | None
    fates: Mapping[Fate, int]
    steps: tuple[StepCount, ...]
    touched: tuple[Touched, ...]
    items: tuple[Prospect, ...]
    left_out: int
    silent: tuple[str, ...]
    unread: tuple[str, ...]


def steps_of(prospects: Sequence[Prospect]) -> tuple[StepCount, ...]:
    """Return how many steps of each kind there are for each fate."""
    kinds = Counter((it.fate, kind) for it in prospects for kind in it.steps)
    final = Counter((it.fate, kind) for it in prospects for kind in it.irreversible)
    order = tuple(Fate)
    found = sorted(kinds, key=lambda it: (order.index(it[0]), it[1]))
    return tuple(StepCount(kind, fate, kinds[fate, kind], final[fate, kind]) for fate, kind in found)


def touched(prospects: Sequence[Prospect], users: Mapping[str, Sequence[str]]) -> tuple[Touched, ...]:
    """Return whom plans touch that would happen, or be asked for. `users` are the workspaces that name a vault, by its name."""
    return tuple(_touched(fate, [it for it in prospects if it.fate is fate and it.steps], users) for fate in _ACTING)


def _touched(fate: Fate, plans: Sequence[Prospect], users: Mapping[str, Sequence[str]]) -> Touched:
    workspaces = {user for it in plans for user in _users(it.target, users)}
    return Touched(
        fate=fate, plans=len(plans), owners=_names({it.owner for it in plans if it.owner}),
        principals=_names({principal for it in plans for principal in it.principals}), workspaces=_names(workspaces),
        subscriptions=_names({it.target.split("/")[2].lower() for it in plans}),
    )  # fmt: skip


def _users(target: str, users: Mapping[str, Sequence[str]]) -> Sequence[str]:
    is_vault = "/vaults/" in target.lower()
    return users.get(target.rsplit("/", 1)[-1].lower(), ()) if is_vault else (target,)


def _names(found: set[str]) -> Names:
    return Names(len(found), tuple(sorted(found, key=str.lower)[:_NAMED]))
