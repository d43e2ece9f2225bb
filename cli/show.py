"""One record for somebody tired: what is wrong, what stands in the way, the plan, who said what, and what to type next."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.lists import when
from cli.safe import plain
from cli.session import Session
from cli.show_plan import Line, plan

Record = Mapping[str, Any]
_STYLES = {"pass": "green", "fail": "red", "unknown": "magenta", "Compliant": "green", "NonCompliant": "red"}
_EVIDENCE = 2000  # letters of one value


def shown(session: Session, record: Record, ticket: Mapping[str, Any] | None) -> None:
    """Write the whole record."""
    parts = (_head, _finding, _layers, _preflight, plan, _decision, _approvals, _history)
    for part in parts:
        for text, style in part(record):
            session.output.line(text, style)
    for text, style in (*_ticket(ticket), *following(session, record)):
        session.output.line(text, style)


def _head(it: Record) -> Iterator[Line]:
    yield f"{plain(it['control'])}  {plain(it['state'])}  ({plain(it['id'])})", "bold"
    yield f"TARGET   {plain(it['target'])}", ""
    if it["subject"]:
        yield f"SUBJECT  {plain(it['subject'])}", ""
    since = f"opened {when(it['opened'])}, last changed {when(it['updated'])}"
    yield f"SINCE    {since}{f', occurrence {it["occurrence"]}' if it['occurrence'] > 1 else ''}", ""
    if it["requester"]:
        yield f"ASKED BY {plain(it['requester'])}", ""
    for word in ("undoes", "exempts"):
        if it[word]:
            yield f"{word.upper():<8} {plain(it[word])}", ""


def _finding(it: Record) -> Iterator[Line]:
    yield f"FINDING  {plain(it['verdict'])}: {plain(it['finding']['reason'])}", "bold"
    yield f"         {plain(it['finding']['message'])}", ""
    way = it["finding"]["evidence"].get("stands_in_the_way")
    if isinstance(way, Mapping):
        yield f"IN THE WAY {plain(way.get('reason'))}: {plain(way.get('message'))[:_EVIDENCE]}", "red"


def _layers(it: Record) -> Iterator[Line]:
    for layer in _objects(it, "layers"):
        told = f"{plain(layer.get('layer')):<18} {plain(layer.get('verdict'))}: {plain(layer.get('reason'))}"
        yield f"  layer  {told}", _STYLES.get(str(layer.get("verdict")), "")
        yield f"         {plain(layer.get('message'))}", ""


def _preflight(it: Record) -> Iterator[Line]:
    found = list(_objects(it, "preflight"))
    if found:
        yield "BEFORE   the first step these must be so", "bold"
    for check in found:
        result = plain(check.get("result"))
        yield f"  {result:<8} {plain(check.get('check'))}: {plain(check.get('message'))}", _STYLES.get(result, "")
        if check.get("todo"):
            yield f"           do: {plain(check.get('todo'))}", ""


def _objects(it: Record, name: str) -> Iterator[Mapping[str, Any]]:
    found = it["finding"]["evidence"].get(name)
    yield from (each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def _decision(it: Record) -> Iterator[Line]:
    decision = it["decision"]
    yield f"DECIDED  {plain(decision['kind'])}, {plain(decision['reason'])}: {plain(decision['message'])}", "bold"
    if decision["due"]:
        yield f"         decided anew at {when(decision['due'])}", ""
    if decision["owner"]:
        yield f"         owner by its tags: {plain(decision['owner'])}", ""
    exemption = it["exemption"]
    if exemption:
        yield (
            f"EXEMPTED by {plain(exemption['owner'])} until {when(exemption['expires'])}: {plain(exemption['reason'])}",
            "",
        )


def _approvals(it: Record) -> Iterator[Line]:
    for yes in it["approvals"]:
        yield (
            f"YES      {plain(yes['person'])} at {when(yes['given'])} until {when(yes['expires'])}: {plain(yes['comment'])}",
            "",
        )


def _history(it: Record) -> Iterator[Line]:
    state = "its chain is whole" if it["history_intact"] else f"ITS CHAIN IS BROKEN: {plain(it['history_problem'])}"
    yield f"HISTORY  {state}, says the app", "bold" if it["history_intact"] else "bold red"
    for entry in it["history"]:
        told = (
            f"{plain(entry['event'])} -> {plain(entry['state'])} by {plain(entry['actor'])}: {plain(entry['reason'])}"
        )
        yield f"  {entry['n']:>3} {when(entry['time'])} {told}", ""
        comment = entry["detail"].get("comment")
        if comment:
            yield f"      {plain(comment)}", ""


def _ticket(it: Mapping[str, Any] | None) -> Iterator[Line]:
    if it:
        yield f"TICKET   {plain(it['state'])}{f': {plain(it["reason"])}' if it['reason'] else ''}", "bold"


def following(session: Session, it: Record) -> Iterator[Line]:
    """Yield what to type next, by the state."""
    row_id, state = str(it["id"]), it["state"]
    reads = [session.again("explain", str(it["target"])), session.again("history", "verify", row_id)]
    decides: list[str] = {
        "awaiting_approval": [
            session.again("approve", row_id, "--comment", "why", decides=True),
            session.again("reject", row_id, "--comment", "why", decides=True),
            session.again("exempt", row_id, "--comment", "why", "--until", "30d", decides=True),
        ],
        "queued": [session.again("cancel", row_id, "--comment", "why", decides=True)],
        "failed": [session.again("retry", row_id, decides=True)],
        "rejected": [session.again("retry", row_id, decides=True)],
        "expired": [session.again("retry", row_id, decides=True)],
        "observed": [session.again("exempt", row_id, "--comment", "why", "--until", "30d", decides=True)],
    }.get(state, [])
    if state == "resolved" and any(step["done"] and not step["irreversible"] for step in it["plan"]["steps"]):
        decides = [session.again("undo", row_id, "--comment", "why", "--until", "30d", decides=True)]
    if it["decision"]["reason"] == "AwaitsConfirmation":
        decides = [session.again("confirm", row_id, "--comment", "how", decides=True)]
    if it["exemption"] and not it["exempts"] and not it["undoes"]:
        decides = [session.again("unexempt", row_id, decides=True)]
    eligible = it["finding"]["evidence"].get("eligible")
    if state == "observed" and isinstance(eligible, list) and eligible:
        decides = [session.again("pick", row_id, str(eligible[0]), "--comment", "why", decides=True), *decides]
    yield "NEXT", "bold"
    for line in (*decides, *reads):
        yield f"  {line}", ""
