"""Who may say yes: every combination of what an approval depends on. Exactly the right ones approve; each no has its reason."""

import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.choices import Freeze, Mode
from shared.core.record import Approval, Exemption, Remediation, State
from shared.flow.approve import Yes, approve
from shared.flow.evaluate import evaluate
from shared.web.answers import refusal
from shared.web.auth import ADMIN, APPROVER, READER, Caller
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body
from tests.flow.conftest import evaluation

DAY = timedelta(days=1)
CALLERS = {
    "nobody": Caller("ada", frozenset(), is_person=True),
    "reader": Caller("ada", frozenset({READER}), is_person=True),
    "application": Caller("ada", frozenset({APPROVER}), is_person=False),
    "approver": Caller("ada", frozenset({APPROVER}), is_person=True),
    "admin": Caller("ada", frozenset({ADMIN}), is_person=True),
}
STOPS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "kill switch": {"kill_switch": True},
    "freeze": {"freezes": (Freeze(NOON, NOON + 9 * DAY),)},
    "pause": {"paused": frozenset({SUBSCRIPTION})},
}


@dataclass(frozen=True)
class Try:
    """One combination."""

    caller: str
    is_author: bool
    is_requester: bool
    fingerprint: str  # right | old | absent
    is_past: bool
    is_exempt: bool
    stop: str
    second: str  # not needed | there | needed


# What is told, in this order: the first that fits.
NOES: tuple[tuple[str, Any], ...] = (
    ("NotAllowed", lambda it: it.caller not in {"approver", "admin"}),
    ("Exempted", lambda it: it.is_exempt),
    ("NoFingerprint", lambda it: it.fingerprint == "absent"),
    ("AnotherPlan", lambda it: it.fingerprint == "old"),
    ("BadExpiry", lambda it: it.is_past),
    ("OwnRequest", lambda it: it.is_requester),
    ("KillSwitch", lambda it: it.stop == "kill switch"),
    ("ChangeFreeze", lambda it: it.stop == "freeze"),
    ("SubscriptionPaused", lambda it: it.stop == "pause"),
    ("OwnChange", lambda it: it.is_author),
)
ALL = [
    Try(*words)
    for words in itertools.product(
        CALLERS, (False, True), (False, True), ("right", "old", "absent"), (False, True), (False, True), STOPS,
        ("not needed", "there", "needed"),
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> World:
    """A world in which people are asked about one vault."""
    world = World(mode=Mode.APPROVE)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    return world


@pytest.mark.parametrize("caller", CALLERS)
def test_no_is_no(asked: World, caller: str) -> None:
    """Every combination for one caller: exactly the right ones approve, all others are refused for the first reason."""
    wrong = [
        (it, expected, found)
        for it in ALL
        if it.caller == caller and (expected := _expected(it)) != (found := _outcome(asked, it)[0])
    ]

    assert wrong == []


def test_exactly_the_right_ones_approve() -> None:
    """Of all combinations four queue the plan: approver or admin, everything right, and the second person not needed or there."""
    queued = [it for it in ALL if _expected(it) == "queued"]

    assert len(ALL) == 2880
    assert sorted((it.caller, it.second) for it in queued) == [
        ("admin", "not needed"), ("admin", "there"), ("approver", "not needed"), ("approver", "there"),
    ]  # fmt: skip


def test_each_no_has_a_type_and_a_sentence_of_its_own(asked: World) -> None:
    """No two reasons share a problem type or a sentence, and each says something."""
    told: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for it in ALL:
        reason, answer = _outcome(asked, it)
        if answer:
            told[reason].add((answer["type"], answer["detail"]))
    types = [kind for said in told.values() for kind in {kind for kind, _ in said}]
    sentences = [sentence for said in told.values() for sentence in {sentence for _, sentence in said}]

    assert set(told) == {reason for reason, _ in NOES}
    assert len(types) == len(set(types)) == len(told)
    assert len(sentences) == len(set(sentences)) >= len(told)
    assert all(len(sentence) > 20 for sentence in sentences)


def _expected(it: Try) -> str:
    no = next((reason for reason, fits in NOES if fits(it)), "")
    return no or ("awaiting_approval" if it.second == "needed" else "queued")


def _outcome(asked: World, it: Try) -> tuple[str, dict[str, Any]]:
    """Return what comes of one try: the state of the row, or the reason with the problem document."""
    world = World(mode=Mode.APPROVE, two_approvers=it.second != "not needed", **STOPS[it.stop])
    world.diary.last = "ada" if it.is_author else "somebody"
    world.records.past = {key: list(entries) for key, entries in asked.records.past.items()}
    stored = next(iter(asked.records.rows.values()))
    stored = replace(stored, row=_row(stored.row, it))
    world.records.rows = {stored.row.id: stored}
    seen = {"right": stored.row.plan.fingerprint, "old": "0" * 32, "absent": ""}[it.fingerprint]
    yes = Yes("ada", seen, "looked at it", NOON - DAY if it.is_past else NOON + DAY, "192.0.2.1")
    try:
        CALLERS[it.caller].check(writes=True)
        approve(world, stored, yes)
    except Exception as error:  # noqa: BLE001 - whatever it is, the door must answer it
        answer = json.loads(bytes(refusal(error).body))
        assert (world.records.rows[stored.row.id], world.queue.sent) == (stored, [])
        return answer["reason"], answer
    assert (world.row().state is State.QUEUED) == (len(world.queue.of("apply")) == 1)
    return str(world.row().state), {}


def _row(row: Remediation, it: Try) -> Remediation:
    first = Approval("amit", row.plan.fingerprint, "yes", NOON - DAY, NOON + 2 * DAY, "somebody")
    return replace(
        row,
        requester="ada" if it.is_requester else "",
        approvals=(first,) if it.second == "there" else (),
        exemption=Exemption("mia", "not here", NOON + 5 * DAY) if it.is_exempt else None,
    )
