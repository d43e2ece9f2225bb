"""`poison`: what could not be worked on, and why; `redrive`: try one of these again."""

from typing import Annotated

import typer

from cli import lists
from cli.commands.reading import Every, Limit, OutputForm
from cli.output import Form
from cli.safe import plain
from cli.session import Session, connected

_FEW = 50
PoisonId = Annotated[str, typer.Argument(metavar="ID", help="The id of the record of poison, as `poison` lists it.")]


@connected
def poison(session: Session, form: OutputForm = Form.TABLE, limit: Limit = _FEW, everything: Every = False) -> None:
    """List what failed for good: events that made no sense, messages that killed their worker or failed nine times.

    Example: cmkwarden poison
    """
    rows = lists.fetched(session, "/api/poison", limit, everything=everything)
    lists.listed(session, form, lists.POISON, "poison", rows)


@connected
def redrive(session: Session, poison_id: PoisonId) -> None:
    """Try one of these again. Of an event nothing is kept that could be: the nightly sweep finds what it spoke of.

    Example: cmkwarden redrive kfvlm4jz7romrnt7
    """
    found = session.app.send("POST", f"/api/poison/{poison_id.strip()}/redrive").body
    session.output.line(f"{plain(found['id'])} tried again: {plain(found['source'])} {plain(found['reference'])}")
