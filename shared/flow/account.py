"""Give account of the whole estate as a report: every open row, and what the last looks said of everything else. Writes nothing.

An open row wins over the last judgement: a finding that could not be judged again still stands.
"""

from collections.abc import Iterator, Mapping

from shared.core.control import Control
from shared.core.judgement import Judgement, Ruling
from shared.core.ports.standing import Standing
from shared.core.record import CLOSED, Remediation, State
from shared.core.report import Gap, Line, Report
from shared.flow import standing

MOST = 20_000  # lines of one report
_TOOL = "cmkwarden"


def account(ports: Standing, version: str) -> Report:
    """Return the report. What could not be read, and what is beyond the longest report, is a gap."""
    controls = {it.control.id: it.control for it in ports.remediators}
    rows = {it.id: it for it in standing.rows(ports, tuple(State)) if not it.is_wished}
    found = list[Line]()
    targets, seen = set[str](), set[str]()
    for it in standing.judgements(ports):
        targets.add(it.target.lower())
        lines = [line for ruling in it.rulings for line in _ruled(it, ruling, rows, controls)]
        seen.update(line.id for line in lines)
        found += lines
    found += [
        line for row in rows.values() if row.is_open and row.id not in seen for line in _on_row(row, "", controls)
    ]
    found.sort(key=lambda it: (it.target.lower(), it.control, it.subject))
    left_out = max(0, len(found) - MOST)
    return Report(
        tool=_TOOL, version=version, made=ports.clock.now(), scope=_scope(ports, len(targets)),
        controls=tuple(controls.values()), lines=tuple(found[:MOST]), gaps=tuple(_gaps(ports, rows, controls, left_out)),
    )  # fmt: skip


def _ruled(
    it: Judgement, ruling: Ruling, rows: Mapping[str, Remediation], controls: Mapping[str, Control]
) -> Iterator[Line]:
    row = rows.get(ruling.remediation)
    if row is not None and row.is_open:
        yield from _on_row(row, it.location, controls)
        return
    control = controls.get(ruling.control)
    if control is None:
        return
    # The sentence of what is fine is not kept: the control's own says it.
    said = control.title if ruling.verdict == "Compliant" else f"{ruling.verdict}: {ruling.reason}"
    yield Line(
        id=ruling.remediation, control=control.id, title=control.title, severity=control.severity, target=it.target,
        subject=ruling.subject, verdict=ruling.verdict, reason=ruling.reason, message=said,
        state=row.state if row else "", region=it.location,
    )  # fmt: skip


def _on_row(row: Remediation, region: str, controls: Mapping[str, Control]) -> Iterator[Line]:
    control = controls.get(row.control)
    if control is None:
        return
    is_finding = row.verdict == "NonCompliant"
    yield Line(
        id=row.id, control=control.id, title=control.title, severity=control.severity, target=row.target,
        subject=row.subject, verdict=row.verdict, reason=row.finding.reason, message=row.finding.message,
        evidence=row.finding.evidence, decision=str(row.decision.kind) if is_finding else "",
        decided_because=row.decision.message if is_finding else "", state=row.state, region=region,
    )  # fmt: skip


def _scope(ports: Standing, targets: int) -> str:
    subscriptions = ", ".join(ports.choices.subscriptions) or "every subscription that the reader may read"
    return f"{targets} target(s) on record; estate: {subscriptions}"


def _gaps(
    ports: Standing, rows: Mapping[str, Remediation], controls: Mapping[str, Control], left_out: int
) -> Iterator[Gap]:
    surveys = ports.surveys.latest(1)
    if not surveys:
        yield Gap(
            "the estate",
            "NeverSurveyed",
            "it was not yet looked over for what no event told of: nobody knows what is missing",
        )
    for survey in surveys:
        for share in survey.shares:
            if share.subscription in survey.unread:
                yield Gap(f"subscription {share.subscription}", "Unread", share.problem or "it could not be read")
    for name in sorted({it.control for it in rows.values() if it.state not in CLOSED} - set(controls)):
        yield Gap(f"the rows of {name}", "NoSuchControl", "this version knows no such control: nobody judges them")
    if left_out:
        yield Gap(
            f"{left_out} line(s)",
            "TooMany",
            f"a report has {MOST} lines at most: what comes last by target is left out",
        )
