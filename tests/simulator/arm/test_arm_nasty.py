"""Nastiness by seed, itself proved: each kind strikes at its rate, the same seed strikes the same, and it has an end."""

from collections import Counter
from typing import Any

import pytest
import requests

from simulator.arm.knobs import Knobs
from simulator.arm.nasty import STRIKES, Nasty
from simulator.arm.router import route
from tests.simulator.arm.stage import SUB, Stage, until, vault

WAYS = {
    "throttled": 429,
    "throttled_silently": 429,
    "error_500": 500,
    "error_502": 502,
    "error_503": 503,
    "late_504": 504,
}
CUT = {"reset", "lost", "torn"}
CALM = dict.fromkeys([*STRIKES, "latency"], 0)


def nasty(**order: Any) -> Nasty:
    """A profile of which only the given kinds are left."""
    made = Nasty(Knobs())
    made.set({"profile": "mild", **CALM, **order})
    return made


def met(one: Nasty, path: str = "/subscriptions/s", times: int = 2000, method: str = "GET") -> list[tuple[Any, ...]]:
    """What so many equal requests meet."""
    target, found = route(path), []
    for _ in range(times):
        strike = one.pick(method, target, "reader", "oid")
        reply = (strike.reply or strike.late) if strike else None
        found.append((strike.cut, strike.delay_ms, reply.status if reply else 0) if strike else ())
    return found


@pytest.mark.parametrize("kind", STRIKES)
def test_each_kind_strikes_at_its_rate_and_alone(kind: str) -> None:
    """One in five of two thousand, within four standard deviations."""
    one = nasty(seed=3, in_a_row=1000, **{kind: 0.2})
    struck = [each for each in met(one) if each]

    assert 330 < len(struck) < 470
    assert one.struck == {kind: len(struck)}
    assert {status for _, _, status in struck} == {WAYS.get(kind, 0)}


def test_latency_comes_at_its_rate_and_up_to_its_length() -> None:
    """It never stands in for an answer."""
    one = nasty(seed=3, latency=0.5, latency_ms=80)
    waits = [delay for _, delay, status in filter(None, met(one)) if status == 0]

    assert 900 < len(waits) < 1100
    assert 1 <= min(waits) < 8
    assert 72 < max(waits) <= 80


def test_the_same_seed_strikes_the_same_and_another_seed_does_not() -> None:
    """For each caller, method and path by itself: what others do in between changes nothing."""
    rates = dict.fromkeys(STRIKES, 0.05)
    alone = met(nasty(seed=42, **rates), times=300)
    mixed_up = nasty(seed=42, **rates)
    mixed = []
    for _ in range(300):
        met(mixed_up, "/subscriptions/other", 2)
        mixed += met(mixed_up, times=1)

    assert alone == mixed
    assert alone == met(nasty(seed=42, **rates), "/SUBSCRIPTIONS/S", 300)
    assert alone != met(nasty(seed=43, **rates), times=300)
    assert alone != met(nasty(seed="42", **rates), "/subscriptions/else", 300)


def test_nothing_strikes_more_often_in_a_row_than_it_may() -> None:
    """Even at a rate of one: whoever asks again gets through."""
    one = nasty(seed=1, in_a_row=3, error_503=1.0)

    assert [status for each in met(one, times=8) for status in [each[2] if each else 200]] == [503, 503, 503, 200] * 2


@pytest.mark.parametrize("order", [{"profile": "evil"}, {"profile": "mild", "rest": 1}, {"profile": "mild", "lost": 2}])
def test_a_profile_that_makes_no_sense_is_refused(order: dict[str, Any]) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError, match=r"no such|no rate"):
        Nasty(Knobs()).set(order)


def order(stage: Stage, **rates: Any) -> Any:
    """Put a profile in force that strikes the reader and the writer, not the test itself."""
    return stage.tell("POST", "/faults", {"profile": "mild", "callers": ["reader", "writer"], **CALM, **rates})


def attempt(stage: Stage, method: str, path: str, body: Any = None) -> Any:
    """One call as the writer: the status, or 'cut'."""
    try:
        return stage.call(method, path, body, who="writer").status_code
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return "cut"


@pytest.mark.parametrize(
    ("kind", "answer", "tagged"),
    [
        ("throttled", 429, False),
        ("throttled_silently", 429, False),
        ("error_500", 500, False),
        ("error_502", 502, False),
        ("error_503", 503, False),
        ("late_504", 504, True),
        ("reset", "cut", False),
        ("lost", "cut", True),
        ("torn", "cut", True),
    ],
)
def test_what_each_kind_does_to_a_write(stage: Stage, kind: str, answer: Any, tagged: bool) -> None:
    """What comes back, and whether the write took effect."""
    path = f"{stage.group('rg-nasty')}/providers/Microsoft.KeyVault/vaults/kv-{kind.replace('_', '-')}"
    stage.call("PUT", path, vault())
    order(stage, seed=5, in_a_row=1, **{kind: 1})
    first = attempt(stage, "PATCH", path, {"tags": {"now": "yes"}})
    after = stage.tell("GET", f"/resource?id={path}")["tags"]
    second = attempt(stage, "PATCH", path, {})

    assert (first, second) == (answer, 200)
    assert after == ({"now": "yes"} if tagged else {})


def test_a_429_comes_with_and_without_a_hint_and_in_several_envelopes(stage: Stage) -> None:
    """`error`, `Code`, `Message`, `code` without `error`, text, nothing at all: as recorded."""
    order(
        stage,
        seed=9,
        in_a_row=1000,
        error_500=0.3,
        error_502=0.3,
        error_503=0.4,
        throttled=0.1,
        throttled_silently=0.2,
    )
    answers = [stage.call("GET", f"/subscriptions/{SUB}", who="reader") for _ in range(150)]
    hints = Counter("Retry-After" in each.headers for each in answers if each.status_code == 429)
    shapes = {_shape(each) for each in answers if each.status_code != 200}

    assert hints[True] > 5 < hints[False]
    assert {"error", "Message", "Code Details Message Target", "code message", "text", ""} <= shapes


def _shape(answer: requests.Response) -> str:
    if not answer.content:
        return ""
    return " ".join(sorted(answer.json())) if "json" in answer.headers["Content-Type"] else "text"


def test_the_profile_is_shown_and_ends(stage: Stage) -> None:
    """GET /faults tells profile, seed, rates and how many struck; DELETE puts everything back."""
    stage.tell("POST", "/knobs", {"graph_lag": 1.5})
    order(stage, seed=77, in_a_row=9, error_503=1, graph_lag=30, event_drop=0.5)
    for _ in range(3):
        stage.call("GET", f"/subscriptions/{SUB}", who="reader")
    stage.call("GET", f"/subscriptions/{SUB}")
    shown = stage.tell("GET", "/faults")
    turned = stage.tell("GET", "/knobs")
    stage.tell("DELETE", "/faults")
    ended = stage.tell("GET", "/faults")

    assert (shown["profile"], shown["seed"], shown["rates"]) == ("mild", 77, {"error_503": 1.0})
    assert (shown["requests"], shown["struck"]) == (3, {"error_503": 3})
    assert shown["knobs"]["graph_lag"] == turned["graph_lag"] == 30
    assert (ended["profile"], ended["struck"]) == ("off", {})
    assert stage.tell("GET", "/knobs")["graph_lag"] == 1.5
    assert stage.call("GET", f"/subscriptions/{SUB}", who="reader").status_code == 200


def test_events_are_lost_and_doubled_at_their_rate_and_by_the_seed(stage: Stage) -> None:
    """The same writes in the same order lose and double the same events."""
    path = f"{stage.group('rg-nasty')}/providers/Microsoft.KeyVault/vaults/kv-events"
    stage.call("PUT", path, vault())
    runs = []
    for _ in range(2):
        until(lambda: _settled(stage))
        stage.tell("DELETE", "/events")
        order(stage, seed=11, event_drop=0.3, event_double=0.5, event_reorder=0)
        for _ in range(80):
            stage.call("PATCH", path, {})
        items = until(lambda: _settled(stage))
        runs.append([each["outcome"] == "dropped" for each in items])
        struck = stage.tell("GET", "/faults")["struck"]

    assert runs[0] == runs[1]
    assert 8 < sum(runs[0]) < 40
    assert struck["event_drop"] == sum(runs[1])
    assert 12 < struck["event_double"] < 44


def _settled(stage: Stage) -> Any:
    """All events, once none is on its way."""
    items = stage.tell("GET", "/events")["items"]
    return items if items and all(each["outcome"] != "pending" for each in items) else None
