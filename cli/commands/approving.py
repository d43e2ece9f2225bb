"""`approve`: the plan is shown, what cannot be undone is marked, and the yes is for exactly what was seen."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.app_client import Answer
from cli.commands.deciding import Comment, said
from cli.commands.reading import RecordId
from cli.lists import named
from cli.safe import plain
from cli.session import REFUSED, Session, Usage, connected
from cli.show_plan import irreversible, plan
from cli.until import until
from cli.waiting import ended_well, followed

Until = Annotated[str, typer.Option("--until", help="How long the yes holds: 3d, 12h, or a time as 2026-12-24T18:00Z.")]
Fingerprint = Annotated[str, typer.Option("--fingerprint", help="The plan that you saw; another one is not approved.")]
Yes = Annotated[
    bool, typer.Option("--yes", help="Do not ask. Of a plan that cannot be undone, only with --fingerprint.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow it until it ends; not 0 if it does not end well.")]


@connected
def approve(
    session: Session, row_id: RecordId, comment: Comment, for_: Until = "3d", fingerprint: Fingerprint = "",
    is_sure: Yes = False, wait: Wait = False,
) -> None:  # fmt: skip
    """Say yes to a plan, after seeing it. Whoever made the change, or asked for this, cannot.

    In a script, give what you saw: --fingerprint and --yes.

    Example: cmkwarden approve kfvlm4jz --comment "agreed with the owner, CHG-4711" --wait
    """
    expires = until(for_, datetime.now(UTC))
    if not session.output.is_terminal and not (fingerprint and is_sure):
        raise Usage(
            "nobody can be asked here: give --fingerprint with what you saw (`cmkwarden show` prints it), and --yes"
        )
    seen = session.record(row_id)
    record = seen.body
    _show(session, record)
    if record["state"] != "awaiting_approval":
        session.output.say(f"It does not await approval: it is {plain(record['state'])}.", "red")
        raise typer.Exit(REFUSED)
    now = str(record["plan"]["fingerprint"])
    if fingerprint and fingerprint != now:
        session.output.say(
            f"This is another plan than the one that you saw: its fingerprint is {plain(now)}. Nothing was approved.",
            "red",
        )
        raise typer.Exit(REFUSED)
    if not _agreed(session, record, is_sure=is_sure, was_named=bool(fingerprint)):
        session.output.say("Nothing was approved.")
        raise typer.Exit(REFUSED)
    _approved(session, seen, {"fingerprint": now, "comment": comment, "expires": expires}, wait=wait)


def _approved(session: Session, seen: Answer, body: Mapping[str, str], *, wait: bool) -> None:
    row_id = str(seen.body["id"])
    record = session.app.send("POST", f"/api/remediations/{row_id}/approve", body, seen.etag).body
    if record["state"] == "awaiting_approval":
        session.output.say("Your yes is on record. It takes a second person.", "yellow")
    elif wait:
        record = followed(session, row_id)
    said(session, record)
    if wait and record["state"] != "awaiting_approval" and not ended_well(record):
        raise typer.Exit(REFUSED)


def _show(session: Session, record: Mapping[str, Any]) -> None:
    session.output.say(f"{named(record)}: {plain(record['finding']['message'])}", "bold")
    session.output.say(f"TARGET   {plain(record['target'])}")
    for text, style in plan(record):
        session.output.say(text, style)


def _agreed(session: Session, record: Mapping[str, Any], *, is_sure: bool, was_named: bool) -> bool:
    """Ask the person, unless they have said beforehand that they are sure: of what is final only with what they saw."""
    final = irreversible(record)
    if is_sure and (was_named or not final):
        return True
    if not session.output.is_terminal:
        return False
    if not final:
        return _typed("Approve this plan? [y/N] ").lower() in {"y", "yes"}
    name = str(record["target"]).rsplit("/", 1)[-1]
    session.output.say(f"{len(final)} of these steps CANNOT BE UNDONE, by anybody.", "bold red")
    return _typed(f"Type the name of the target to approve it ({plain(name)}): ") in {name, plain(name)}


def _typed(question: str) -> str:
    """Ask on standard error: what was asked for is alone on standard output. The end of input is no."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()
