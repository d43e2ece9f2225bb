"""Quotas: always counted, shown truly, and held when the knob says so."""

from collections.abc import Iterator

import pytest

from simulator.arm.clock import Clock
from simulator.arm.knobs import Knobs
from simulator.arm.router import route
from simulator.arm.throttle import Throttle
from tests.simulator.arm.stage import OTHER_SUB, SUB, Stage

LEFT = "x-ms-ratelimit-remaining-"
A, B = f"/subscriptions/{SUB}", f"/subscriptions/{OTHER_SUB}"
WORKSPACE = {"location": "westeurope", "sku": {"name": "premium"}, "properties": {"computeMode": "Serverless"}}


@pytest.fixture
def full(stage: Stage) -> Iterator[Stage]:
    """Every bucket full, before and after."""
    stage.tell("POST", "/clock", {"advance": 3600})
    yield stage
    stage.tell("POST", "/clock", {"advance": 3600})


class Still(Clock):
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1000.0

    def now(self) -> float:
        """Where it stands."""
        return self.at


def left(throttle: Throttle, method: str, path: str, oid: str = "one") -> dict[str, str]:
    """The headers of one call, without what they have in common."""
    headers, _ = throttle.admit(method, route(path), oid)
    return {name.removeprefix(LEFT): value for name, value in headers.items()}


def test_each_principal_has_a_bucket_for_each_kind_in_each_subscription() -> None:
    """250, 200 and 200; fifteen times as much for the whole subscription; the tenant's apart."""
    throttle = Throttle(Still(), Knobs())

    assert left(throttle, "GET", A) == {"subscription-reads": "249", "subscription-global-reads": "3749"}
    assert left(throttle, "HEAD", A) == {"subscription-reads": "248", "subscription-global-reads": "3748"}
    assert left(throttle, "GET", A, "two") == {"subscription-reads": "249", "subscription-global-reads": "3747"}
    assert left(throttle, "GET", B) == {"subscription-reads": "249", "subscription-global-reads": "3749"}
    assert left(throttle, "PUT", A) == {"subscription-writes": "199", "subscription-global-writes": "2999"}
    assert left(throttle, "POST", A)["subscription-writes"] == "198"
    assert left(throttle, "DELETE", A) == {"subscription-deletes": "199", "subscription-global-deletes": "2999"}
    assert left(throttle, "GET", "/subscriptions") == {"tenant-reads": "249"}


@pytest.mark.parametrize(
    ("method", "kind", "rate"), [("GET", "reads", 25), ("PUT", "writes", 10), ("DELETE", "deletes", 10)]
)
def test_buckets_refill_at_their_rate_and_not_beyond_the_brim(method: str, kind: str, rate: int) -> None:
    """25 reads, 10 writes, 10 deletes a second."""
    clock = Still()
    throttle = Throttle(clock, Knobs())
    for _ in range(101):
        now = left(throttle, method, A)[f"subscription-{kind}"]
    clock.at += 2
    later = left(throttle, method, A)[f"subscription-{kind}"]
    clock.at += 1000
    full = left(throttle, method, A)[f"subscription-{kind}"]

    assert int(later) == int(now) + 2 * rate - 1
    assert full == ("249" if method == "GET" else "199")


def test_databricks_has_100_writes_and_250_reads() -> None:
    """Its header alone, as recorded; when it is empty it says so without Retry-After."""
    throttle = Throttle(Still(), knobs := Knobs())
    knobs.throttling = True
    path = f"{A}/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w"
    left_over = [left(throttle, "PUT", path)["subscription-resource-requests"] for _ in range(100)]
    _, refusal = throttle.admit("PUT", route(path), "one")

    assert left_over == [str(n) for n in range(99, -1, -1)]
    assert refusal
    assert (refusal.status, "Retry-After" in refusal.headers) == (429, False)
    assert left(throttle, "GET", path) == {"subscription-resource-requests": "249"}


def test_the_hint_is_when_the_next_token_comes() -> None:
    """Waiting so long is enough, and a second less is not."""
    clock = Still()
    throttle = Throttle(clock, knobs := Knobs())
    knobs.throttling, knobs.throttle_scale = True, 0.004
    throttle.admit("GET", route(A), "one")
    _, refusal = throttle.admit("GET", route(A), "one")
    assert refusal
    clock.at += int(refusal.headers["Retry-After"]) - 1
    _, early = throttle.admit("GET", route(A), "one")
    clock.at += 1
    _, late = throttle.admit("GET", route(A), "one")

    assert refusal.headers["Retry-After"] == "10"
    assert early
    assert late is None


def test_databricks_shows_its_own_bucket_instead(full: Stage) -> None:
    """249 after a GET and 99 after a PUT, as recorded, and nothing of the subscription beside it; a DELETE shows ARM's."""
    path = f"{full.group('rg-throttle')}/providers/Microsoft.Databricks/workspaces/w-throttle"
    put = full.call("PUT", path, WORKSPACE).headers
    got = full.call("GET", path).headers
    gone = full.call("DELETE", path).headers

    assert {name: value for name, value in put.items() if name.startswith(LEFT)} == {
        f"{LEFT}subscription-resource-requests": "99"
    }
    assert got[f"{LEFT}subscription-resource-requests"] == "249"
    assert gone[f"{LEFT}subscription-deletes"] == "199"


def test_an_empty_bucket_refuses_until_the_clock_has_filled_it(full: Stage) -> None:
    """429 with Retry-After, in ARM's words, before any provider; others are served; counting goes on from there."""
    path = f"/subscriptions/{SUB}"
    full.tell("POST", "/knobs", {"throttling": True, "throttle_scale": 0.004})
    codes = [full.call("GET", path).status_code for _ in range(2)]
    refused = full.call("GET", path)
    other = full.call("GET", path, who="reader").status_code
    full.tell("POST", "/clock", {"advance": int(refused.headers["Retry-After"])})
    later = full.call("GET", path).status_code

    assert codes == [200, 429]
    assert refused.headers["x-ms-failure-cause"] == "gateway"
    assert refused.json()["error"]["code"] == "SubscriptionRequestsThrottled"
    assert "Number of 'read' requests for subscription" in refused.json()["error"]["message"]
    assert (other, later) == (200, 200)


def test_nothing_is_refused_while_the_knob_is_off(full: Stage) -> None:
    """An empty bucket shows 0 and serves."""
    full.tell("POST", "/knobs", {"throttle_scale": 0.004})
    answers = [full.call("GET", f"/subscriptions/{SUB}") for _ in range(8)]

    assert {each.status_code for each in answers} == {200}
    assert answers[-1].headers[f"{LEFT}subscription-reads"] == "0"


def test_a_switch_is_on_or_off(stage: Stage) -> None:
    """A word that is neither is refused, not taken for yes."""
    with pytest.raises(AssertionError, match="on or off"):
        stage.tell("POST", "/knobs", {"throttling": "perhaps"})
