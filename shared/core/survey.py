"""A survey: the sweep's look over the whole estate for what no event told of, a share for each subscription. Pure values."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.choices import Choices, VaultScope
from shared.core.facts import Vault, Workspace
from shared.core.ids import ResourceId

GONE = "gone"  # in place of the digest of a vault that was there no more at the last look, and is missed
_FAR = 10**11  # seconds since 1970: later than any time there is
_LEFT_OUT = frozenset({"raw", "provisioning"})  # as it came, and what Azure is at: no rule goes by these


class Progress(StrEnum):
    """Where a share stands."""

    WAITING = "waiting"
    DONE = "done"
    UNREAD = "unread"  # it could not be read: nothing in it was closed


@dataclass(frozen=True, slots=True)
class Share:
    """One subscription's part. `listed` counts its targets.

    `missed` counts those that no event had told of, `changed` those that are not as they were when we last looked, `gone`
    those that are there no more: each of these is looked at anew. `looked` counts the vaults whose keys or grants are
    not as they were at the survey before, and what is looked at because nobody has for long.
    `after` is the vault whose keys were listed last: where the share goes on. `hidden` counts the vaults whose keys we may
    not list.
    """

    subscription: str
    progress: Progress = Progress.WAITING
    listed: int = 0
    missed: int = 0
    changed: int = 0
    gone: int = 0
    looked: int = 0
    after: str = ""
    hidden: int = 0
    problem: str = ""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """One look over the estate. `by` is the object id of whoever asked for it, '' for the timer."""

    id: str
    began: datetime
    by: str
    shares: tuple[Share, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether every share has ended, well or not."""
        return all(share.progress is not Progress.WAITING for share in self.shares)

    @property
    def unread(self) -> tuple[str, ...]:
        """The subscriptions that could not be read."""
        return tuple(share.subscription for share in self.shares if share.progress is Progress.UNREAD)

    @property
    def hidden(self) -> int:
        """How many vaults there are whose keys could not be listed."""
        return sum(share.hidden for share in self.shares)

    @property
    def found(self) -> int:
        """How many targets were not as the last look had left them: what events should have told of, and did not."""
        return sum(share.missed + share.changed + share.gone for share in self.shares)


@dataclass(frozen=True, slots=True)
class Before:
    """What the last look at a target has left: its id as Azure spelt it, and the digest of its facts.

    `is_deep`: more is judged of it than its own body shows. `until`: when what was compliant ends to be so by itself. `grants` and `keys` are what the last survey saw of those.
    """

    target: str
    digest: str
    time: datetime
    is_deep: bool = False
    until: datetime | None = None
    grants: str = ""
    keys: str = ""


def digest(it: Vault | Workspace) -> str:
    """Return a text that changes when, and only when, something changes that a rule could see. Whether Azure is at it does not."""
    text = json.dumps(_plain(it), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Return a fact as JSON can hold it, the same whatever the order of a set or the case of an id."""
    match value:
        case ResourceId():
            return value.key
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case frozenset() | set():
            return sorted(json.dumps(_plain(each), sort_keys=True) for each in value)
        case tuple() | list():
            return [_plain(each) for each in value]
        case _ if is_dataclass(value):
            return {it.name: _plain(getattr(value, it.name)) for it in fields(value) if it.name not in _LEFT_OUT}
        case _:
            return value


def is_wanted(it: Vault | Workspace, choices: Choices) -> bool:
    """Tell whether a target that nobody has looked at must be: a vault only where it says itself what it is for.

    A vault that a workspace names is woken when that workspace is looked at.
    """
    if isinstance(it, Workspace) or choices.vault_scope is VaultScope.ALL:
        return True
    tag, value = choices.vault_tag
    return it.tags.get(tag.lower(), "").strip().lower() == value.lower()


def survey_id(began: datetime) -> str:
    """Return an id that sorts the newest first."""
    return f"{_FAR - int(began.timestamp()):012}"


def differing(
    listed: Mapping[str, Vault | Workspace], before: Mapping[str, Before], choices: Choices, now: datetime
) -> Mapping[str, str]:
    """Return which targets are to be looked at anew, by id in lower case, and why: missed, changed, gone, recent or old.

    `listed` is all that there is of one kind in one subscription, `before` what the last looks have left of it. Recent is
    what has changed right after a look: its event may only be waiting for CMK_GAP. Old is what nobody has looked at for long, and
    each night what is known to be gone and is missed.
    """
    missing = {target: left for target, left in before.items() if target not in listed}
    why = {target: "old" if left.digest == GONE else "gone" for target, left in missing.items()}
    for target, it in listed.items():
        left = before.get(target)
        if left is None and is_wanted(it, choices):
            why[target] = "missed"
        elif left is not None and left.digest != digest(it):
            why[target] = "recent" if left.time > now - 2 * choices.gap else "changed"
        elif left is not None and is_old(target, left, choices, now):
            why[target] = "old"
    return why


def is_old(target: str, left: Before, choices: Choices, now: datetime) -> bool:
    """Tell whether a target is to be looked at because time has passed, or since lists do not show everything of it.

    What is looked at in one night does not come due in one: each target has a time of its own between half of
    CMK_LOOK_AGAIN and the whole.
    """
    if left.until and left.until <= now:
        return True
    if not (left.is_deep and choices.look_again):
        return False
    share = int(hashlib.sha256(target.encode()).hexdigest()[:4], 16) / 0xFFFF
    return left.time < now - choices.look_again * (1 + share) / 2


def counted(share: Share, listed: int, why: Iterable[str]) -> Share:
    """Return the share with what one list has brought."""
    words = list(why)
    return replace(
        share, listed=share.listed + listed, missed=share.missed + words.count("missed"),
        changed=share.changed + words.count("changed"), gone=share.gone + words.count("gone"),
        looked=share.looked + words.count("old"),
    )  # fmt: skip
