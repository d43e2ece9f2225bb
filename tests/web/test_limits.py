"""The buckets: a burst, then the rate; each caller on their own; failed sign-ins by address."""

from shared.web.limits import Buckets, Rates
from tests.fakes import FakeClock
from tests.web.entry import Entry, token

LIST = "/api/remediations"
RETRY = "/api/remediations/aaaaaaaaaaaaaaaa/retry"


def test_a_bucket_fills_at_its_rate() -> None:
    """Full at first; empty after as many as the rate; one more each time that one has come back."""
    clock = FakeClock()
    buckets = Buckets(6, clock.now)

    assert [buckets.take("a") for _ in range(6)] == [0] * 6
    assert (buckets.take("a"), buckets.take("b")) == (10, 0)
    clock.advance(9.5)
    assert buckets.take("a") == 1
    clock.advance(0.5)
    assert (buckets.take("a"), buckets.take("a")) == (0, 10)
    clock.advance(3600)
    assert [buckets.take("a") for _ in range(7)] == [0] * 6 + [10]


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    """Clocks are set; a bucket must not lock anybody out for that."""
    clock = FakeClock()
    buckets = Buckets(2, clock.now)
    buckets.take("a")
    clock.advance(-3600)

    assert (buckets.take("a"), buckets.take("a")) == (0, 30)


def test_addresses_cannot_fill_the_memory() -> None:
    """The bucket used longest ago goes; whoever keeps coming stays limited."""
    clock = FakeClock()
    buckets = Buckets(1, clock.now)
    for number in range(20_000):
        buckets.take("loud")
        buckets.take(str(number))

    assert (buckets.take("loud"), buckets.take("19999")) == (60, 60)
    assert buckets.take("0") == 0  # long forgotten


def test_each_caller_has_their_own_writes_and_requests() -> None:
    """429 with the time to wait, for this caller and no other; reading goes on where only the writes are used up."""
    entry = Entry(rates=Rates(requests=4, writes=2))
    ada, amit = token("Admin", oid="ada"), token("Admin", oid="amit")
    writes = [entry.call("POST", RETRY, ada) for _ in range(3)]
    reads = [entry.call("GET", LIST, ada).status for _ in range(2)]

    assert [it.status for it in writes] == [404, 404, 429]
    assert (writes[2].reason, writes[2].headers["retry-after"]) == ("TooManyRequests", "30")
    assert reads == [200, 429]
    assert entry.call("POST", RETRY, amit).status == 404
    entry.world.clock.advance(30)
    assert entry.call("POST", RETRY, ada).status == 404


def test_failed_sign_ins_are_told_to_wait_and_good_ones_enter() -> None:
    """By address, the last hop that the platform names; whoever shares it still enters with a good token."""
    entry = Entry(rates=Rates(failed_sign_ins=2))
    bad = [entry.call("GET", LIST, "x", x_forwarded_for=f"{n}.1.1.1, 198.51.100.7:4{n}00") for n in range(3)]

    assert [it.status for it in bad] == [401, 401, 429]
    assert bad[2].headers["retry-after"] == "30"
    assert entry.call("GET", LIST, "x", x_forwarded_for="198.51.100.8:4000").status == 401
    assert entry.call("GET", LIST, token("Reader"), x_forwarded_for="198.51.100.7:4000").status == 200


def test_health_is_never_limited() -> None:
    """The platform asks it all the time."""
    entry = Entry(rates=Rates(1, 1, 1))

    assert {entry.call("GET", "/api/health").status for _ in range(5)} == {200}
