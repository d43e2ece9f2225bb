"""Long work leaves some of Azure's quotas to others: it waits by what the last answer said, and by nothing else."""

from shared.adapters.pace import Pace

READS = "x-ms-ratelimit-remaining-subscription-reads"
QUERIES, RESET = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"
SUB = "11111111-2C6D-4F0A-8B1E-5D9C7A3E0001"
URL = f"https://management.azure.com/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults?x=y"


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.time, self.slept = 100.0, list[float]()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.time += seconds

    def pace(self) -> Pace:
        """Return a pace on this clock."""
        return Pace(self.sleep, lambda: self.time)


def test_few_reads_left_are_left_to_others() -> None:
    """A breath before the next question; that one's answer says anew what is left. Each subscription has its own."""
    clock = Clock()
    pace = clock.pace()
    pace.give_way(SUB)
    pace.note(URL, {READS: "249"})
    pace.give_way(SUB)
    pace.note(URL, {READS: "24"})
    pace.give_way("22222222-0000-4000-8000-000000000001")
    before = list(clock.slept)
    pace.give_way(SUB.lower())
    once = list(clock.slept)
    pace.give_way(SUB)

    assert (before, once, clock.slept) == ([], [1.0], [1.0])


def test_few_queries_left_are_waited_out() -> None:
    """Until Resource Graph says that there are new ones, and never longer than a quarter of a minute."""
    clock = Clock()
    pace = clock.pace()
    pace.give_way_at_graph()
    pace.note("https://x/providers/Microsoft.ResourceGraph/resources", {QUERIES: "9", RESET: "00:00:05"})
    pace.give_way_at_graph()
    pace.note("https://x/providers/Microsoft.ResourceGraph/resources", {QUERIES: "2", RESET: "00:00:04"})
    clock.time += 1
    pace.give_way_at_graph()
    pace.give_way_at_graph()
    pace.note("https://x/", {QUERIES: "0", RESET: "01:00:00"})
    pace.give_way_at_graph()

    assert clock.slept == [3.0, 15.0]


def test_odd_headers_say_nothing() -> None:
    """What is no number is no word on a quota."""
    clock = Clock()
    pace = clock.pace()
    for words in ({READS: "many"}, {READS: ""}, {QUERIES: "-1", RESET: "soon"}, {QUERIES: "0", RESET: "x:y:z"}, {}):
        pace.note(URL, words)
        pace.give_way(SUB)
        pace.give_way_at_graph()

    assert clock.slept == []
