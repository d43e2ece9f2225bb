"""A ticket as Markdown (GFM). Everything that came from Azure or from people passes through `escape`; the rest is ours."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.core.record import PlannedStep
from shared.core.ticket.content import Content
from shared.core.ticket.escape import NOTHING, block, cell, sentence, value
from shared.core.ticket.rule import Note, Standing, Ticket

_LANGUAGES = {"az": "sh", "terraform": "hcl", "bicep": "bicep"}


def markdown(ticket: Ticket, notes: Sequence[Note]) -> str:
    """Return the whole ticket with its history."""
    it = ticket.content
    parts = [
        f"# {sentence(it.title)}",
        _standing(ticket),
        *_wrong(it),
        *_why(it),
        *_preflight(it),
        *_plan(it),
        *_expected(it),
        *_by_hand(it),
        *_decision(it),
        "## Links",
        "\n".join(f"- [{link.name}]({link.url})" for link in it.links),
        "## History of this ticket",
        _table(("When", "What", "Reason", "Said"), (_noted(note) for note in notes)),
    ]
    return "\n\n".join(parts) + "\n"


def _standing(ticket: Ticket) -> str:
    it = ticket.content
    said = "open" if ticket.standing is Standing.OPEN else f"closed: {cell(ticket.reason)}"
    return _table(
        ("Ticket", "Remediation", "Target", "Subject", "Owner by its tags", "Severity", "Occurrence"),
        [(said, cell(it.state), cell(it.target, 2048), cell(it.subject), cell(it.owner), cell(it.severity), str(ticket.occurrence))],
    )  # fmt: skip


def _wrong(it: Content) -> Iterator[str]:
    yield "## What is wrong"
    yield f"{value(it.reason)} {sentence(it.message, 2000)}"
    if it.stands_in_the_way:
        yield f"**In the way stands:** {sentence(it.stands_in_the_way, 2000)}"
    if it.layers:
        rows = ((cell(at.layer), cell(at.verdict), cell(at.reason), sentence(at.message)) for at in it.layers)
        yield _table(("Layer", "Verdict", "Reason", "Says"), rows)


def _why(it: Content) -> Iterator[str]:
    if it.rules:
        yield "## Why it matters"
        rows = ((sentence(at.framework), cell(at.id), "supporting" if at.supports else "official") for at in it.rules)
        yield _table(("Framework", "Rule", "Mapping"), rows)


def _preflight(it: Content) -> Iterator[str]:
    if it.preflight:
        yield "## Before the first step"
        rows = ((sentence(at.check), cell(at.result), sentence(at.message), sentence(at.todo)) for at in it.preflight)
        yield _table(("Check", "Result", "Says", "To do"), rows)


def _plan(it: Content) -> Iterator[str]:
    if not it.steps:
        return
    yield "## The plan"
    yield f"Fingerprint {value(it.fingerprint)}. An approval names it and covers exactly these steps."
    rows = (_step(number, step) for number, step in enumerate(it.steps, 1))
    yield _table(("Step", "Resource", "Property", "Before", "After", "Can be undone", "Done"), rows)
    if it.permissions:
        yield f"Permissions that the writer needs: {', '.join(value(name) for name in it.permissions)}."


def _step(number: int, step: PlannedStep) -> tuple[str, ...]:
    names = [*step.after, *(name for name in step.before if name not in step.after)]
    changed = [name for name in names if step.before.get(name) != step.after.get(name)] or names
    sides = [_lines(_shown(side, name) for name in changed) for side in (step.before, step.after)]
    undone = "**no: irreversible**" if step.irreversible else "yes"
    note = f"<br>{sentence(step.note)}" if step.note else ""
    who = "<br>**by a person**" if step.by_hand else ""
    done = f"{step.done:%Y-%m-%d %H:%M} UTC" if step.done else "not yet"
    return (
        f"{number}. {cell(step.kind)}{who}{note}",
        cell(step.resource, 2048),
        _lines(map(cell, changed)),
        *sides,
        undone,
        done,
    )


def _shown(side: Mapping[str, Any], name: str) -> str:
    return cell(json.dumps(side[name], ensure_ascii=False, default=str)) if name in side else NOTHING


def _lines(found: Iterable[str]) -> str:
    """Several values in one cell: the only HTML there is, and it is ours."""
    return "<br>".join(found) or NOTHING


def _expected(it: Content) -> Iterator[str]:
    if it.notes or it.vault or it.eligible:
        yield "## What to expect"
    if it.vault:
        yield f"The keys are to live in {value(it.vault, 2048)}."
    elif it.eligible:
        yield "No vault is chosen yet. These may be picked:"
        yield "\n".join(f"- {value(vault, 2048)}" for vault in it.eligible)
    if it.notes:
        yield "\n".join(f"- {sentence(text, 2000)}" for text in it.notes)


def _by_hand(it: Content) -> Iterator[str]:
    if it.proposed:
        yield "## For the owner to do"
        yield block("\n".join(it.proposed), "sh")
    if it.hints:
        yield "## By hand, and in templates"
        for name, lines in it.hints.items():
            yield block("\n".join(lines), _LANGUAGES.get(name, ""))


def _decision(it: Content) -> Iterator[str]:
    yield "## What was decided"
    yield f"{value(it.decision.kind)}, {value(it.decision.reason)}: {sentence(it.decision.message, 2000)}"
    if it.decision.due:
        yield f"It is decided anew at {it.decision.due:%Y-%m-%d %H:%M} UTC."
    if it.approvers:
        until = f", until {it.until:%Y-%m-%d %H:%M} UTC" if it.until else ""
        yield f"**Who may approve{until}:** {it.approvers}."
    rows = (
        (cell(at.person), f"{at.given:%Y-%m-%d %H:%M} UTC", f"{at.expires:%Y-%m-%d %H:%M} UTC", sentence(at.comment))
        for at in it.approvals
    )
    if it.approvals:
        yield _table(("Approved by", "Given", "Until", "Comment"), rows)


def _noted(note: Note) -> tuple[str, ...]:
    return (f"{note.time:%Y-%m-%d %H:%M:%S} UTC", note.event, cell(note.reason), sentence(note.text, 4000))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (names, ["---"] * len(names), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
