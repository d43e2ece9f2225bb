"""A plan whose steps take minutes: one step a message, each planned anew from what is there, so that a kill costs nothing.

    message -- gather, judge, plan -- what is left? -- first step -- watched for a while -- next message
                                         |   |             |              '-- still going on: come back and read
                                         |   |             '-- a person's: ask, and wait for the confirmation
                                         |   '-- too early: come back when what it relies on has taken effect
                                         '-- nothing: resolved

What was sent and is not left any more has come about: whether Azure's last word was heard or not (DESIGN 5).
"""

import re
import secrets
from dataclasses import replace
from datetime import datetime
from functools import partial

from shared.core import ids
from shared.core.choices import LAYERS
from shared.core.control import Drawn, Memory
from shared.core.decide import AWAITS_CONFIRMATION, Decision, Kind
from shared.core.errors import Denied, Temporary
from shared.core.facts import Snapshot, Workspace
from shared.core.keyvaults import around, chosen, drawn, foreign, made, purpose, values
from shared.core.moves import key, workspace
from shared.core.plan import Plan
from shared.core.ports import Ports
from shared.core.record import State
from shared.core.refs import key_name, resolve
from shared.core.steps import Step
from shared.flow.carry import send
from shared.flow.messages import APPLY, Apply
from shared.flow.work import Work, wait

_MOST_DRAWN = 200  # names of keys of ours that are being made in a vault
_MOST_MADE = 2000  # names of keys of ours that a vault is known to hold: some 130 KB of the 360 that a memory may have
_LONGEST_PART = 40  # characters of a workspace's name in the name of its key


def advance(work: Work, plan: Plan, snapshot: Snapshot, memory: Memory) -> None:
    """Do the first thing that is left, and come back for the next."""
    note_done(work, plan)
    step, now = plan.steps[0], work.ports.clock.now()
    if step.not_before and step.not_before > now:
        wait(work, step.not_before, "MustSettle")
    elif step.by_hand:
        _ask(work, step)
    else:
        _go(work, step, snapshot, memory)


def note_done(work: Work, plan: Plan) -> None:
    """Keep in hand that what was sent before and is not left any more has come about: that is progress, whatever failed."""
    left, now = {step.id for step in plan.steps}, work.ports.clock.now()
    fresh = {it.id for it in work.row.plan.steps if it.sent and not it.done and it.id not in left}
    if fresh:
        steps = tuple(replace(it, done=now) if it.id in fresh else it for it in work.row.plan.steps)
        row = replace(work.row, plan=replace(work.row.plan, steps=steps), attempt=0)
        work.stored = replace(work.stored, row=row)


def adopt(ports: Ports, snapshot: Snapshot, memory: Memory) -> Memory:
    """Return the memory with the versions of the keys that are ours, noted once and for good.

    Raises Denied where a key that we did not make lies under a name of ours, and forgets it: a retry draws another.
    """
    found = snapshot.workspace
    vault = chosen(found, memory, ports.choices) if isinstance(found, Workspace) else None
    at = around(snapshot, vault) if vault else None
    if vault is None or at is None:
        return memory
    for layer in sorted({purpose(it, ports.choices) for it in LAYERS}):
        name, own = drawn(memory, at.target, layer), made(at, memory, layer, ports.choices)
        if foreign(at, memory, layer, ports.choices):
            ports.records.remember(vault, partial(_strange_here, name=name))
            ports.records.remember(snapshot.target, partial(_instead, name=name, by=()))
            said = "there is a key under the name that was drawn which cmkwarden did not make: retry draws another name"
            raise Denied("KeyNotOurs", said)
        if name and own and not name.version:
            ports.records.remember(vault, partial(_known_here, name=name))
            lesson = partial(_instead, name=name, by=(replace(name, version=own.version),))
            ports.records.remember(snapshot.target, lesson)
            memory = lesson(memory)
    return memory


def _instead(memory: Memory, name: Drawn | None, by: tuple[Drawn, ...]) -> Memory:
    return replace(memory, drawn=(*(it for it in memory.drawn if it != name), *by))


def _strange_here(memory: Memory, name: Drawn | None) -> Memory:
    """Return the memory of a vault without a name under which there is a key that we did not make."""
    made = tuple(it for it in memory.made if name is None or it != name.name.lower())
    return replace(_instead(memory, name, ()), made=made)


def _known_here(memory: Memory, name: Drawn) -> Memory:
    """Return the memory of a vault with a key of ours that was seen there: whatever else lies there nobody asked for."""
    made = dict.fromkeys([*memory.made, name.name.lower()])
    return replace(_instead(memory, name, ()), made=tuple(made)[-_MOST_MADE:])


def _go(work: Work, step: Step, snapshot: Snapshot, memory: Memory) -> None:
    ports = work.ports
    # A read may lag, and somebody may have changed it back: every other time it is sent again, and not for ever.
    is_again = any(it.id == step.id and it.done for it in work.row.plan.steps)
    if is_again and work.row.attempt % 2 == 0:
        raise Temporary("NotVisibleYet", f"{step.kind} was accepted, but a read does not show it")
    if step.kind == key.CREATE:
        memory = _draw(work, step, memory)
    if step.kind in _LESSONS:
        lesson = partial(_LESSONS[step.kind], layer=step.after["layer"], now=ports.clock.now())
        ports.records.remember(snapshot.target, lesson)
    found = values(snapshot, memory, ports.choices)
    is_done = send(work, step, found)
    if not is_done:
        wait(work, ports.clock.now() + ports.choices.poll, "OutcomeReadBack")
        return
    attempt = work.row.attempt + 1 if is_again else 0
    detail = {"step": step.id, "after": dict(resolve(step, found).after)}
    # The claim stays: this message, delivered again after a kill, has done its step and only sends the next one.
    work.move(State.QUEUED, "stepped", step.kind, detail, attempt=attempt, claim=work.row.claim)
    ports.queue.send(APPLY, Apply(work.row.id, work.row.plan.fingerprint).body())


def _asked(memory: Memory, layer: str, now: datetime) -> Memory:
    """Return the memory of a workspace for which Azure is asked to move a layer. From the disks on people must restart."""
    restart = memory.restart or now if layer == "managedDisk" else memory.restart
    return replace(memory, pending=tuple(dict.fromkeys([*memory.pending, layer])), restart=restart)


def _moving(memory: Memory, layer: str, now: datetime) -> Memory:
    """Return the memory of a workspace for which Azure is asked to put a layer on a newer version."""
    del now
    return replace(memory, moving=tuple(dict.fromkeys([*memory.moving, layer])))


# Kept before Azure is asked: after a change that has failed, what it shows of these layers is no proof.
_LESSONS = {workspace.ENCRYPT: _asked, workspace.REPOINT: _moving}


def _draw(work: Work, step: Step, memory: Memory) -> Memory:
    """Draw the name of a key that nobody can guess, and record it before anybody is asked for such a key (AZURE 2.3).

    Anew for each request: a name that was asked for once without a key to show for it may be known to somebody by now.
    """
    ports, row = work.ports, work.row
    vault, target = ids.parse(step.resource), ids.parse(row.target)
    layer = next(it for it in ("", *LAYERS) if key_name(it) == step.after["name"])
    part = re.sub("[^0-9a-z]+", "-", target.name.lower()).strip("-")[:_LONGEST_PART] or "workspace"
    name = Drawn(layer, vault.key, f"cmk-{part}-{secrets.token_hex(10)}", ports.clock.now())
    lesson = partial(_instead, name=drawn(memory, vault, layer), by=(name,))
    ports.records.remember(target, lesson)
    ports.records.remember(vault, partial(_made_here, name=name))
    return lesson(memory)


def _made_here(memory: Memory, name: Drawn) -> Memory:
    """Return the memory of a vault with the name of a key of ours, so that a look at the vault knows it for one."""
    return replace(memory, drawn=(*memory.drawn, name)[-_MOST_DRAWN:])


def _ask(work: Work, step: Step) -> None:
    """Tell people what is left for them; what was approved stays so."""
    said = f"{step.note}. Do it, then confirm: {', '.join(str(it) for it in step.after.values())}"
    decision = Decision(Kind.APPROVAL, AWAITS_CONFIRMATION, said)
    work.move(
        State.AWAITING_APPROVAL,
        "asked to confirm",
        AWAITS_CONFIRMATION,
        {"step": step.id},
        decision=replace(decision, owner=work.row.decision.owner),
        attempt=0,
    )
    work.tell()
