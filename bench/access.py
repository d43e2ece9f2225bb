"""The price of who may use a key: calls to Azure, judging and time, by how many policies and role assignments there are.

    python -m bench.access

A vault with 10, 100 and 1,024 access policies, and an RBAC vault in a subscription with 20, 200 and 2,000 role
assignments, a quarter of which reach it. Each vault's key is used by the three identities of a workspace, and all three
hold too much. One event for each, one after the other, on an app that is warm: it knows Azure's own roles and has
counted the vaults. Then one more vault of each model, as large as the largest, with one identity: every call of its
narrowing, by what it is for. Judging is timed in this process, on what the local Azure has answered.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from bench.local import Local, event, local
from remediators.key_access import KEY_ACCESS
from shared.core import ids, parse
from shared.core.choices import Choices
from shared.core.control import Memory, NonCompliant
from shared.core.facts import Roles, Snapshot
from simulator.client import until
from simulator.used_vault import CRYPTO_OFFICER, CRYPTO_USER, UsedVault, assignment, guid

POLICIES = (10, 100, 1024)
ASSIGNMENTS = (20, 200, 2000)  # of a subscription; a quarter reaches the vault
JUDGED = 20  # times
_AUTHORIZATION = "2022-04-01"
# The record's history tells when; what was asked of Azure in between was for this.
PHASES = ("reads to decide", "reads to decide again", "writes", "reads back")


@dataclass(frozen=True, slots=True)
class Price:
    """What one event has cost until all its identities were narrowed. Calls to Azure, by what for and by kind."""

    calls: Mapping[str, Counter[str]]
    decided: float
    narrowed: float
    cpu: float
    tries: int

    @property
    def looked(self) -> Counter[str]:
        """The calls of the evaluation."""
        return self.calls[PHASES[0]]


def main() -> None:
    """Print the tables."""
    # Without the gap's hour the looks that our own writes ask for would fall into what is measured next.
    with local({"CMK_GAP": "3600"}) as run:
        for number in range(len(ASSIGNMENTS)):
            _warm(run, number)
        by_policies = [_policies(run, count) for count in POLICIES]
        by_roles = [_roles(run, number, count) for number, count in enumerate(ASSIGNMENTS)]
        print("one evaluation of a vault with access policies, three identities hold too much")
        _show_evaluation("policies", POLICIES, by_policies)
        print("\none evaluation of an RBAC vault, three identities hold too much")
        _show_evaluation("role assignments in the subscription", ASSIGNMENTS, by_roles)
        print(f"\nnarrowing one identity: {POLICIES[-1]} policies; {ASSIGNMENTS[-1]} role assignments")
        _show_narrowing([_narrowed_policy(run), _narrowed_role(run)])


def _warm(run: Local, number: int) -> None:
    at = UsedVault(run.azure.facts, f"kv-warm-{number}", _group(run, number, "warm"), rbac=True, layers=("dbfsRoot",))
    _plant(run, at, roles=_broad(at))
    _price(run, at)


def _policies(run: Local, count: int) -> tuple[Price, float]:
    at = UsedVault(run.azure.facts, f"kv-policies-{count}", _group(run, 0, "policies"))
    _plant(run, at, _crowd(at, count))
    return _priced(run, at)


def _roles(run: Local, number: int, count: int) -> tuple[Price, float]:
    at = UsedVault(run.azure.facts, f"kv-roles-{count}", _group(run, number, "roles"), rbac=True)
    reach = count // 4
    near = [_stranger(at.group, place) for place in range(reach - len(at.identities))]
    far = [_stranger(f"{_elsewhere(run, number)}-{place}", place) for place in range(count - reach)]
    _plant(run, at, roles=[*near, *far, *_broad(at)])
    return _priced(run, at)


def _narrowed_policy(run: Local) -> Price:
    at = UsedVault(run.azure.facts, "kv-narrow-policies", _group(run, 0, "policies"), layers=("dbfsRoot",))
    _plant(run, at, _crowd(at, POLICIES[-1]))
    return _price(run, at)


def _narrowed_role(run: Local) -> Price:
    """The subscription of the last of ASSIGNMENTS: what reaches its group is there already."""
    group = _group(run, len(ASSIGNMENTS) - 1, "roles")
    at = UsedVault(run.azure.facts, "kv-narrow-roles", group, rbac=True, layers=("dbfsRoot",))
    _plant(run, at, roles=_broad(at))
    return _price(run, at)


def _plant(
    run: Local, at: UsedVault, policies: Sequence[dict[str, Any]] = (), roles: Sequence[dict[str, Any]] = ()
) -> None:
    told = run.azure.manage("POST", "/seed", {"resources": [*at.bodies(policies), *roles]})
    if told["refused"]:
        raise SystemExit(f"not seeded: {told['refused'][:3]}")


def _crowd(at: UsedVault, count: int) -> list[dict[str, Any]]:
    """So many policies; those of the identities, which may do all with keys, are the last of them."""
    strangers = [
        at.policy(guid(f"stranger {place}"), ["get", "list", "wrapKey"], secrets=["get"])
        for place in range(count - len(at.identities))
    ]
    return [*strangers, *(at.policy(it, ["all"]) for it in at.identities.values())]


def _broad(at: UsedVault) -> list[dict[str, Any]]:
    return [assignment(at.id, it, CRYPTO_OFFICER) for it in at.identities.values()]


def _stranger(scope: str, place: int) -> dict[str, Any]:
    """One in five is a group: whoever is in it may use the key as well, and only Azure can say who is."""
    kind = ("Group", "User", "ServicePrincipal", "ServicePrincipal", "User")[place % 5]
    return assignment(scope, guid(f"{kind} {place}"), CRYPTO_USER, kind)


def _group(run: Local, number: int, word: str) -> str:
    return f"/subscriptions/{run.azure.facts['subscriptions'][number]}/resourceGroups/rg-{word}"


def _elsewhere(run: Local, number: int) -> str:
    return f"{_group(run, number, 'elsewhere')}/providers/Microsoft.KeyVault/vaults/kv-other"


def _priced(run: Local, at: UsedVault) -> tuple[Price, float]:
    judging = _judging(run, at)
    return _price(run, at), judging


def _price(run: Local, at: UsedVault) -> Price:
    """Send one event, wait until every identity is narrowed, and say what that took."""
    run.azure.manage("DELETE", "/journal")
    sent, cpu = datetime.now(UTC), run.cpu()
    run.azure.send_events("on_vault_write", [event(at.id, 0)]).raise_for_status()
    rows = until(lambda: _resolved(run, at), f"{at.name} narrowed", 60)
    cpu = run.cpu() - cpu
    entries = [entry for row in rows for entry in run.azure.app(f"/api/remediations/{row['id']}")["history"]]
    times: dict[str, list[datetime]] = {}
    for entry in entries:
        times.setdefault(entry["event"], []).append(datetime.fromisoformat(entry["time"]))
    # All is read before the first record is saved, and nothing is written after the last `writing`.
    looked, wrote = min(times["evaluated"]), max(times["writing"])
    calls: dict[str, Counter[str]] = {phase: Counter() for phase in PHASES}
    for item in run.azure.manage("GET", "/journal")["items"]:
        if item["caller"] in {"reader", "writer"}:
            calls[_phase(item, looked, wrote)][_kind(item)] += 1
    decided, narrowed = max(times["evaluated"]) - sent, max(times["resolved"]) - sent
    return Price(calls, decided.total_seconds(), narrowed.total_seconds(), cpu, len(times["claimed"]))


def _resolved(run: Local, at: UsedVault) -> list[dict[str, Any]] | None:
    time.sleep(0.5)  # each answer costs the app some of what is measured
    rows = run.azure.app("/api/remediations", target=at.id, control="KV-ACCESS", state="resolved")["items"]
    found = [row for row in rows if row["subject"] in at.identities.values()]
    return found if len(found) == len(at.identities) else None


def _phase(item: Mapping[str, Any], looked: datetime, wrote: datetime) -> str:
    if item["caller"] == "writer":
        return PHASES[2]
    moment = datetime.fromisoformat(item["time"])
    return PHASES[0] if moment <= looked else PHASES[1] if moment <= wrote else PHASES[3]


def _kind(item: Mapping[str, Any]) -> str:
    method, path, query = item["method"], item["path"].rstrip("/"), unquote_plus(item["query"])
    if "resourcegraph" in path.lower():
        return "Resource Graph"
    at, _, below = path.partition("/providers/Microsoft.Authorization/")
    if method != "GET":
        return f"{method} {below.split('/')[0] or at.rsplit('/', 2)[-2]}"
    asked = " of one principal" if "assignedTo(" in query else ""
    return f"GET {below}{asked}" if below else f"GET {at.rsplit('/', 2)[-2].rstrip('s')}"


def _judging(run: Local, at: UsedVault) -> float:
    """Return the CPU seconds of one judgement: from the bodies that Azure has answered to verdicts and plans."""
    vault, workspace = (
        run.azure.arm("GET", it, version).json()
        for it, version in ((at.id, "2023-07-01"), (at.workspace, "2024-05-01"))
    )
    rows = list(_listed(run, f"{at.id}/providers/Microsoft.Authorization/roleAssignments"))
    known = list(_listed(run, f"{at.id}/providers/Microsoft.Authorization/roleDefinitions"))
    choices = Choices(databricks=run.azure.facts["identities"]["azure_databricks"]["principal_id"])
    now = datetime.now(UTC)

    def judge() -> None:
        roles = Roles(parse.assignments(rows), parse.definitions(known)) if at.rbac else None
        snapshot = Snapshot(ids.parse(at.id), parse.vault(vault), None, (parse.workspace(workspace),), roles)
        verdicts = KEY_ACCESS.judge(snapshot, Memory(), choices, now)
        found = [it for it in verdicts if isinstance(it, NonCompliant)]
        steps = [KEY_ACCESS.plan(it, snapshot, Memory(), choices) for it in found]
        if len([it for it in steps if it]) != len(at.identities):
            raise SystemExit(f"{at.name}: not every identity was found to hold too much: {found}")

    return statistics.median(_cpu(judge) for _ in range(JUDGED))


def _cpu(work: Callable[[], None]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _listed(run: Local, path: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a list, over all its pages."""
    headers = {"Authorization": f"Bearer {run.azure.facts['owner_token']}"}
    page = run.azure.arm("GET", path, _AUTHORIZATION).json()
    yield from page["value"]
    while page.get("nextLink"):
        page = run.azure.get(page["nextLink"], {}, headers).json()
        yield from page["value"]


def _show_evaluation(what: str, sizes: Sequence[int], prices: Sequence[tuple[Price, float]]) -> None:
    kinds = sorted({kind for price, _ in prices for kind in price.looked})
    _line(what, sizes)
    for kind in kinds:
        _line(kind, [price.looked[kind] for price, _ in prices])
    _line("calls to Azure in all", [price.looked.total() for price, _ in prices])
    _line("judging and planning, CPU ms", [f"{judging * 1000:.1f}" for _, judging in prices])
    _line("event to decision, s", [f"{price.decided:.2f}" for price, _ in prices])
    _line("event to all narrowed, s", [f"{price.narrowed:.2f}" for price, _ in prices])
    _line("CPU of the app until then, ms", [f"{price.cpu * 1000:.0f}" for price, _ in prices])


def _show_narrowing(prices: Sequence[Price]) -> None:
    _line("", ["policies", "roles"])
    for phase in PHASES:
        _line(phase, [price.calls[phase].total() for price in prices])
        for kind in sorted({kind for price in prices for kind in price.calls[phase]}):
            _line(f"  {kind}", [price.calls[phase][kind] or "" for price in prices])
    _line("calls to Azure in all", [sum(it.total() for it in price.calls.values()) for price in prices])
    _line("times taken in hand", [price.tries for price in prices])
    _line("event to decision, s", [f"{price.decided:.2f}" for price in prices])
    _line("event to narrowed, s", [f"{price.narrowed:.2f}" for price in prices])
    _line("CPU of the app until then, ms", [f"{price.cpu * 1000:.0f}" for price in prices])


def _line(what: str, values: Sequence[object]) -> None:
    print(f"  {what:42} " + " ".join(f"{value!s:>9}" for value in values))


if __name__ == "__main__":
    main()
