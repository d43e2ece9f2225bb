"""What reaches a vault, and what lies in it, as texts that change when they do and at no other time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Choices
from shared.core.keyring import keyring
from shared.core.reach import Reach
from tests.access import assignment
from tests.fakes import SUBSCRIPTION, vault_id

VAULT = ids.parse(vault_id())
SUB = f"/subscriptions/{SUBSCRIPTION}"
ROLE = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _given(scope: str, name: str = "one", kind: str = "ServicePrincipal") -> dict[str, Any]:
    return assignment(scope, "11111111-0000-4000-8000-00000000000a", ROLE, name=name, principalType=kind)


def _of(*assignments: dict[str, Any], denials: tuple[Any, ...] = (), roles: tuple[Any, ...] = ()) -> str:
    return Reach(assignments, denials, roles).of(VAULT)


@pytest.mark.parametrize(
    "scope",
    [
        "/providers/Microsoft.Management/managementGroups/root", "/", SUB, f"{SUB}/resourcegroups/RG", vault_id(),
        f"{vault_id()}/keys/k",
    ],
)  # fmt: skip
def test_a_grant_above_at_or_below_reaches_it(scope: str) -> None:
    """From the tenant down to one key."""
    assert _of(_given(scope)) != _of()
    assert _of(denials=({"properties": {"scope": scope, "principals": []}},)) != _of()


@pytest.mark.parametrize("scope", [f"{SUB}/resourceGroups/rg-2", vault_id("kv-one-more"), f"{vault_id('kv-2')}/keys/k"])
def test_a_grant_elsewhere_does_not(scope: str) -> None:
    """Neither that of a neighbour whose name begins alike."""
    assert _of(_given(scope)) == _of()


def test_people_above_do_not_count_and_people_at_the_vault_do() -> None:
    """Users come and go; one who holds something at the vault itself is somebody to look at."""
    assert _of(_given(SUB, kind="User")) == _of()
    assert _of(_given(vault_id(), kind="User")) != _of()
    assert _of(_given(SUB, kind="Group")) != _of()


def test_order_and_case_change_nothing_and_a_role_of_our_own_does() -> None:
    """Azure lists in any order and spells ids at will; what a custom role allows is part of what reaches the vault."""
    one, two = _given(vault_id(), "one"), _given(SUB, "two")
    shouted = {**one, "id": one["id"].upper(), "properties": dict(reversed(one["properties"].items()))}
    shouted["properties"]["scope"] = vault_id().replace("resourceGroups", "resourcegroups")

    assert _of(one, two) == _of(two, shouted)
    assert _of(one, roles=({"id": "r", "properties": {"permissions": ["a"]}},)) != _of(
        one, roles=({"id": "r", "properties": {"permissions": ["b"]}},)
    )
    assert _of({"id": "odd"}, {"properties": None}) != ""


def _key(name: str = "k", **attributes: object) -> dict[str, Any]:
    return {
        "id": f"{vault_id()}/keys/{name}",
        "properties": {"attributes": {"enabled": True, "created": 1_700_000_000, **attributes}},
    }


def test_a_keyring_changes_with_its_keys() -> None:
    """With a key more, one that is off, one that has a new version; not with their order."""
    choices = Choices()
    plain = keyring([_key("a"), _key("b")], choices, NOW)

    assert keyring([_key("b"), _key("a")], choices, NOW) == plain
    others = [[_key("a")], [_key("a"), _key("b", enabled=False)], [_key("a"), _key("b", updated=1_700_000_001)], []]
    assert len({plain, *(keyring(it, choices, NOW) for it in others)}) == 5


def test_a_keyring_changes_when_a_key_comes_of_age() -> None:
    """As it nears its end, ends, begins to be good, and when who still is on the version before should have followed."""
    choices = Choices(expiring=timedelta(days=30))
    at = NOW.timestamp()
    moments = [NOW + timedelta(days=days) for days in (0, 0.5, 2, 11, 41)]
    attributes: dict[str, Any] = {"exp": at + 40 * 86_400, "nbf": at + 0.25 * 86_400, "created": at}
    texts = [keyring([_key(**attributes)], choices, moment) for moment in moments]

    assert len(set(texts)) == 5
    assert keyring([_key(**attributes)], choices, moments[2] + timedelta(days=1)) == texts[2]
    assert keyring([_key(exp=True, nbf="x", created=None), {"id": 1}], choices, NOW)
