"""Steps and plans as data: what names them, and that applying a plan makes the control hold."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediators.vault_recovery import VAULT_RECOVERY
from shared.core import ids, moves, parse
from shared.core.choices import Choices, VaultScope
from shared.core.control import Compliant, Memory, NonCompliant
from shared.core.errors import BadInput
from shared.core.facts import Snapshot
from shared.core.plan import Plan
from shared.core.steps import Step
from tests.fakes import vault_body, vault_id

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ALL = Choices(vault_scope=VaultScope.ALL)
FLAGS = st.sampled_from([True, False, None])
VAULTS = st.builds(
    lambda soft, purge, days: vault_body(
        enableSoftDelete=soft, enablePurgeProtection=purge, softDeleteRetentionInDays=days
    ),
    FLAGS,
    st.sampled_from([True, None]),
    st.none() | st.integers(7, 90),
)


def _snapshot(body: dict[str, Any]) -> Snapshot:
    return Snapshot(ids.parse(body["id"]), vault=parse.vault(body))


def _planned(verdict: object, body: dict[str, Any]) -> tuple[Step, ...]:
    if not isinstance(verdict, NonCompliant):
        return ()
    return VAULT_RECOVERY.plan(verdict, _snapshot(body), Memory(), ALL)


@given(VAULTS)
def test_applying_the_plan_makes_the_control_hold(body: dict[str, Any]) -> None:
    """For every finding, the body that its requests produce is compliant, and a compliant vault has no plan."""
    remediator = VAULT_RECOVERY
    (verdict,) = remediator.judge(_snapshot(body), Memory(), ALL, NOW)
    steps = _planned(verdict, body)
    for step in steps:
        request = moves.request(step, {})
        assert (request.method, request.path) == ("PATCH", body["id"])
        body["properties"] |= request.body["properties"]

    (after,) = remediator.judge(_snapshot(body), Memory(), ALL, NOW)
    assert isinstance(after, Compliant)
    assert bool(steps) == isinstance(verdict, NonCompliant)
    assert VAULT_RECOVERY.plan(NonCompliant(after.finding), _snapshot(body), Memory(), ALL) == ()


def test_the_write_names_two_flags_and_nothing_else() -> None:
    """What is sent cannot touch tags, policies, network rules or the permission model."""
    remediator = VAULT_RECOVERY
    snapshot = _snapshot(vault_body())
    (verdict,) = remediator.judge(snapshot, Memory(), ALL, NOW)
    (step,) = _planned(verdict, vault_body())

    assert moves.request(step, {}).body == {"properties": {"enableSoftDelete": True, "enablePurgeProtection": True}}
    assert step.irreversible


def test_a_step_is_named_by_its_end_state() -> None:
    """`before` and the case of the resource do not change a step's id; kind, resource and `after` do."""
    base = Step("k", "/a", {"x": 1}, {"y": 1}, "p")

    assert base.id == Step("k", "/A", {"x": 2}, {"y": 1}, "other").id
    assert len({base.id, Step("l", "/a", {}, {"y": 1}, "p").id, Step("k", "/b", {}, {"y": 1}, "p").id}) == 3
    assert base.id != Step("k", "/a", {}, {"y": 2}, "p").id


def test_order_is_part_of_the_fingerprint() -> None:
    """The same steps in another order are another plan; no steps are no plan."""
    one, two = Step("k", "/a", {}, {"y": 1}, "p"), Step("k", "/b", {}, {"y": 1}, "p")

    assert Plan((one, two)).fingerprint != Plan((two, one)).fingerprint
    assert Plan().fingerprint == ""


def test_an_unknown_kind_of_step_cannot_be_sent() -> None:
    """The set of writes is closed."""
    with pytest.raises(BadInput):
        moves.request(Step("vault.delete", vault_id(), {}, {}, "p"), {})
