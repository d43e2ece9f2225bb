"""What is left of every quota: token buckets by subscription, principal and kind, refilled by the simulator's clock.

Requests are always counted and the headers always true; refusing is a knob (`throttling`). Sizes: AZURE 7 (request-limits-
and-throttling) and AZURE 1.3 for the bucket of the Databricks provider. How fast that one refills is nowhere written: ours.
"""

from dataclasses import dataclass
from math import ceil

from simulator.arm.answer import GATEWAY, Answer
from simulator.arm.clock import Clock
from simulator.arm.knobs import Knobs
from simulator.arm.router import Target, fold

KINDS = {
    "GET": "read",
    "HEAD": "read",
    "DELETE": "delete",
}  # all else writes, a POST too (recorded: keyvault_other.jsonl)
LIMITS = {"read": (250.0, 25.0), "write": (200.0, 10.0), "delete": (200.0, 10.0)}  # size, tokens a second
GLOBAL = 15.0  # a subscription takes as much as fifteen principals
# A provider's own bucket, whose header stands in place of the subscription's; deletes and polls show ARM's (recorded:
# databricks_workspaces.jsonl, three PUTs within ten seconds that all left 99).
PROVIDER = {"microsoft.databricks/workspaces": {"read": (250.0, 250 / 60), "write": (100.0, 100 / 60)}}
GRAPH_QUERIES, GRAPH_SECONDS = 15, 5.0  # for each user (AZURE 6)
GRAPH = "microsoft.resourcegraph/resources"
REMAINING = "x-ms-ratelimit-remaining-"


@dataclass(slots=True)
class Bucket:
    """How many tokens are out, and since when; remembering the debt lets the size change while it runs."""

    size: float
    rate: float
    debt: float
    at: float

    def refill(self, now: float, scale: float) -> None:
        """What has come back by now."""
        self.debt = max(0.0, self.debt - (now - self.at) * self.rate * scale)
        self.at = now

    def wait(self, scale: float) -> float:
        """Seconds until one token is there; 0 when there is one."""
        return max(0.0, (self.debt + 1 - self.size * scale) / (self.rate * scale))

    def take(self, scale: float) -> int:
        """Take a token, or what there is; how many are left."""
        self.debt = min(self.size * scale, self.debt + 1)
        return int(self.size * scale - self.debt + 1e-6)


class Throttle:
    """All buckets."""

    def __init__(self, clock: Clock, knobs: Knobs) -> None:
        self._clock, self._knobs = clock, knobs
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._windows: dict[str, tuple[float, int]] = {}  # Resource Graph: who -> when it began, queries since

    def admit(self, method: str, target: Target, oid: str) -> tuple[dict[str, str], Answer | None]:
        """Count a request; the headers for its answer, and a refusal when a bucket is empty and the knob says so."""
        if target.kind == GRAPH:
            return {}, None  # it has a quota of its own
        kind, now, scale = KINDS.get(method, "write"), self._clock.now(), max(1e-6, self._knobs.throttle_scale)
        subscription = fold(target.subscription)
        own = self._bucket((subscription, oid, kind), LIMITS[kind], now, scale)
        if not subscription:
            refusal = self._refusal(own.wait(scale), kind, "", oid)
            return {} if refusal else {f"{REMAINING}tenant-{kind}s": str(own.take(scale))}, refusal
        size, rate = LIMITS[kind]
        whole = self._bucket((subscription, "", kind), (size * GLOBAL, rate * GLOBAL), now, scale)
        refusal = self._refusal(max(own.wait(scale), whole.wait(scale)), kind, target.subscription, oid)
        if refusal:
            return {}, refusal
        headers = {
            f"{REMAINING}subscription-{kind}s": str(own.take(scale)),
            f"{REMAINING}subscription-global-{kind}s": str(whole.take(scale)),
        }
        limit = PROVIDER.get(target.kind, {}).get(kind)
        return (headers, None) if limit is None else self._provider(target, oid, kind, limit)

    def graph(self, oid: str) -> tuple[dict[str, str], bool]:
        """Count a Resource Graph query in the caller's window; the quota headers, and whether it may run."""
        now = self._clock.now()
        began, asked = self._windows.get(oid, (now, 0))
        if now - began >= GRAPH_SECONDS:
            began, asked = now, 0
        most = max(1, int(GRAPH_QUERIES * self._knobs.throttle_scale))
        may = asked < most or not self._knobs.throttling
        asked = min(most, asked + 1)
        self._windows[oid] = (began, asked)
        left, wait = str(most - asked), ceil(began + GRAPH_SECONDS - now)
        return {
            "x-ms-user-quota-remaining": left,
            "x-ms-user-quota-resets-after": f"00:00:{wait:02d}",
            f"{REMAINING}tenant-resource-requests": left,
        }, may

    def _provider(
        self, target: Target, oid: str, kind: str, limit: tuple[float, float]
    ) -> tuple[dict[str, str], Answer | None]:
        scale = max(1e-6, self._knobs.throttle_scale)
        key = (f"{fold(target.subscription)} {target.kind}", oid, kind)
        bucket = self._bucket(key, limit, self._clock.now(), scale)
        if self._knobs.throttling and bucket.wait(scale) > 0:
            return {}, provider_busy()
        return {f"{REMAINING}subscription-resource-requests": str(bucket.take(scale))}, None

    def _bucket(self, key: tuple[str, str, str], limit: tuple[float, float], now: float, scale: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(*limit, 0.0, now)
        bucket.refill(now, scale)
        return bucket

    def _refusal(self, wait: float, kind: str, subscription: str, oid: str) -> Answer | None:
        return throttled(ceil(wait), kind, subscription, oid) if wait > 0 and self._knobs.throttling else None


def throttled(seconds: int, kind: str, subscription: str, oid: str) -> Answer:
    """ARM's own 429 (code and text: velero-io/velero#9171; the tenant's is worded after it)."""
    code, where = ("SubscriptionRequestsThrottled", f"subscription '{subscription}'")
    if not subscription:
        code, where = "TenantRequestsThrottled", "tenant"
    text = (
        f"Number of '{kind}' requests for {where} actor '{oid}' exceeded. Please try again after '{seconds}' seconds "
        "after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information."
    )
    return Answer(429, {"error": {"code": code, "message": text}}, {"Retry-After": str(seconds), **GATEWAY})


def provider_busy() -> Answer:
    """A provider's 429, as recorded without Retry-After (arm_errors.jsonl, TooManyRequests)."""
    text = "Too many requests. Please try again after sometime."
    return Answer(429, {"error": {"code": "TooManyRequests", "message": text}}, {"x-ms-failure-cause": "service"})
