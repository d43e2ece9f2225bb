"""`history verify`: the chain of every change, computed again here and compared with what the app says of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.chain import broken, parted
from cli.commands.reading import OutputForm
from cli.output import Form
from cli.session import FAULT, Session, Usage, connected

group = typer.Typer(help="What happened to records, and whether anybody has changed the past.", no_args_is_help=True)
Verdict = tuple[str, int, str]  # the id, how many entries, what is wrong


@connected
def verify(
    session: Session, row_id: Annotated[str, typer.Argument(metavar="[ID]", help="One record.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every record that there is.")] = False,
    file: Annotated[Path | None, typer.Option("--file", help="What `cmkwarden show ID -o json` wrote: compare it with the app.")] = None,
    form: OutputForm = Form.TABLE,
) -> None:  # fmt: skip
    """Compute the hash chain of histories again and compare it with what the app says. Ends with 3 if one is broken.

    With --file, what you kept must be the beginning of what the app shows now: this finds a past that was rewritten whole.

    Example: cmkwarden history verify --all
    """
    if sum([bool(row_id), everything, file is not None]) != 1:
        raise Usage("say what to verify: one ID, --all, or --file F")
    found = list(_verdicts(session, row_id, file))
    rows = [(name, entries, "broken" if wrong else "whole", wrong) for name, entries, wrong in found]
    names = ("id", "entries", "chain", "wrong")
    if form is Form.JSON:
        session.output.json([dict(zip(names, row, strict=True)) for row in rows])
    elif form is Form.CSV:
        session.output.csv(names, rows)
    else:
        session.output.table([name.upper() for name in names], rows)
    bad = sum(bool(wrong) for _, _, wrong in found)
    session.output.say(f"{len(found)} histories, {bad} broken")
    if bad:
        raise typer.Exit(FAULT)


group.command("verify")(verify)


def _verdicts(session: Session, row_id: str, file: Path | None) -> Iterator[Verdict]:
    if file:
        for record in _kept(file):
            yield _compared(session, record)
    elif row_id:
        yield _verified(session, session.whole(row_id))
    else:
        for row in session.app.rows("/api/remediations", None):
            yield _verified(session, str(row["id"]))


def _verified(session: Session, row_id: str) -> Verdict:
    answer = session.record(row_id)
    history, ours = answer.body["history"], broken(answer.body["history"], answer.etag)
    theirs = str(answer.body["history_problem"])
    if bool(ours) != bool(theirs):
        says = theirs or "that it is whole"
        return row_id, len(history), f"{ours or 'whole, by our count'}; the app says {says}"
    return row_id, len(history), ours


def _compared(session: Session, kept: Mapping[str, Any]) -> Verdict:
    """Judge what was kept, and whether the app's history goes on from it."""
    row_id, history = str(kept["id"]), kept["history"]
    wrong = broken(history)
    if wrong:
        return row_id, len(history), f"in the file {wrong}"
    now = session.record(row_id)
    return row_id, len(history), parted(history, now.body["history"]) or broken(now.body["history"], now.etag)


def _read(text: str) -> Any:
    """Return JSON, or the JSON of each line: a pack of evidence has a record on each."""
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _kept(file: Path) -> Sequence[Mapping[str, Any]]:
    try:
        found = _read(file.read_text())
    except (OSError, ValueError) as error:
        raise Usage(f"{file} cannot be read: {error}") from None
    records = found if isinstance(found, list) else [found]
    if not records or not all(
        isinstance(it, dict) and isinstance(it.get("history"), list) and "id" in it for it in records
    ):
        raise Usage(f"{file} holds no record with its history: write one with `cmkwarden show ID -o json`")
    return records
