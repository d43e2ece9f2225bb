"""Commands with which people decide: no, back, again, undone, done by hand, this vault, not here. Each needs a reason."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.commands.reading import RecordId
from cli.lists import named
from cli.safe import plain
from cli.session import Session, connected
from cli.until import until

Comment = Annotated[str, typer.Option("--comment", help="Why. It is kept, and everybody reads it.")]
Far = Annotated[
    str, typer.Option("--until", help="Until when: 30d, 2w, or a time as 2026-12-24T18:00Z. 90 days at most.")
]


def said(session: Session, record: Mapping[str, Any]) -> None:
    """Write what became of a record, as one line that a script can read too."""
    session.output.line(f"{plain(record['id'])} {plain(record['state'])} {named(record)}")


def _decided(session: Session, row_id: str, verb: str, body: Mapping[str, str] | None) -> None:
    seen = session.record(row_id)
    said(session, session.app.send("POST", f"/api/remediations/{seen.body['id']}/{verb}", body, seen.etag).body)


@connected
def reject(session: Session, row_id: RecordId, comment: Comment) -> None:
    """Say no. It stands until the plan changes or somebody retries.

    Example: cmkwarden reject kfvlm4jz --comment "the workspace goes away on Friday"
    """
    _decided(session, row_id, "reject", {"comment": comment})


@connected
def cancel(session: Session, row_id: RecordId, comment: Comment) -> None:
    """Take back what was approved and has not been carried out: it awaits approval again.

    Example: cmkwarden cancel kfvlm4jz --comment "wrong vault"
    """
    _decided(session, row_id, "cancel", {"comment": comment})


@connected
def retry(session: Session, row_id: RecordId) -> None:
    """Judge a failed, rejected or expired record anew. What it then needs, it asks for.

    Example: cmkwarden retry kfvlm4jz
    """
    _decided(session, row_id, "retry", None)


@connected
def undo(session: Session, row_id: RecordId, comment: Comment, for_: Far) -> None:
    """Ask for the way back of what was done. It is a record of its own, which somebody else approves.

    Until --until the finding is exempted, or it would be put right again at once.

    Example: cmkwarden undo kfvlm4jz --comment "the nightly job broke" --until 14d
    """
    _decided(session, row_id, "undo", {"comment": comment, "until": until(for_, datetime.now(UTC))})


@connected
def confirm(session: Session, row_id: RecordId, comment: Comment) -> None:
    """Say that what only a person can do was done, as restarting the compute of a workspace.

    Example: cmkwarden confirm kfvlm4jz --comment "all clusters were restarted at 02:40"
    """
    _decided(session, row_id, "confirm", {"comment": comment})


@connected
def pick(
    session: Session, row_id: RecordId, vault: Annotated[str, typer.Argument(metavar="VAULT", help="The whole ARM id of the vault.")],
    comment: Comment,
) -> None:  # fmt: skip
    """Pick the vault where a workspace's keys are to live. Somebody else then approves the migration.

    Example: cmkwarden pick kfvlm4jz /subscriptions/…/vaults/kv-keys-west --comment "agreed with platform"
    """
    _decided(session, row_id, "vault", {"vault": vault, "comment": comment})


@connected
def exempt(session: Session, row_id: RecordId, comment: Comment, for_: Far) -> None:
    """Ask that a finding be left as it is until a time. It is a record of its own, which somebody else approves.

    Example: cmkwarden exempt kfvlm4jz --comment "moves to the new tenant in May" --until 60d
    """
    body = {"remediation": session.whole(row_id), "reason": comment, "until": until(for_, datetime.now(UTC))}
    said(session, session.app.send("POST", "/api/exemptions", body).body)


@connected
def unexempt(
    session: Session, row_id: RecordId,
    comment: Annotated[str, typer.Option("--comment", help="Why, if you want to say.")] = "",
) -> None:  # fmt: skip
    """End an exemption before its time: the finding counts again from now on.

    ID is the record that is exempted, or the one that asked for it.

    Example: cmkwarden unexempt kfvlm4jz --comment "the move is off"
    """
    seen = session.record(row_id)
    if seen.body["exempts"]:  # the wish was named, and what it asked for is meant
        seen = session.record(str(seen.body["exempts"]))
    body = {"comment": comment} if comment else None
    said(session, session.app.send("DELETE", f"/api/exemptions/{seen.body['id']}", body, seen.etag).body)


@connected
def key_request(
    session: Session,
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE", help="The whole ARM id of the workspace.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. It is kept, and everybody reads it.")],
) -> None:
    """Ask for a key of a workspace's own. It is a record of its own, which somebody else approves.

    The deployment says in which vault it is made; its name is drawn. While a request is open, that one is shown.

    Example: cmkwarden key-request /subscriptions/…/workspaces/dbw-claims --reason "its key serves two tenants"
    """
    said(session, session.app.send("POST", "/api/key-requests", {"workspace": workspace, "reason": reason}).body)
