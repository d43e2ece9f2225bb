"""`sweep`: have the whole estate looked over now for what no event told of; `sweeps`: how the latest went."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.commands.reading import OutputForm
from cli.lists import when
from cli.output import Form
from cli.safe import plain
from cli.session import Session, connected

PARTIAL = 4  # something could not be read, as `scan` says it
_EVERY = 1.0  # seconds between two looks
_FIELDS = frozenset({"id", "shares", "is_over", "unread", "found", "hidden", "listed"})
_NAMES = ("ID", "BEGAN", "BY", "STATE", "TARGETS", "MISSED", "UNREAD")
Wait = Annotated[bool, typer.Option("--wait", help="Follow it to its end. Ctrl-C stops the waiting, not the sweep.")]


@connected
def sweep(session: Session, wait: Wait = False) -> None:
    """Have the estate looked over: what differs from the last look is judged anew. While one runs, that one is followed.

    Ends with 4 where, after --wait, a subscription or the keys of a vault could not be read: nothing of it was closed.

    Example: cmkwarden sweep --wait
    """
    begun: Mapping[str, Any] = session.app.send("POST", "/api/sweeps", None, "").body
    found = _followed(session, str(begun["id"])) if wait else begun
    session.output.line(_said(found))
    for share in found["shares"]:
        if share["progress"] == "unread":
            session.output.say(f"{plain(share['subscription'])} could not be read: {plain(share['problem'])}", "red")
    if found["hidden"]:
        session.output.say(
            f"the keys of {plain(found['hidden'])} vaults could not be listed: run `cmkwarden doctor`", "red"
        )
    if wait and (found["unread"] or found["hidden"]):
        raise typer.Exit(PARTIAL)


@connected
def sweeps(session: Session, form: OutputForm = Form.TABLE) -> None:
    """List the latest sweeps: what they looked over, what no event had told of, what could not be read.

    Example: cmkwarden sweeps
    """
    items = session.app.get("/api/sweeps").body["items"]
    rows = [
        (
            plain(it["id"]), when(it["began"]), plain(it["by"]) or "timer", _state(it), plain(it["listed"]),
            plain(it["found"]), str(len(it["unread"])),
        )
        for it in items
    ]  # fmt: skip
    if form is Form.JSON:
        session.output.json(items)
    elif form is Form.CSV:
        session.output.csv([name.lower() for name in _NAMES], rows)
    else:
        session.output.table(_NAMES, rows)


def _followed(session: Session, sweep_id: str) -> Mapping[str, Any]:
    session.output.say("waiting (Ctrl-C stops the waiting, not the sweep) …", "dim")
    seen = ""
    while True:
        found: Mapping[str, Any] = session.asked(f"/api/sweeps/{sweep_id}", _FIELDS).body
        done = sum(share["progress"] != "waiting" for share in found["shares"])
        told = f"{done} of {len(found['shares'])} subscriptions, {plain(found['listed'])} targets, {plain(found['found'])} differ"
        if told != seen:
            session.output.say(told)
            seen = told
        if found["is_over"]:
            return found
        time.sleep(_EVERY)


def _said(found: Mapping[str, Any]) -> str:
    """Return what became of a sweep, as one line that a script can read too."""
    return (
        f"{plain(found['id'])} {_state(found)} {plain(found['listed'])} targets, {plain(found['found'])} of which no event had told, "
        f"{len(found['unread'])} subscriptions unread"
    )


def _state(found: Mapping[str, Any]) -> str:
    return "over" if found["is_over"] else "running"
