"""What keys cost in 30 days: operations as Azure Monitor counts them, and a month of each key in use, times the prices set.

    a vault        its keys in use, each a month's price; its hits, each the price of an operation with a key of that type
    a workspace    the cost of the vaults that it names, where no other workspace names them
    a tag          the cost of the vaults that carry it

A metric of a vault does not say which key was called, nor by whom (AZURE 8.3). So what a vault costs is never divided:
where several workspaces share one, what each of them costs is unknown. The same where its keys have different prices for
an operation. A sum leaves unknown vaults out, and says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import chain

from shared.core import ids
from shared.core.figures.reading import Reading
from shared.core.judgement import Judgement
from shared.core.prices import Prices, type_of

_MOST = 100  # groups of one kind that are kept: those that cost most
_NAMED = 5  # vaults in one sentence
_DIGITS = 100  # no sum of prices has so many: nothing is rounded here


@dataclass(frozen=True, slots=True)
class Sum:
    """What one vault, workspace or group costs. `amount` is None where nothing of it is known; `why` says what is not.

    `counted` vaults are in the amount, `unknown` ones are not: so it is at least the amount. `key` is an id or a tag.
    """

    by: str
    key: str
    amount: Decimal | None
    counted: int
    unknown: int
    hits: int = 0
    keys: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """All of it, in one currency. `left_out` counts the groups of a kind that were too many to keep."""

    currency: str
    whole: Sum
    groups: tuple[Sum, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Vault:
    name: str
    target: str
    tags: tuple[tuple[str, str], ...]


@dataclass
class Spending:
    """Gathers vaults, and the keys that workspaces use there, while judgements are gone through, one at a time."""

    _vaults: dict[str, _Vault] = field(default_factory=dict)  # by name, which no two have
    _users: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # workspaces, by vault
    _named: dict[str, tuple[str, ...]] = field(default_factory=dict)  # vaults, by workspace
    # Types of each key, by vault and name; '' for one that nobody knows.
    _keys: defaultdict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(dict))
    _unrecorded: set[str] = field(default_factory=set)  # vaults with users of whose keys nothing is recorded yet

    def add(self, it: Judgement) -> None:
        """Note one target."""
        if it.kind == ids.VAULT:
            at = ids.parse(it.target)
            tags = (("owner", it.owner), ("cost-center", it.cost_center), ("subscription", at.subscription.lower()))
            self._vaults[at.name.lower()] = _Vault(at.name.lower(), it.target, tags)
            return
        if not it.vaults:
            return
        named = self._named[it.target] = tuple(_vault_at(host) for host in it.vaults)
        for vault in named:
            self._users[vault].add(it.target)
        if not it.keys:
            self._unrecorded.update(named)
        for key in it.keys:
            kind = type_of(key.kind, key.size) if key.kind else ""
            self._keys[_vault_at(key.host)].setdefault(key.name.lower(), set()).add(kind)

    def cost(self, readings: Mapping[str, Reading], prices: Prices, now: datetime) -> Cost:
        """Return what everything costs by these readings (by the vault's id in lower case)."""
        with localcontext(prec=_DIGITS):
            vaults = {
                name: self._of_vault(it, readings.get(it.target.lower()), prices, now)
                for name, it in self._vaults.items()
            }
            groups = [*vaults.values(), *self._workspaces(vaults), *self._groups(vaults)]
            kept, left_out = _kept(groups)
            return Cost(prices.currency, _total("estate", "all", vaults.values()), kept, left_out)

    def _of_vault(self, it: _Vault, reading: Reading | None, prices: Prices, now: datetime) -> Sum:
        keys = self._keys[it.name]
        why = next(chain(self._untyped(it, keys, prices), _uncounted(reading, now)), "")
        found = [prices.keys[kind] for types in keys.values() for kind in types if kind in prices.keys]
        operations = {each.operation for each in found}
        hits = (reading.hits or 0) if reading else 0
        if not why and hits and len(operations) > 1:
            why = "its keys have different prices for an operation, and Azure Monitor does not count by key"
        if not why and hits and not operations:
            why = "no workspace uses a key in it, so nobody can say what its operations cost"
        if why:
            return Sum("vault", it.target, None, 0, 1, keys=len(keys), why=why)
        amount = sum((each.month for each in found), Decimal(0)) + hits * next(iter(operations), Decimal(0))
        return Sum("vault", it.target, amount, 1, 0, hits, len(keys))

    def _untyped(self, it: _Vault, keys: Mapping[str, set[str]], prices: Prices) -> Iterator[str]:
        """Yield why nobody can say what its keys cost."""
        if it.name in self._unrecorded:
            yield "its keys are not recorded yet: they are when its workspaces are looked at the next time"
        for name, types in sorted(keys.items()):
            if "" in types:
                yield f"the type of its key {name} could not be read"
            elif len(types) > 1:
                yield f"its key {name} has versions of several types"
            elif not types <= prices.keys.keys():
                yield f"CMK_PRICES has no price for {min(types)}"

    def _workspaces(self, vaults: Mapping[str, Sum]) -> Iterator[Sum]:
        for target, named in self._named.items():
            shared = {name: len(self._users[name]) for name in named if len(self._users[name]) > 1}
            if shared:
                name, many = min(shared.items())
                why = f"its vault {name} is shared by {many} workspaces, and Azure Monitor does not count by key"
                yield Sum("workspace", target, None, 0, len(named), why=why)
                continue
            missing = next((name for name in named if name not in vaults), "")
            if missing:
                yield Sum(
                    "workspace", target, None, 0, len(named), why=f"its vault {missing} is not looked at, or no vault"
                )
                continue
            yield _total("workspace", target, [vaults[name] for name in named])

    def _groups(self, vaults: Mapping[str, Sum]) -> Iterator[Sum]:
        found = defaultdict[tuple[str, str], list[Sum]](list)
        for name, it in self._vaults.items():
            for tag in it.tags:
                found[tag].append(vaults[name])
        for (by, key), parts in sorted(found.items()):
            yield _total(by, key, parts)


def _uncounted(reading: Reading | None, now: datetime) -> Iterator[str]:
    """Yield why nobody can say how often a vault was called."""
    if reading is None:
        yield "the sweep has not asked Azure Monitor yet how often it was called"
    elif not reading.is_good(now):
        yield f"Azure Monitor was last asked for the days before {reading.until:%Y-%m-%d}"
    elif reading.hits is None:
        yield reading.problem


def _vault_at(host: str) -> str:
    """Return the name of the vault at a host. A managed HSM is none, and has a price of its own."""
    name, _, domain = host.lower().partition(".")
    return name if domain.startswith("vault.") else host.lower()


def _total(by: str, key: str, parts: Iterable[Sum]) -> Sum:
    """Return the sum of vaults: of those whose cost is known."""
    found = list(parts)
    known = [it for it in found if it.amount is not None]
    unknown = sorted((it for it in found if it.amount is None), key=lambda it: it.key)
    amount = sum((it.amount for it in known if it.amount is not None), Decimal(0)) if known else None
    return Sum(
        by, key, amount, len(known), len(unknown), sum(it.hits for it in known), sum(it.keys for it in found),
        _named(unknown, is_all=not known)
    )  # fmt: skip


def _named(unknown: list[Sum], *, is_all: bool) -> str:
    """Return which vaults are missing, and why if it is one: each has its reason where it stands by itself."""
    if len(unknown) == 1:
        return f"{ids.parse(unknown[0].key).name} ({unknown[0].why})"
    more = len(unknown) - _NAMED
    names = ", ".join(ids.parse(it.key).name for it in unknown[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"nothing is known of {names}" if unknown and is_all else names


def _kept(groups: Iterable[Sum]) -> tuple[tuple[Sum, ...], Mapping[str, int]]:
    """Return the groups, of each kind those first that cost most, what is unknown last; and how many were left out."""
    kinds = defaultdict[str, list[Sum]](list)
    for it in groups:
        kinds[it.by].append(it)
    kept, left_out = list[Sum](), dict[str, int]()
    for by, found in sorted(kinds.items()):
        found.sort(key=lambda it: (it.amount is None, -(it.amount or 0), it.key))
        kept += found[:_MOST]
        if len(found) > _MOST:
            left_out[by] = len(found) - _MOST
    return tuple(kept), left_out
