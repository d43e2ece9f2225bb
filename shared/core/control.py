"""What a control is, what it can say, and what a remediator must offer. Pure, like every remediator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.core.choices import Choices
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class Control:
    """Something that should hold. `id` is for machines and never changes; `title` is a sentence."""

    id: str
    title: str
    severity: str  # critical | high | medium | low
    targets: frozenset[str]  # resource types it judges
    is_staged: bool = False  # each of its steps takes minutes: one a message, and a person may have to confirm some
    takes_away: bool = False  # its plans take permissions from somebody: grace, notice and a look at locks come first
    looks_around: bool = False  # of a workspace: it judges the vaults and keys that its layers name
    wants_newest: bool = False  # and of each of these keys the newest version as well
    needs: frozenset[str] = (
        frozenset()
    )  # what it judges by that is read only for it, of a vault: contents, keys, logging, deleted, roles
    pages: bool = False  # somebody must look at once, whenever it is: its notices are logged as errors


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a verdict is what it is: a CamelCase reason, a sentence, and the facts behind it."""

    reason: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compliant:
    """The control holds. `until`: when that may end although nothing happens; the target is looked at anew then."""

    finding: Finding
    subject: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NonCompliant:
    """The control does not hold; `finding` says why.

    `asks`: why a person must be asked before anything is done about it, '' where not. `stops`: what no yes outweighs,
    as a reason and a sentence: somebody must put it right first. `since`: when what is found was
    first there, as far as anybody knows; a control that takes permissions away leaves young grants alone for a while.
    `steps`: what would put it right, where judging works that out anyway; `plan` returns them then. `quiet`: until when
    nobody is troubled with it, for somebody may be in the middle of a set-up; it is judged anew then.
    `insists`: silence ends the question for no longer than until the next look, which asks anew.
    """

    finding: Finding
    subject: str = ""
    asks: str = ""
    since: datetime | None = None
    steps: tuple[Step, ...] = ()
    stops: Finding | None = None
    quiet: datetime | None = None
    insists: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """We may not, or could not, read what the judgement needs. Never compliant; closes nothing."""

    finding: Finding
    subject: str = ""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The control does not speak of this target; `finding` says why not."""

    finding: Finding
    subject: str = ""


type Verdict = Compliant | NonCompliant | Unknown | NotApplicable


@dataclass(frozen=True, slots=True)
class Named:
    """A layer as its workspace named it: the key, and the object id of the identity that asks for it, '' for none."""

    layer: str
    key: str
    principal: str


@dataclass(frozen=True, slots=True)
class Nomination:
    """A workspace that named this vault when we last read that workspace, and that workspace's environment tag."""

    workspace: str
    environment: str
    layers: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Once:
    """An identity that a layer of a workspace asked for a key of this vault with, some time."""

    principal: str
    layer: str
    workspace: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """A grant, by what it says, and when it was first seen."""

    grant: str
    first: datetime


@dataclass(frozen=True, slots=True)
class Drawn:
    """The name of a key of ours, drawn and recorded before the key was asked for. `layer` is '' where one serves all.

    `version` is the one that was found to be ours, '' before anybody has looked: whatever comes later under that name is
    somebody else's doing, and no layer is put on it.
    """

    layer: str
    vault: str  # the vault's id in lower case
    name: str
    time: datetime
    version: str = ""


@dataclass(frozen=True, slots=True)
class Picked:
    """The vault that a person has picked for a workspace's keys. `persons`: everybody who has ever picked one for it."""

    vault: str
    persons: tuple[str, ...]
    time: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """A role that somebody held at a CMK vault or below it: no names. `below` is what follows the vault's id, in lower case.

    `is_bound`: a condition, a delegation or an end came with it. What gives it anew would give more.
    """

    principal: str
    principal_type: str
    role: str
    below: str
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Alive:
    """A CMK vault as it was when it was last seen: what is gone with it once somebody deletes it (AZURE 0.7)."""

    tenant: str
    host: str
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """A CMK vault that a look has found gone, and what was held there. Stands until what we may give back is held again."""

    since: datetime
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What our own records know of a target from earlier looks.

    `nominations` bridge the lag of Resource Graph. `was_cmk_vault` keeps a vault in scope after its tag or its last
    workspace has gone: whoever can remove a tag must not by that alone end a finding (DESIGN 5).
    """

    nominations: tuple[Nomination, ...] = ()
    was_cmk_vault: bool = False
    environments: tuple[str, ...] = ()  # every environment tag ever seen on the target
    vaults: tuple[str, ...] = ()  # of a workspace: the vaults it named at the last look
    identities: tuple[Once, ...] = ()
    sights: tuple[Sight, ...] = ()
    sensitivities: tuple[str, ...] = ()  # every data-sensitivity tag ever seen on the workspace
    drawn: tuple[Drawn, ...] = ()
    made: tuple[str, ...] = ()  # of a vault: names, in lower case, of keys there that were found to be of our making
    picked: Picked | None = None
    is_kept: bool = True  # False: nobody keeps a record, as in a scan from a laptop
    number: str = ""  # which workspace it was that all of this was learnt of: another may come under its name
    pending: tuple[str, ...] = ()  # layers that we have asked Azure to move, and whose end nobody has seen yet
    restart: datetime | None = None  # since when its compute is to be restarted, which nobody has confirmed
    moving: tuple[
        str, ...
    ] = ()  # layers that we have asked Azure to put on a newer version, and whose end nobody has seen
    again: datetime | None = None  # when it is looked at anew by itself: a message for then is on its way
    alive: Alive | None = None
    lost: Lost | None = None
    subjects: tuple[str, ...] = ()  # of findings that were ever recorded, as `KV-ACCESS subject`: they must be closed

    def subjects_of(self, control: str) -> tuple[str, ...]:
        """Return the subjects of one control that have a row."""
        return tuple(it.removeprefix(control + " ") for it in self.subjects if it.startswith(control + " "))


class Remediator(Protocol):
    """One control: how to judge it and how to put it right. Both are pure functions of what was gathered."""

    @property
    def control(self) -> Control:
        """The control that this remediator stands for."""
        ...

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return one verdict for each subject; exactly one with the subject '' where there is only the target itself."""
        ...

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return the steps that put right what a verdict found; empty where only a person can."""
        ...
