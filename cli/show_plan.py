"""A plan for eyes: each step with what is there and what will be, and what nobody can undo marked where it stands."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.lists import when
from cli.safe import plain

Line = tuple[str, str]  # what is said, and how it looks
_LONGEST = 300  # letters of one value


def plan(record: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the plan of a record, line by line."""
    steps = record["plan"]["steps"]
    if not steps:
        yield "PLAN     nothing is written: there are no steps", "bold"
        return
    final = sum(bool(step["irreversible"]) for step in steps)
    mark = f", {final} of them CANNOT BE UNDONE" if final else ", all of them can be undone"
    yield f"PLAN     {len(steps)} step{'s' * (len(steps) != 1)}{mark}", "bold"
    yield f"         fingerprint {plain(record['plan']['fingerprint'])}", ""
    for number, step in enumerate(steps, 1):
        yield from _step(number, step)


def _step(number: int, step: Mapping[str, Any]) -> Iterator[Line]:
    marks = [
        *(["IRREVERSIBLE"] if step["irreversible"] else []), *(["gives access"] if step["grants"] else []),
        *(["by hand"] if step["by_hand"] else []), *([f"done {when(step['done'])}"] if step["done"] else []),
    ]  # fmt: skip
    told = f"  [{', '.join(marks)}]" if marks else ""
    yield f"  {number}. {plain(step['kind'])}{told}", "bold red" if step["irreversible"] else "bold"
    yield f"     at {plain(step['resource'])}", ""
    for name, before, after in changes(step["before"], step["after"]):
        yield f"     {plain(name)}: {before} -> {after}", ""
    if step["note"]:
        yield f"     {plain(step['note'])}", ""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what changes: its name, what is there, what will be. Where nothing differs, everything."""
    names = [*after, *(name for name in before if name not in after)]
    different = [name for name in names if before.get(name) != after.get(name)] or names
    for name in different:
        yield name, _value(before, name), _value(after, name)


def _value(side: Mapping[str, Any], name: str) -> str:
    if name not in side:
        return "(nothing)"
    value = side[name]
    text = plain(value) if isinstance(value, str) else plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… (cut: see -o json)"


def irreversible(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the steps that cannot be undone."""
    return [step for step in record["plan"]["steps"] if step["irreversible"]]
