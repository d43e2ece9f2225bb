"""Each fault of Azure at each step of the road ends in the state that DESIGN 6 names: no silent drop, no endless loop.

step        request                      step        request
look        GET vault, to decide         write       PATCH
again       GET vault, before writing    read back   GET vault, after writing
dependants  the question to Resource Graph, to decide
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from shared.core import ids
from shared.core.record import Remediation, State, remediation_id
from simulator.client import Client
from tests.crash.conftest import evaluation, seed_vault
from tests.crash.dying import Death
from tests.crash.pump import Pump

LONGEST = 10.0  # seconds for which a throttled call may block a function

TEMPORARY: Mapping[str, Mapping[str, Any]] = {
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "1"}},
    "429 without": {"status": 429},
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "reset": {"cut": "before"},
    "reply lost": {"cut": "after"},
    "truncated": {"cut": "body"},
    "another operation": {"status": 409, "code": "AnotherOperationInProgress"},
}
CONFLICT: Mapping[str, Mapping[str, Any]] = {
    "gone meanwhile": {"status": 404, "code": "ResourceNotFound"},
    "concurrent update": {"status": 409, "code": "ConcurrentUpdateError"},
}
DENIED: Mapping[str, Mapping[str, Any]] = {
    "locked": {"status": 409, "code": "ScopeLocked"},
    "no right": {"status": 403, "code": "AuthorizationFailed"},
    "policy": {"status": 403, "code": "RequestDisallowedByPolicy"},
    "no sign-in": {"status": 401, "code": "InvalidAuthenticationToken"},
}
STEPS: Mapping[str, Mapping[str, Any]] = {
    "look": {"method": "GET", "nth": 1},
    "again": {"method": "GET", "nth": 2},
    "read back": {"method": "GET", "nth": 3},
    "write": {"method": "PATCH", "nth": 1},
}


@dataclass(frozen=True)
class Case:
    """A fault at a step, once or for ever, and where the row ends."""

    step: str
    fault: str
    shape: Mapping[str, Any]
    times: int
    state: State
    reason: str  # of the finding, or of what stands in the way

    def __str__(self) -> str:
        return f"{self.fault} at {self.step}, {'once' if self.times else 'for ever'}"


def _cases() -> Iterator[Case]:
    for step in STEPS:
        ends = State.OBSERVED if step == "look" else State.FAILED
        for fault, shape in TEMPORARY.items():
            yield Case(step, fault, shape, 1, State.RESOLVED, "")
            # A lost reply is no failure of the write: it took effect, and the next read says so.
            lost = step == "write" and fault in {"reply lost", "truncated"}
            yield Case(step, fault, shape, 0, State.RESOLVED if lost else ends, "")
        for fault, shape in DENIED.items():
            # One refused read back is no failure either: the write was taken, and the next read says what it did.
            once = State.RESOLVED if step == "read back" else ends
            yield Case(step, fault, shape, 1, once, "" if once is State.RESOLVED else str(shape["code"]))
            yield Case(step, fault, shape, 0, ends, str(shape["code"]))
    for fault, shape in CONFLICT.items():
        yield Case("write", fault, shape, 1, State.RESOLVED, "")
        yield Case("write", fault, shape, 0, State.FAILED, str(shape["code"]))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_ends_in_its_state(step: str, cloud: Client, pump: Pump) -> None:
    """All faults of one step side by side, each on a vault of its own."""
    cases = {_begun(cloud, pump, case): case for case in _cases() if case.step == step}
    pump.run()

    assert len(cases) > 20
    for vault, case in cases.items():
        row = _row(pump, vault)
        assert row is not None, f"{case}: dropped in silence"
        assert row.state is case.state, f"{case}: {row}"
        assert case.reason in _reason(row), f"{case}: {row}"
        if case.fault in DENIED and step == "write":  # trying again changes nothing
            assert len(cloud.writes(vault)) == 1, str(case)
    assert pump.longest < LONGEST


def _begun(cloud: Client, pump: Pump, case: Case) -> str:
    vault = seed_vault(cloud)
    path = vault.rsplit("/", 1)[1] + "$"
    cloud.manage("POST", "/faults", [{**STEPS[case.step], **case.shape, "path": path, "times": case.times}])
    pump.begin(evaluation(vault), Death(), vault, _row_id(vault))
    return vault


@pytest.mark.parametrize("fault", [*TEMPORARY, *DENIED])
def test_dependants_that_cannot_be_read_are_never_taken_for_none(fault: str, cloud: Client, pump: Pump) -> None:
    """Resource Graph fails once: it comes right, or a person is asked."""
    row = _with_graph(cloud, pump, {**{**TEMPORARY, **DENIED}[fault], "times": 1})

    assert row.state is (State.RESOLVED if fault in TEMPORARY else State.AWAITING_APPROVAL), row


@pytest.mark.parametrize(("fault", "state"), [("503", State.OBSERVED), ("no right", State.AWAITING_APPROVAL)])
def test_dependants_that_can_never_be_read_end_with_a_person(
    fault: str, state: State, cloud: Client, pump: Pump
) -> None:
    """Resource Graph fails for ever: nothing is written by itself, and the row says why."""
    row = _with_graph(cloud, pump, {**{**TEMPORARY, **DENIED}[fault], "times": 0})

    assert row.state is state, row
    assert cloud.writes(row.target) == []


def _with_graph(cloud: Client, pump: Pump, fault: Mapping[str, Any]) -> Remediation:
    """Play a vault's story while Resource Graph is broken."""
    vault = seed_vault(cloud)
    cloud.manage("POST", "/faults", [{"method": "POST", "path": "/Microsoft.ResourceGraph/resources", **fault}])
    pump.begin(evaluation(vault), Death(), vault, _row_id(vault))
    pump.run()
    row = _row(pump, vault)
    assert row is not None, "dropped in silence"
    return row


def test_a_vault_that_is_still_registering_waits_and_ends_well(cloud: Client, pump: Pump) -> None:
    """Azure is not done with a new vault: looked at again until it is, then put right."""
    vault = seed_vault(cloud, provisioningState="RegisteringDns")
    never = seed_vault(cloud, provisioningState="RegisteringDns")
    pump.begin(evaluation(vault), Death(), vault, _row_id(vault))
    pump.begin(evaluation(never), Death(), never, _row_id(never))
    pump.before_each = lambda count: seed_vault(cloud, vault.rsplit("/", 1)[1]) if count == 4 else None
    pump.run()
    first, second = _row(pump, vault), _row(pump, never)

    assert first is not None
    assert second is not None
    assert first.state is State.RESOLVED
    assert (second.state, second.verdict, second.finding.reason) == (State.OBSERVED, "Unknown", "StillProvisioning")


def test_a_vault_deleted_on_the_road_ends_its_row(cloud: Client, pump: Pump) -> None:
    """Decided, then deleted before anything was written: nothing is written, and the plan ends."""
    vault = seed_vault(cloud)
    pump.begin(evaluation(vault), Death(), vault, _row_id(vault))
    pump.before_each = lambda count: cloud.arm("DELETE", vault, "2023-07-01") if count == 2 else None
    pump.run()
    row = _row(pump, vault)

    assert row is not None
    assert (row.state, cloud.writes(vault)) == (State.SUPERSEDED, [])


def _row_id(vault: str) -> str:
    return remediation_id("KV-RECOVERY", ids.parse(vault).key, "")


def _row(pump: Pump, vault: str) -> Remediation | None:
    stored = pump.app.records.get(_row_id(vault))
    return stored.row if stored else None


def _reason(row: Remediation) -> str:
    return f"{row.finding.reason} {row.finding.evidence.get('stands_in_the_way')}"
