"""Commands that only read: findings, remediations, one record, an explanation, tickets."""

from typing import Annotated, Any

import typer

from cli import lists, show
from cli.app_client import Refused
from cli.output import Form
from cli.safe import block, plain
from cli.session import Session, connected

OutputForm = Annotated[
    Form, typer.Option("--output", "-o", help="table for eyes, json as the API said it, csv for a spreadsheet.")
]
Every = Annotated[bool, typer.Option("--all", help="Everything, however much there is.")]
Limit = Annotated[int, typer.Option("--limit", help="How many rows at most.")]
State = Annotated[str, typer.Option("--state", help="Only these, as awaiting_approval or failed.")]
Control = Annotated[str, typer.Option("--control", help="Only this control, as KV-RECOVERY.")]
Target = Annotated[str, typer.Option("--target", help="Only this resource: its whole ARM id.")]
RecordId = Annotated[str, typer.Argument(metavar="ID", help="The id of the record, or its beginning.")]
_FEW = 50
_TICKET = frozenset({"state", "reason", "markdown"})


@connected
def findings(
    session: Session, state: State = "", control: Control = "", target: Target = "", form: OutputForm = Form.TABLE,
    limit: Limit = _FEW, everything: Every = False,
) -> None:  # fmt: skip
    """List what is not as it should be, or could not be judged.

    Example: cmkwarden findings --state awaiting_approval
    """
    rows = lists.fetched(
        session, "/api/findings", limit, everything=everything, state=state, control=control, target=target
    )
    lists.listed(session, form, lists.FINDINGS, "findings", rows)


@connected
def remediations(
    session: Session, state: State = "", control: Control = "", target: Target = "", form: OutputForm = Form.TABLE,
    limit: Limit = _FEW, everything: Every = False,
) -> None:  # fmt: skip
    """List all records, closed ones too.

    Example: cmkwarden remediations --control KV-ACCESS --all -o csv
    """
    rows = lists.fetched(
        session, "/api/remediations", limit, everything=everything, state=state, control=control, target=target
    )
    lists.listed(session, form, lists.REMEDIATIONS, "remediations", rows)


@connected
def show_record(session: Session, row_id: RecordId, form: OutputForm = Form.TABLE) -> None:
    """Show one record: what is wrong, the plan with before and after, its history, and what to type next.

    Example: cmkwarden show kfvlm4jz
    """
    record = session.record(row_id).body
    if form is Form.TABLE:
        show.shown(session, record, _ticket_of(session, str(record["id"])))
    else:
        _written(session, form, "remediations", record)


def _ticket_of(session: Session, row_id: str) -> Any:
    try:
        return session.asked(f"/api/tickets/{row_id}", _TICKET).body
    except Refused as error:
        if error.reason != "NotFound":
            raise
        return None


def _written(session: Session, form: Form, what: str, record: Any) -> None:
    if form is Form.JSON:
        session.output.json(record)
    else:
        lists.listed(session, form, (), what, [record])


@connected
def explain(
    session: Session, resource: Annotated[str, typer.Argument(metavar="RESOURCE", help="The whole ARM id of a key vault or a workspace.")],
    form: OutputForm = Form.TABLE,
) -> None:  # fmt: skip
    """Say what every control thinks of a resource now, and what would be decided. Writes nothing.

    Example: cmkwarden explain /subscriptions/…/providers/Microsoft.KeyVault/vaults/kv-claims
    """
    told = session.asked("/api/explain", frozenset({"verdicts", "resource", "read"}), resource=resource).body
    names = ("CONTROL", "SUBJECT", "VERDICT", "REASON", "WOULD BE", "BECAUSE", "RECORD")
    rows = [
        (it["control"], str(it["subject"]).rsplit("/", 1)[-1], it["verdict"], it["finding"]["reason"], it["decision"]["kind"], it["decision"]["message"], it["remediation"])
        for it in told["verdicts"]
    ]  # fmt: skip
    if form is Form.JSON:
        session.output.json(told)
    elif form is Form.CSV:
        session.output.csv(names, rows)
    else:
        session.output.line(f"{plain(told['resource'])}: {plain(told['read'])}")
        session.output.table(names, rows)


@connected
def tickets(
    session: Session, row_id: Annotated[str, typer.Argument(metavar="[ID]", help="One ticket, as Markdown.")] = "",
    state: Annotated[str, typer.Option("--state", help="open or closed.")] = "", form: OutputForm = Form.TABLE,
    limit: Limit = _FEW, everything: Every = False,
) -> None:  # fmt: skip
    """List what people have to see to, or print one ticket as Markdown.

    Example: cmkwarden tickets kfvlm4jz7romrnt7 > ticket.md
    """
    if not row_id:
        rows = lists.fetched(session, "/api/tickets", limit, everything=everything, state=state)
        lists.listed(session, form, lists.TICKETS, "tickets", rows)
        return
    ticket = session.asked(f"/api/tickets/{session.whole(row_id)}", _TICKET).body
    if form is Form.TABLE:
        session.output.line(block(ticket["markdown"]))
    else:
        _written(session, form, "tickets", ticket)
