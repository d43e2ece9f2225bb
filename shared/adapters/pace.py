"""How much Azure says is left of our quotas, and waiting so that long work leaves some of it to others.

Only the sweep waits here: what events and people ask for goes first. Nothing is assumed of the size of a quota: recorded
headers show more than one (AZURE 7). Each answer says what is left, and the next question goes by that.
"""

import time
from collections.abc import Callable, Mapping

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

_READS = "x-ms-ratelimit-remaining-subscription-reads"
_QUERIES, _RESET = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"  # Resource Graph's own (AZURE 6)
_LEFT_TO_OTHERS = 25  # reads of a subscription, of about 250 that Azure gives back at 25 a second
_QUERIES_LEFT_TO_OTHERS = 2  # of 15 in five seconds
_BREATH = 1.0  # seconds; in one Azure gives back enough to go on
_LONGEST = 15.0  # seconds, whatever an answer says


class Pace(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """The last word of Azure on each quota. `sleep` and `now` are the clock's."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._sleep, self._now = sleep, now
        self._reads: dict[str, int] = {}
        self._queries, self._reset = _QUERIES_LEFT_TO_OTHERS + 1, 0.0

    def on_response(self, request: PipelineRequest, response: PipelineResponse) -> None:  # type: ignore[type-arg]
        """Note what an answer says."""
        self.note(request.http_request.url, response.http_response.headers)

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        """Note what the headers of an answer say."""
        left, _, subscription = headers.get(_READS, ""), *url.partition("/subscriptions/")[1:]
        if left.isdigit():
            self._reads[subscription.partition("/")[0].lower()] = int(left)
        queries = headers.get(_QUERIES, "")
        if queries.isdigit():
            self._queries, self._reset = int(queries), self._now() + _seconds(headers.get(_RESET, ""))

    def give_way(self, subscription: str) -> None:
        """Wait where little is left of the reads of a subscription."""
        # Taken out: after the wait the next answer says anew what is left.
        if self._reads.pop(subscription.lower(), _LEFT_TO_OTHERS) < _LEFT_TO_OTHERS:
            self._sleep(_BREATH)

    def give_way_at_graph(self) -> None:
        """Wait where few queries of Resource Graph are left, until there are new ones."""
        wait = self._reset - self._now()
        if self._queries <= _QUERIES_LEFT_TO_OTHERS and wait > 0:
            self._sleep(min(wait, _LONGEST))


def _seconds(text: str) -> float:
    """Read hours:minutes:seconds."""
    words = text.split(":")
    if len(words) != 3 or not all(word.isdigit() for word in words):
        return 0.0
    return float(int(words[0]) * 3600 + int(words[1]) * 60 + int(words[2]))
