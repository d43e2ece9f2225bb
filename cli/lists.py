"""Lists as tables, JSON and CSV. JSON is what the API said; a table shows what fits a line, CSV everything that is one word."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.output import Form
from cli.safe import plain
from cli.session import Session, Usage

Row = Mapping[str, Any]
Columns = Sequence[tuple[str, Callable[[Row], Any]]]


def field(path: str) -> Callable[[Row], Any]:
    """Return a reader of a field; a dot goes down one level."""

    def read(row: Row) -> Any:
        value: Any = row
        for word in path.split("."):
            value = value.get(word) if isinstance(value, Mapping) else None
        return value

    return read


def short(path: str) -> Callable[[Row], Any]:
    """Return a reader of the last part of an ARM id."""
    read = field(path)
    return lambda row: str(read(row) or "").rsplit("/", 1)[-1]


def moment(path: str) -> Callable[[Row], Any]:
    """Return a reader of a time, to the minute and in UTC."""
    read = field(path)
    return lambda row: when(read(row))


def when(text: Any) -> str:
    """Return a time as people read it; what is no time as it is. Harmless either way."""
    said = plain(text)
    return f"{said[:16].replace('T', ' ')}Z" if len(said) > 16 and said[10:11] == "T" else said


FINDINGS: Columns = (
    ("ID", field("remediation")), ("SEVERITY", field("severity")), ("CONTROL", field("control")),
    ("STATE", field("state")), ("TARGET", short("target")), ("SUBJECT", short("subject")), ("REASON", field("reason")),
)  # fmt: skip
REMEDIATIONS: Columns = (
    ("ID", field("id")), ("CONTROL", field("control")), ("STATE", field("state")), ("DECISION", field("decision.reason")),
    ("TARGET", short("target")), ("SUBJECT", short("subject")), ("STEPS", lambda row: len(field("plan.steps")(row) or ())),
    ("UPDATED", moment("updated")),
)  # fmt: skip
TICKETS: Columns = (
    ("ID", field("id")), ("STATE", field("state")), ("CONTROL", field("control")), ("OWNER", field("owner")),
    ("TITLE", field("title")), ("UPDATED", moment("updated")),
)  # fmt: skip
POISON: Columns = (
    ("ID", field("id")), ("SOURCE", field("source")), ("REASON", field("reason")), ("MESSAGE", field("message")),
    ("SINCE", moment("time")), ("TRIED AGAIN", moment("redriven")),
)  # fmt: skip
_WHOLE: Mapping[str, Columns] = {
    "findings": [
        (name, field(name))
        for name in ("remediation", "severity", "control", "title", "state", "verdict", "target", "subject", "reason", "message", "opened", "updated")
    ],
    "remediations": [
        (name, field(name))
        for name in ("id", "control", "state", "verdict", "target", "subject", "decision.kind", "decision.reason", "finding.reason", "finding.message", "plan.fingerprint", "occurrence", "opened", "updated")
    ],
    "poison": [
        (name, field(name)) for name in ("id", "source", "reference", "reason", "message", "time", "redriven", "person")
    ],
    "tickets": [
        (name, field(name))
        for name in ("id", "state", "reason", "control", "target", "subject", "owner", "title", "occurrence", "opened", "updated")
    ],
}  # fmt: skip


def listed(session: Session, form: Form, columns: Columns, what: str, rows: Sequence[Row]) -> None:
    """Write a list. An empty table says so on standard error."""
    if form is Form.JSON:
        session.output.json(rows)
    elif form is Form.CSV:
        whole = _WHOLE[what]
        session.output.csv([name for name, _ in whole], [[read(row) for _, read in whole] for row in rows])
    elif rows:
        session.output.table([name for name, _ in columns], [[read(row) for _, read in columns] for row in rows])
    else:
        session.output.say(f"no {what}")


def fetched(session: Session, path: str, limit: int, *, everything: bool, **query: str) -> list[Row]:
    """Return the rows of a list, and say on standard error where there may be more."""
    if limit < 1:
        raise Usage("--limit must be at least 1")
    found = list(session.app.rows(path, None if everything else limit + 1, **query))
    if not everything and len(found) > limit:
        session.output.say(f"the first {limit}; there are more: --all, or --limit N", "dim")
        return found[:limit]
    return found


def named(row: Row) -> str:
    """Return what a row is called in a sentence."""
    return f"{plain(row.get('control'))} at {plain(str(row.get('target') or '').rsplit('/', 1)[-1])}"
