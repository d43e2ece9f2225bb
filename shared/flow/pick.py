"""Somebody picks the vault where a workspace's keys are to live. A tag only proposes; the deployment says what may be picked.

Picking makes another plan, which takes a yes of its own, and whoever picks counts as requester: not theirs (DESIGN 5).
"""

import logging
from dataclasses import dataclass, replace

from shared.core import ids
from shared.core.control import Memory, Picked
from shared.core.errors import BadInput, Refused
from shared.core.facts import Workspace
from shared.core.ids import ResourceId
from shared.core.keyvaults import around, unfit_to_pick
from shared.core.ports import Event, Ports, Stored
from shared.core.record import BUSY, moved
from shared.core.wake import Cause
from shared.flow.approve import check_comment
from shared.flow.follow import look_soon
from shared.flow.gather import check_settled, gather
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.pick")

_MOST_PERSONS = 50


@dataclass(frozen=True, slots=True)
class Pick:
    """Which vault, who says so, why, and from which address."""

    vault: str
    person: str
    comment: str
    origin: str = ""


def pick(ports: Ports, stored: Stored, wanted: Pick) -> Stored:
    """Note the pick and have the workspace judged anew. Raises Refused, BadInput, RowChanged or Temporary."""
    row, target = stored.row, ids.parse(stored.row.target)
    check_comment(wanted.comment)
    if target.kind != ids.WORKSPACE or row.subject or row.is_wished:
        raise Refused("NothingToPick", "a vault is picked for the migration of a workspace")
    if row.state in BUSY:
        raise Refused("BeingWorkedOn", f"the remediation is {row.state}: cancel it first")
    memory = ports.records.known(target).memory
    if any(it.version for it in memory.drawn):
        raise Refused("MigrationHasBegun", "a key was made already: the migration ends where it began")
    vault = _allowed(ports, wanted.vault)
    before = memory.picked.persons if memory.picked else ()
    picked = Picked(str(vault), tuple(dict.fromkeys([*before, wanted.person]))[-_MOST_PERSONS:], ports.clock.now())
    _check(ports, target, vault, replace(memory, picked=picked))
    look_soon(ports, row, Cause("person", row.id, wanted.person))
    detail = {"vault": str(vault), "comment": wanted.comment.strip(), "from": wanted.origin}
    changed = moved(row, row.state, ports.clock.now(), approvals=(), requester=wanted.person)
    # The record first: a pick that is not on it must not count. One that is, and does not count, can be made again.
    saved = ports.records.save(changed, Event("picked", wanted.person, "VaultPicked", detail), stored)
    ports.records.remember(target, lambda now: replace(now, picked=picked))
    say(_log, "picked", remediation=row.id, target=row.target, vault=str(vault), actor=wanted.person)
    return saved


def _allowed(ports: Ports, path: str) -> ResourceId:
    vault = ids.parse(path)
    found = next((it.vault for it in ports.choices.key_vaults if it.vault == vault), None)
    if found is None:
        raise Refused("NotAKeyVault", "the vault is not in CMK_KEY_VAULTS: the deployment says where keys may live")
    return found


def _check(ports: Ports, target: ResourceId, vault: ResourceId, memory: Memory) -> None:
    snapshot = gather(ports, target, memory)
    check_settled(snapshot)
    if not isinstance(snapshot.workspace, Workspace):
        raise BadInput("NoWorkspace", "the workspace could not be read")
    at = around(snapshot, vault)
    if at is None:
        raise Refused("NothingToPick", "no layer of the workspace needs a key")
    for reason, said in unfit_to_pick(at.vault, snapshot.workspace, ports.choices):
        raise Refused(reason, said)
