"""Prices and what is reckoned with them: exact to the last digit, and never a number for what nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import ids, words
from shared.core.figures.age import Ages
from shared.core.figures.cost import Cost, Spending, Sum
from shared.core.figures.kpi import money
from shared.core.figures.reading import Reading, midnight
from shared.core.inuse import KeyInUse
from shared.core.judgement import Judgement
from shared.core.prices import TYPES, Price, Prices, prices, type_of
from tests.fakes import NOON, vault_id, workspace_id

AMOUNTS = st.tuples(st.integers(0, 10**9 - 1), st.integers(1, 9), st.integers(0, 10**9 - 1)).map(
    lambda it: f"{it[0]}.{it[2] % 10 ** it[1]:0{it[1]}}" if it[2] % 5 else str(it[0])
)
MANY = st.integers(0, 6).map(lambda n: 10**n)
LISTS = st.dictionaries(st.sampled_from(TYPES), st.tuples(AMOUNTS, AMOUNTS, MANY), min_size=1)
FLAT = prices("currency=EUR,RSA-2048=0/month+0.03/10000,RSA-HSM-3072=5/month+0.15/10000")
WRONG = [
    "EUR", "currency=EUR", "currency=euro,RSA-2048=0/month+0/1", "RSA-2048=0/month+0/1", "currency=EUR,RSA-2048=1/10000",
    "currency=EUR,currency=USD,RSA-2048=0/month+0/1", "currency=EUR,RSA-2048=0/month", "currency=EUR,RSA-1024=0/month+0/1",
    "currency=EUR,RSA-2048=0/month+0/3", "currency=EUR,RSA-2048=-1/month+0/1", "currency=EUR,RSA-2048=1e3/month+0/1",
    "currency=EUR,RSA-2048=0/month+0/1,rsa-2048=0/month+0/1", "currency=EUR,RSA-2048=0,03/month+0/1",
    "currency=EUR,RSA-2048=0/month+0/0", "currency=EUR,RSA-2048=٣/month+0/1", "currency=EUR,RSA-2048=NaN/month+0/1",
]  # fmt: skip


@given(LISTS)
def test_prices_are_what_was_written(written: Mapping[str, tuple[str, str, int]]) -> None:
    """Whatever blanks and cases people type: each is the very number, as a fraction says it."""
    text = ", ".join(
        f" {name.lower()} = {month}/month+{price}/{many}" for name, (month, price, many) in written.items()
    )
    found = prices(f"currency = CHF,{text}")

    assert found.currency == "CHF"
    assert {name: (Fraction(it.month), Fraction(it.operation)) for name, it in found.keys.items()} == {
        name: (Fraction(month), Fraction(price) / many) for name, (month, price, many) in written.items()
    }


@pytest.mark.parametrize("text", WRONG)
def test_half_a_price_list_is_none(text: str) -> None:
    """A currency without prices, a price without one of its halves, twice the same, no number: refused, and told why."""
    with pytest.raises(ValueError, match=r"currency|prices"):
        prices(text)


def test_no_setting_is_no_price() -> None:
    """Nothing is invented."""
    assert words.prices("  ") is None


def test_the_type_of_a_key_is_as_azure_names_it() -> None:
    """Its kind in any case, and its bits."""
    assert type_of("Rsa-Hsm", 3072) in TYPES


def vault(name: str, owner: str = "ada") -> Judgement:
    """Return the judgement on a vault."""
    return Judgement(vault_id(name), ids.VAULT, name, "westeurope", (), owner, NOON, "Compliant", ())


def workspace(name: str, *keys: KeyInUse, vaults: Sequence[str] = ()) -> Judgement:
    """Return the judgement on a workspace that uses these keys."""
    hosts = tuple(vaults) or tuple(dict.fromkeys(it.host for it in keys))
    made = Judgement(workspace_id(name), ids.WORKSPACE, name, "westeurope", (), "", NOON, "Compliant", (), vaults=hosts)
    return replace(made, keys=keys)


def key(at: str, name: str = "k", kind: str = "RSA-2048", version: str = "1", made: datetime | None = None) -> KeyInUse:
    """Return a key in use in a vault."""
    family, _, bits = kind.rpartition("-")
    return KeyInUse(f"{at}.vault.azure.net", name, version, family, int(bits or 0), made)


def costs(judged: Sequence[Judgement], hits: Mapping[str, int | None], at: Prices = FLAT, **reading: Any) -> Cost:
    """Return what these cost, by how often each vault was called."""
    spending = Spending()
    for it in judged:
        spending.add(it)
    readings = {
        vault_id(name).lower(): replace(Reading(vault_id(name).lower(), midnight(NOON), count, "no right"), **reading)
        for name, count in hits.items()
    }
    return spending.cost(readings, at, NOON)


def of(found: Cost, by: str, name: str) -> Sum:
    """Return the sum of one group."""
    (it,) = [it for it in found.groups if it.by == by and it.key.endswith(name)]
    return it


@given(LISTS, st.data())
def test_every_amount_is_exact(written: Mapping[str, tuple[str, str, int]], data: st.DataObject) -> None:
    """Vaults of one key type each, called up to a trillion times: vaults, workspaces and the whole, as fractions say it."""
    text = ",".join(f"{name}={month}/month+{price}/{many}" for name, (month, price, many) in written.items())
    estate = data.draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(written)), st.integers(1, 4), st.integers(0, 10**12)),
            min_size=1,
            max_size=6,
        )
    )
    judged, hits, wanted = list[Judgement](), dict[str, int | None](), list[Fraction]()
    for n, (kind, keys, count) in enumerate(estate):
        judged += [vault(f"kv-{n}"), workspace(f"dbw-{n}", *(key(f"kv-{n}", f"k{it}", kind) for it in range(keys)))]
        hits[f"kv-{n}"] = count
        month, price, many = written[kind]
        wanted.append(keys * Fraction(month) + count * Fraction(price) / many)
    found = costs(judged, hits, prices(f"currency=EUR,{text}"))

    for n, amount in enumerate(wanted):
        for by, name in (("vault", f"kv-{n}"), ("workspace", f"dbw-{n}")):
            exact = of(found, by, name).amount
            assert exact is not None
            assert Fraction(exact) == amount
            shown = money(exact)
            assert shown is not None
            assert 0 <= amount - Fraction(exact.quantize(Decimal("0.0001"), "ROUND_DOWN")) < Fraction(1, 10_000)
    assert Fraction(found.whole.amount or 0) == sum(wanted)


@given(st.lists(st.integers(0, 10**9) | st.none(), max_size=8))
def test_a_sum_over_unknowns_is_never_the_whole(counts: Sequence[int | None]) -> None:
    """What nobody counted adds nothing, is counted as missing, and named; without any known there is no amount."""
    judged = [it for n in range(len(counts)) for it in (vault(f"kv-{n}"), workspace(f"dbw-{n}", key(f"kv-{n}")))]
    found = costs(judged, {f"kv-{n}": count for n, count in enumerate(counts)})
    known = [it for it in counts if it is not None]

    assert (found.whole.counted, found.whole.unknown) == (len(known), len(counts) - len(known))
    assert bool(found.whole.why) is (len(known) < len(counts))
    assert (found.whole.amount is None) is (not known)
    assert Fraction(found.whole.amount or 0) == sum(known) * Fraction(3, 1_000_000)
    for it in found.groups:
        assert it.unknown == 0 or it.why


@pytest.mark.parametrize(
    ("judged", "hits", "why"),
    [
        ([workspace("w", key("kv"))], {}, "has not asked"),
        ([workspace("w", key("kv"))], {"kv": None}, "no right"),
        ([workspace("w", key("kv", kind="RSA-4096"))], {"kv": 1}, "CMK_PRICES has no price for RSA-4096"),
        ([workspace("w", key("kv")), workspace("x", key("kv", "l", "RSA-HSM-3072"))], {"kv": 1}, "different prices"),
        ([workspace("w", key("kv")), workspace("x", key("kv", kind="RSA-HSM-3072"))], {"kv": 1}, "several types"),
        ([workspace("w", KeyInUse("kv.vault.azure.net", "k", problem="no right"))], {"kv": 1}, "could not be read"),
        ([workspace("w", vaults=["kv.vault.azure.net"])], {"kv": 1}, "not recorded yet"),
        ([], {"kv": 1}, "no workspace uses a key"),
    ],
)  # fmt: skip
def test_what_nobody_can_say_of_a_vault_has_its_reason(
    judged: list[Judgement], hits: Mapping[str, int | None], why: str
) -> None:
    """Each kind of not knowing, in its own words; the whole names the vault."""
    found = costs([vault("kv"), *judged], hits)

    assert of(found, "vault", "kv").amount is None
    assert why in of(found, "vault", "kv").why
    assert found.whole.why.startswith("kv (")


def test_what_nobody_calls_and_nobody_uses_costs_nothing() -> None:
    """A vault without keys in use and without calls is 0, and known to be."""
    assert of(costs([vault("kv")], {"kv": 0}), "vault", "kv").amount == 0


def test_an_old_reading_is_none() -> None:
    """Two days after the midnight at which its days end it speaks of now no more."""
    judged = [vault("kv"), workspace("w", key("kv"))]
    good = costs(judged, {"kv": 1}, until=NOON - timedelta(days=2) + timedelta(seconds=1))
    old = costs(judged, {"kv": 1}, until=NOON - timedelta(days=2))

    assert good.whole.amount == Decimal("0.000003")
    assert (old.whole.amount, "last asked for the days before 2026-11-22" in old.whole.why) == (None, True)


def test_what_is_shared_is_not_divided() -> None:
    """Two workspaces on one vault: it has a cost, they have none; a third with a vault of its own has its own."""
    judged = [
        vault("kv-both"), vault("kv-own", "eve"), workspace("one", key("kv-both")), workspace("two", key("kv-both", "l"), key("kv-own")),
        workspace("three", key("kv-three"), key("kv-four")), vault("kv-three"), workspace("hsm", KeyInUse("h.managedhsm.azure.net", "k")),
    ]  # fmt: skip
    found = costs(judged, {"kv-both": 10**6, "kv-own": 10**6, "kv-three": 10**6})

    assert of(found, "vault", "kv-both").amount == 3
    for name in ("one", "two"):
        it = of(found, "workspace", name)
        assert (it.amount, "its vault kv-both is shared by 2 workspaces" in it.why) == (None, True)
    assert "its vault kv-four is not looked at" in of(found, "workspace", "three").why
    assert "h.managedhsm.azure.net is not looked at, or no vault" in of(found, "workspace", "hsm").why
    assert [(it.key, str(it.amount)) for it in found.groups if it.by == "owner"] == [
        ("ada", "6.000000"),
        ("eve", "3.000000"),
    ]


def test_those_that_cost_most_are_kept() -> None:
    """A hundred of a kind; the others are counted, and in the sum."""
    judged = [it for n in range(103) for it in (vault(f"kv-{n}"), workspace(f"dbw-{n}", key(f"kv-{n}")))]
    found = costs(judged, {f"kv-{n}": n for n in range(103)})
    kept = [it.key.rpartition("/")[2] for it in found.groups if it.by == "vault"]

    assert (len(kept), kept[0], kept[-1]) == (100, "kv-102", "kv-3")
    assert found.left_out == {"vault": 3, "workspace": 3}
    assert found.whole.hits == sum(range(103))


def test_prices_of_keys_count_each_key_once() -> None:
    """Two layers and two workspaces on one HSM key are one key; two keys are two."""
    hsm = Prices("EUR", {"RSA-HSM-3072": Price(Decimal(5), Decimal(0))})
    one, other = key("kv", "k", "RSA-HSM-3072"), key("kv", "K", "RSA-HSM-3072", version="2")
    found = costs(
        [vault("kv"), workspace("w", one, other), workspace("x", key("kv", "l", "RSA-HSM-3072"))], {"kv": 7}, hsm
    )

    assert of(found, "vault", "kv").amount == 10


def test_the_age_of_a_version_is_counted_once() -> None:
    """Young until the very second; what two workspaces share once; unread and unrecorded ones are unknown, never young."""
    ages, year = Ages(), timedelta(days=365)
    made = NOON - year
    ages.add(
        workspace("w", key("kv", "a", made=made), key("kv", "b", made=made + timedelta(seconds=1)), key("kv", "c"))
    )
    ages.add(workspace("x", key("kv", "A"), key("kv", "b", version="2", made=NOON)))
    ages.add(workspace("y", vaults=["kv.vault.azure.net"]))
    found = ages.age(NOON, year)

    assert (found.young, found.old, found.unknown) == (2, 1, 2)
    assert (found.permille, found.oldest, found.median) == (400, 365 * 86_400, 365 * 86_400 - 1)
    assert Ages().age(NOON, year).permille is None


def test_a_midnight_is_that_of_utc() -> None:
    """Whatever zone the clock is in."""
    assert midnight(NOON) == datetime(2026, 11, 24, tzinfo=UTC)


def test_what_is_missing_from_a_sum_is_named() -> None:
    """One with its reason, several by name, many by number; where all are missing it says so."""
    judged = [vault(f"kv-{n}") for n in range(7)]
    users = [workspace("w", key("kv-0"))]
    some = costs([*judged, *users], {"kv-0": 1})
    none = costs(judged[:2], {})
    one = costs([*judged[:2], *users], {"kv-0": 1})

    assert some.whole.why == "kv-1, kv-2, kv-3, kv-4, kv-5 and 1 more"
    assert none.whole.why == "nothing is known of kv-0, kv-1"
    assert one.whole.why == "kv-1 (the sweep has not asked Azure Monitor yet how often it was called)"
