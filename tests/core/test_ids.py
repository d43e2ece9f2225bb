"""ARM ids: what is read, what is rebuilt, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import ids
from shared.core.errors import BadInput
from tests.fakes import SUBSCRIPTION, vault_id


def test_case_does_not_matter() -> None:
    """Two ids that differ in case alone are one resource."""
    upper, lower = ids.parse(vault_id().upper()), ids.parse(vault_id().lower())

    assert (upper, hash(upper), upper.kind) == (lower, hash(lower), ids.VAULT)


@pytest.mark.parametrize(
    "child",
    [
        "/keys/k",
        "/keys/k/versions/0",
        "/accessPolicies/add",
        "/providers/Microsoft.Authorization/roleAssignments/8f1c",
        "/providers/Microsoft.Authorization/locks/frozen",
    ],
)
def test_a_child_or_extension_gives_its_owner(child: str) -> None:
    """An event about something below or beside a vault concerns the vault."""
    assert str(ids.parse(vault_id() + child)) == vault_id()


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        {"id": "x"},
        "",
        "/",
        "x" * 4000,
        "/subscriptions/not-a-guid/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v",
        f"/subscriptions/{SUBSCRIPTION}",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/../providers/Microsoft.KeyVault/vaults/v",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v?api-version=1",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v%2F..",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r\ng/providers/Microsoft.KeyVault/vaults/v",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/..//vaults/v",
        f"https://management.azure.com{vault_id()}",
    ],
)
def test_what_is_no_resource_id_is_refused(text: object) -> None:
    """Anything that could become another path, or none, is bad input."""
    with pytest.raises(BadInput):
        ids.parse(text)


def test_a_look_alike_is_another_resource() -> None:
    """Only A to Z lose their case: U+212A, which Unicode lowers to k, does not make two resources one."""
    assert ids.parse(vault_id("kv-\u212a")) != ids.parse(vault_id("kv-k"))


@given(st.text())
def test_nothing_else_than_bad_input_is_raised(text: str) -> None:
    """Whatever text arrives, it parses or is refused in our own words."""
    try:
        parsed = ids.parse(text)
    except BadInput:
        return

    assert ids.parse(str(parsed)) == parsed


def test_scopes_end_at_a_whole_segment() -> None:
    """A vault is below its group, and not below a group whose name merely begins the same."""
    target = ids.parse(vault_id())
    group = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg"

    assert target.is_below(group)
    assert target.is_below(target.key)
    assert not target.is_below(group[:-1])
