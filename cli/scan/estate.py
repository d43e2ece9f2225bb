"""What there is to scan: every vault and workspace that the sign-in can see, listed by pages of Resource Graph.

The lists answer the questions that the app asks Resource Graph for each target: who names this vault, where is the vault
of that name. Workspaces outside the chosen subscriptions count too: they may use a vault inside.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.scan.reads import Patience
from shared.adapters.inventory import ResourceGraph
from shared.core import ids
from shared.core.errors import BadInput, Denied
from shared.core.ids import ResourceId
from shared.core.report import Gap

Json = Mapping[str, Any]
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


class Listed:
    """The inventory, in memory."""

    def __init__(self, workspaces: Sequence[Json], vaults: Sequence[Json], subscriptions: frozenset[str]) -> None:
        self._subscriptions = subscriptions
        self._vaults = {str(row.get("name", "")).lower(): str(row.get("id", "")) for row in vaults}
        self._naming: dict[str, list[Json]] = defaultdict(list)
        for body in workspaces:
            for host in sorted(_hosts(body.get("properties"))):
                self._naming[host].append(body)

    def workspaces_naming(self, host: str) -> Sequence[Json]:
        """Return the raw bodies of all workspaces that mention a vault's host anywhere."""
        return self._naming.get(host.lower(), [])

    def vaults_named(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the ids of the vaults with these names, by name in lower case."""
        return {name.lower(): self._vaults[name.lower()] for name in names if name.lower() in self._vaults}

    def subscriptions(self) -> frozenset[str]:
        """Return the ids of the subscriptions that can be seen."""
        return self._subscriptions

    def vaults_in(self, subscription: str) -> int:
        """Return how many vaults a subscription holds."""
        return sum(f"/subscriptions/{subscription.lower()}/" in it.lower() for it in self._vaults.values())


@dataclass(frozen=True, slots=True)
class Estate:
    """What is to be looked at, in an order in which a vault and those who use it stand together."""

    targets: tuple[ResourceId, ...]
    inventory: Listed
    gaps: tuple[Gap, ...]
    scope: str


def estate_of(graph: ResourceGraph, named: Sequence[str], group: str, patience: Patience) -> Estate:
    """List the estate: the named subscriptions and those below a management group, or all where neither is given.

    Raises Denied where nothing can be seen at all, and what Resource Graph fails with.
    """
    seen = patience.ask(graph.subscriptions)
    if not seen:
        raise Denied("NothingToSee", "this sign-in can see no subscription")
    wanted = None if not (named or group) else {it.lower() for it in named}
    gaps = []
    if group:
        below = patience.ask(lambda: graph.subscriptions_below(group))
        wanted = (wanted or set()) | below
        if not below:
            gaps.append(Gap(f"management group {group}", "NotVisible", "no subscription below it can be seen"))
    gaps += [
        Gap(f"subscription {it}", "NotVisible", "there is none of this id, or this sign-in may not see it")
        for it in sorted((wanted or set()) - seen)
    ]
    workspaces = patience.ask(lambda: list(graph.all_workspaces()))
    vaults = patience.ask(lambda: list(graph.all_vaults()))
    targets = list(_targets([*vaults, *workspaces], wanted, gaps))
    chosen = seen if wanted is None else wanted & seen
    scope = f"{len(targets)} target(s) in {len(chosen)} subscription(s)"
    return Estate(_beside(targets, workspaces), Listed(workspaces, vaults, seen), tuple(gaps), scope)


def _targets(rows: Sequence[Json], wanted: set[str] | None, gaps: list[Gap]) -> Iterator[ResourceId]:
    for row in rows:
        try:
            target = ids.parse(row.get("id"))
        except BadInput as error:
            gaps.append(Gap("a row of Resource Graph", error.reason, error.message))
            continue
        if wanted is None or target.subscription.lower() in wanted:
            yield target


def _beside(targets: Sequence[ResourceId], workspaces: Sequence[Json]) -> tuple[ResourceId, ...]:
    """Put each workspace beside the first vault that it names: what was read of the vault is still at hand then."""
    first = {str(body.get("id", "")).lower(): min(_hosts(body.get("properties")), default="") for body in workspaces}
    place = {it.key: first.get(it.key, "").split(".", 1)[0] or it.name.lower() for it in targets}
    return tuple(sorted(targets, key=lambda it: (place[it.key], it.key)))


def _hosts(value: object) -> frozenset[str]:
    """Return every host that is mentioned anywhere in a body, in lower case."""
    found: set[str] = set()
    rest = [value]
    while rest:
        match rest.pop():
            case str() as text:
                found.update(_HOST.findall(text.lower()))
            case dict() as inner:
                rest.extend(inner.values())
            case list() as inner:
                rest.extend(inner)
            case _:
                pass
    return frozenset(found)
