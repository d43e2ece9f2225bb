"""`what-if`: what would happen if the settings were others, before anybody changes them. The app writes nothing for it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.commands.reading import OutputForm
from cli.lists import when
from cli.output import Form
from cli.safe import plain
from cli.session import Session, Usage, connected

_FIELDS = frozenset({"fates", "steps", "touched", "items", "left_out", "oldest", "targets", "silent", "unread"})
_NAMES = ("FATE", "CONTROL", "TARGET", "SUBJECT", "STEPS", "FOR EVER", "OWNER", "REASON", "RECORD")
_TOP = 20
_MEANS: Mapping[str, str] = {
    "auto": "would happen by itself", "approval": "would be asked for", "ticket": "would be a ticket",
    "observe": "would only be recorded", "suppressed": "left out: a person has said so", "under_way": "is on its way already",
    "rests": "stays rejected, failed or expired", "ends": "would end: its control would be off",
    "not_known": "is not known: the record does not say enough",
}  # fmt: skip
Mode = Annotated[str, typer.Option("--mode", help="As if CMK_MODE were this: observe, approve or auto.")]
ModeOf = Annotated[
    list[str] | None,
    typer.Option("--mode-of", metavar="CONTROL=MODE", help="As if CMK_MODE_<CONTROL> were this, as KV-ACCESS=auto. Can be repeated."),
]  # fmt: skip
AutoScope = Annotated[
    str | None,
    typer.Option("--auto-scope", metavar="IDS", help="As if CMK_AUTO_SCOPE were this: ids between commas; '' for nowhere."),
]  # fmt: skip


@connected
def what_if(
    session: Session, mode: Mode = "", mode_of: ModeOf = None, auto_scope: AutoScope = None,
    form: OutputForm = Form.TABLE,
) -> None:  # fmt: skip
    """Say what would happen to every finding on record if the settings were others. Nothing is written, Azure is not asked.

    It rests on the last look at each target: how old the oldest is, it says.

    Example: cmkwarden what-if --mode auto --auto-scope 11111111-2c6d-4f0a-8b1e-5d9c7a3e0001
    """
    if any("=" not in it for it in mode_of or ()):
        raise Usage("give --mode-of as CONTROL=MODE, as KV-ACCESS=auto")
    query = {
        "mode": mode,
        "modes": ",".join(mode_of or ()),
        **({} if auto_scope is None else {"auto_scope": auto_scope or ","}),
    }
    found: Mapping[str, Any] = session.asked("/api/what-if", _FIELDS, **query).body
    if form is Form.JSON:
        session.output.json(found)
    elif form is Form.CSV:
        session.output.csv([name.lower().replace(" ", "_") for name in _NAMES], [_row(it) for it in found["items"]])
        _left_out(session, found["left_out"])
    else:
        _shown(session, found)


def _shown(session: Session, found: Mapping[str, Any]) -> None:
    say, out = session.output.say, session.output.line
    for fate, count in found["fates"].items():
        if count:
            out(f"{plain(count):>6}  {_MEANS.get(fate, plain(fate))}")
    if not any(found["fates"].values()):
        out("there is no finding on record")
    for it in found["steps"]:
        if it["fate"] in {"auto", "approval"}:
            final = f", {plain(it['irreversible'])} of them cannot be undone" if it["irreversible"] else ""
            out(f"        {plain(it['steps'])} x {plain(it['kind'])} {_MEANS[it['fate']]}{final}")
    for it in found["touched"]:
        if it["plans"]:
            counts = ", ".join(
                f"{plain(it[name]['count'])} {name}" for name in ("subscriptions", "workspaces", "owners", "principals")
            )
            out(f"        what {_MEANS[it['fate']]} touches {counts}")
    items = found["items"][:_TOP]
    if items:
        out()
        session.output.table(_NAMES, [_row(it) for it in items])
    _left_out(session, len(found["items"]) - len(items) + int(found["left_out"]))
    say(
        f"from what is on record of {plain(found['targets'])} targets; the oldest look was at {when(found['oldest']) or 'no time'}"
    )
    _warned(session, found["silent"], found["unread"])


def _warned(session: Session, silent: Sequence[str], unread: Sequence[str]) -> None:
    """Say what is missing from the answer: nobody must take it for nothing."""
    for it in silent:
        session.output.say(
            f"{plain(it)} is off today: nothing is on record of it. Set it to observe, then ask again", "red"
        )
    for it in unread:
        session.output.say(f"{plain(it)} could not be read when the estate was looked over last", "red")


def _left_out(session: Session, count: int) -> None:
    if count:
        session.output.say(f"{count} more: -o json has the first 200, the numbers above have all", "dim")


def _row(it: Mapping[str, Any]) -> Sequence[Any]:
    return (
        it["fate"], it["control"], str(it["target"]).rsplit("/", 1)[-1], str(it["subject"]).rsplit("/", 1)[-1],
        len(it["steps"]), len(it["irreversible"]) or "", it["owner"], it["reason"], it["remediation"],
    )  # fmt: skip
