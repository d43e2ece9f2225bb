"""What would happen if the settings were others: the whole estate decided again from what is on record, writing nothing.

Every finding goes through the decision table once more, with the plan that its row keeps and the grounds that its last
judgement keeps (decision 0028). Azure is asked one thing only: how many vaults the subscriptions hold in which something
would happen by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core import ids
from shared.core.choices import Choices, Mode
from shared.core.control import Control
from shared.core.decide import Kind, decide
from shared.core.errors import RemediationError
from shared.core.grounds import Grounds, case_from
from shared.core.plan import Write
from shared.core.ports.standing import Standing
from shared.core.record import CLOSED, Remediation, State
from shared.core.supposition import (
    ITEMS,
    Estate,
    Fate,
    Matter,
    Prospect,
    Supposition,
    Variation,
    foreseen,
    steps_of,
    touched,
)
from shared.flow import standing

_OPEN = tuple(state for state in State if state not in CLOSED)
_FIRST = (Fate.AUTO, Fate.NOT_KNOWN, Fate.APPROVAL, Fate.TICKET)  # what people look for comes first


@dataclass
class _Judged:
    """What the last judgements leave for the decisions: by the id of the row."""

    targets: int = 0
    oldest: datetime | None = None
    times: dict[str, datetime] = field(default_factory=dict)
    grounds: dict[str, Grounds] = field(default_factory=dict)
    users: dict[str, list[str]] = field(default_factory=dict)


def suppose(ports: Standing, variation: Variation) -> Supposition:
    """Decide everything on record again, as if the settings were others."""
    now, choices = ports.clock.now(), variation.of(ports.choices)
    judged = _judged(ports)
    controls = {it.control.id: it.control for it in ports.remediators}
    matters = [_matter(row, judged, controls, now) for row in standing.rows(ports, _OPEN) if not row.is_wished]
    found = foreseen(matters, choices, _estate(ports, matters, choices, now), now)
    shown = sorted(found, key=_place)
    return Supposition(
        time=now, mode=choices.mode, modes=dict(choices.modes), auto_scope=choices.auto_scope,
        is_varied=choices != ports.choices, targets=judged.targets, oldest=judged.oldest,
        fates={fate: sum(it.fate is fate for it in found) for fate in Fate}, steps=steps_of(found),
        touched=touched(found, judged.users), items=tuple(shown[:ITEMS]), left_out=max(0, len(shown) - ITEMS),
        silent=_silent(ports.choices, choices, controls), unread=standing.unread(ports),
    )  # fmt: skip


def _judged(ports: Standing) -> _Judged:
    judged = _Judged()
    for it in standing.judgements(ports):
        judged.targets += 1
        judged.oldest = min(judged.oldest or it.time, it.time)
        for ruling in it.rulings:
            judged.times[ruling.remediation] = it.time
            if ruling.grounds:
                judged.grounds[ruling.remediation] = ruling.grounds
        for host in it.vaults:
            judged.users.setdefault(host.partition(".")[0].lower(), []).append(it.target)
    return judged


def _matter(row: Remediation, judged: _Judged, controls: Mapping[str, Control], now: datetime) -> Matter:
    grounds, control = judged.grounds.get(row.id), controls.get(row.control)
    case = case_from(row, grounds, control, ids.parse(row.target), now) if grounds and control else None
    return Matter(row, case, judged.times.get(row.id))


def _estate(ports: Standing, matters: Sequence[Matter], choices: Choices, now: datetime) -> Estate:
    """Read what the rails count, of the subscriptions in which something would happen by itself."""
    acting = {
        it.case.target.subscription.lower()
        for it in matters
        if it.case and choices.is_on(it.row.control) and decide(it.case, choices, now).kind is Kind.AUTO
    }
    vaults = dict[str, int]()
    for subscription in sorted(acting):
        try:
            vaults[subscription] = ports.inventory.vaults_in(subscription)
        except RemediationError:
            continue  # it is missing then, and every plan there is told as not known
    return Estate({it: _ledger(ports, it, now) for it in acting}, vaults)


def _ledger(ports: Standing, subscription: str, now: datetime) -> list[Write]:
    return list(ports.records.writes(subscription, now - timedelta(days=1)))


def _silent(is_: Choices, would: Choices, controls: Mapping[str, Control]) -> tuple[str, ...]:
    """Return the controls that are off and would not be: nothing is on record of them."""
    return tuple(it for it in controls if is_.mode_of(it) is Mode.OFF and would.is_on(it))


def _place(it: Prospect) -> tuple[int, int, str, str, str]:
    fate = _FIRST.index(it.fate) if it.fate in _FIRST else len(_FIRST)
    return fate, 0 if it.irreversible else 1, it.target.lower(), it.control, it.subject
