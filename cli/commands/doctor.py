"""`doctor`: what the app finds when it looks at itself, and what only a caller sees, one line each with what to do."""

from typing import Annotated, Any

import typer

from cli import doors, outside
from cli.app_client import Refused, Unreachable
from cli.commands.reading import OutputForm
from cli.login import NotSignedIn
from cli.output import Form
from cli.problems import todo
from cli.session import FAULT, Session, connected

_NAMES = ("RESULT", "CHECK", "WHAT", "WHAT TO DO")


Hand = Annotated[
    str,
    typer.Option(
        "--hand",
        metavar="URL",
        help="Where the app that writes is (CMK_PART=hand), to see that nobody gets in there.",
    ),
]


@connected
def doctor(session: Session, hand: Hand = "", form: OutputForm = Form.TABLE) -> None:
    """Look for what is wrong with the deployment, from outside and inside. Changes nothing; ends with 3 if it finds a fault.

    `unknown` means that a check could not be done: it is no pass, and no fault either.

    Example: cmkwarden doctor --url https://cmkwarden.example.net
    """
    seen = list(outside.checks(session.app))
    if any(it.name == "reachable" and it.result == outside.PASS for it in seen):
        seen += doors.checks(session.app)
    found: list[Any] = [it.told() for it in (*seen, *([doors.hand(hand)] if hand else []))]
    if any(it["name"] == "token" and it["result"] == outside.PASS for it in found):
        found += _inside(session)
    else:
        found.append(
            outside.Check(
                "inside",
                "inside",
                outside.UNKNOWN,
                "the app was not asked to look at itself",
                "mend what is above first",
            ).told()
        )
    rows = [(it["result"], it["name"], it["message"], it["todo"]) for it in found]
    if form is Form.JSON:
        session.output.json(found)
    elif form is Form.CSV:
        session.output.csv([name.lower() for name in _NAMES], rows)
    else:
        session.output.table(_NAMES, rows)
    told = {name: sum(it["result"] == name for it in found) for name in ("pass", "warn", "unknown", "fail")}
    session.output.say(", ".join(f"{count} {name}" for name, count in told.items()))
    if outside.is_fault(found):
        raise typer.Exit(FAULT)


def _inside(session: Session) -> list[Any]:
    try:
        body = session.app.get("/api/doctor").body
        checks = body.get("checks") if isinstance(body, dict) else None
        if isinstance(checks, list) and all(isinstance(it, dict) and set(it) >= outside.FIELDS for it in checks):
            return checks
        said, what = "its answer is no list of checks", "is the app of this version?"
    except (Unreachable, NotSignedIn) as error:
        said, what = str(error), "ask again; look at the app's log"
    except Refused as error:
        said, what = f"{error.title}: {error.detail}", todo(error.status, error.reason)
    return [outside.Check("inside", "inside", outside.FAIL, f"the app could not look at itself: {said}", what).told()]
