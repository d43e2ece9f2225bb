"""What lists of grants and keys show makes a survey look at what is judged by them, and nothing else does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Mode
from shared.core.errors import Denied, Temporary
from shared.core.ids import ResourceId
from shared.core.survey import Progress, Share
from shared.flow import compare
from tests.access import CRYPTO_USER, Access, assignment
from tests.fakes import SUBSCRIPTION, World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.test_survey import TAGS, survey

KEY = f"{vault_id()}/keys/k"


@pytest.fixture
def settled() -> World:
    """A vault with roles, a key in it and a workspace on that; surveyed until nothing is new."""
    world = World(mode=Mode.OBSERVE, gap=timedelta(0))
    body = vault_body(tags=TAGS, enablePurgeProtection=True, enableRbacAuthorization=True)
    world.give(Access(body))
    world.arm.put(body, workspace_body(), _key())
    for _ in range(2):
        survey(world)
    world.arm.calls.clear()
    return world


def _key(**attributes: Any) -> dict[str, Any]:
    address = "https://kv-one.vault.azure.net/keys/k"
    known = {"enabled": True, "created": 1_700_000_000, **attributes}
    return {
        "id": KEY,
        "properties": {
            "kty": "RSA", "keySize": 2048, "keyOps": ["wrapKey", "unwrapKey"], "attributes": known, "keyUri": address,
            "keyUriWithVersion": f"{address}/{'1' * 32}",
        },
    }  # fmt: skip


def _looked_at(world: World) -> set[str]:
    """Return what was read itself, and not only listed."""
    return {path for verb, path in world.arm.calls if verb == "GET" and path.count("/") == 8}


def test_nothing_is_looked_at_while_nothing_changes(settled: World) -> None:
    """The fixture is what it says."""
    share = survey(settled)

    assert (share.progress, share.looked, _looked_at(settled)) == (Progress.DONE, 0, set())


def _give(world: World) -> None:
    assert world.arm.access
    given = assignment(vault_id(), "11111111-0000-4000-8000-00000000000a", CRYPTO_USER, name="one")
    world.arm.access.assigned.append(given)


def _deny(world: World) -> None:
    assert world.arm.access
    world.arm.access.denial_bodies.append({"id": "d", "properties": {"scope": vault_id(), "principals": []}})


CHANGES: dict[str, Callable[[World], None]] = {
    "a role is given": _give,
    "something is denied": _deny,
    "a key is switched off": lambda world: world.arm.put(_key(enabled=False)),
    "a key is gone": lambda world: world.arm.resources.__delitem__(KEY.lower()),
    "a key nears its end": lambda world: world.arm.put(_key(exp=world.clock.now().timestamp() + 86_400)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_no_event_tells_of_is_looked_at_with_those_who_use_it(
    settled: World, change: Callable[[World], None]
) -> None:
    """The vault, and the workspace on its key; once."""
    change(settled)
    share = survey(settled)
    looked = _looked_at(settled)
    settled.arm.calls.clear()
    after = survey(settled)

    assert (share.looked, looked) == (1, {vault_id().lower(), workspace_id().lower()})
    assert (after.looked, _looked_at(settled)) == (0, set())


def test_what_nobody_has_looked_at_for_long_is_looked_at(settled: World) -> None:
    """A rotation policy or a diagnostic setting is in no list: within a week of CMK_LOOK_AGAIN each has had its look."""
    looked = set()
    for _ in range(8):
        settled.clock.advance(86_400)
        survey(settled)
        looked |= _looked_at(settled)

    assert looked == {vault_id().lower(), workspace_id().lower()}


def test_what_ends_to_be_compliant_by_itself_is_looked_at_when_it_does(settled: World) -> None:
    """Weeks from now, when no message would still be waiting."""
    kept = settled.estate.kept
    kept[workspace_id().lower()] = replace(kept[workspace_id().lower()], until=settled.clock.now() + timedelta(hours=1))
    before = survey(settled)
    early = _looked_at(settled)
    settled.clock.advance(3600)
    after = survey(settled)

    assert (before.looked, early) == (0, set())
    assert (after.looked, workspace_id().lower() in _looked_at(settled)) == (1, True)


def test_a_vault_whose_keys_we_may_not_list_is_said_to_be_so(settled: World) -> None:
    """Counted, looked at once, and never taken for empty."""

    def refuse(vault: ResourceId, **_: bool) -> list[Any]:
        raise Denied("AuthorizationFailed", f"no listing of {vault}")

    settled.vaults.keys = refuse  # type: ignore[method-assign]
    shares = [survey(settled) for _ in range(2)]

    assert [(it.progress, it.hidden, it.looked) for it in shares] == [(Progress.DONE, 1, 1), (Progress.DONE, 1, 0)]


def test_a_throttled_share_goes_on_where_it_was(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often Azure says not now: each vault is listed once, and being throttled is no failure while it comes on."""
    monkeypatch.setattr(compare, "VAULTS_AT_ONCE", 4)
    for number in range(30):
        body = vault_body(f"kv-{number:02}", tags=TAGS, enablePurgeProtection=True)
        settled.arm.put(body | {"id": vault_id(f"kv-{number:02}")})
    survey(settled)
    listed, done, calls = settled.vaults.keys, list[str](), 0

    def busy(vault: ResourceId, **_: bool) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2 == 0:
            raise Temporary("TooManyRequests", "slow down", 1.0)
        done.append(vault.name)
        return listed(vault)

    settled.vaults.keys = busy  # type: ignore[method-assign]
    share = survey(settled)

    assert (share.progress, share.hidden) == (Progress.DONE, 0)
    assert sorted(done) == sorted(["kv-one", *(f"kv-{number:02}" for number in range(30))])


def test_a_share_that_comes_no_further_is_unread_in_the_end(settled: World) -> None:
    """Nine times the same vault: named with what Azure said, and nothing closed."""

    def busy(vault: ResourceId, **_: bool) -> Any:
        raise Temporary("TooManyRequests", f"{vault.name} is busy")

    settled.vaults.keys = busy  # type: ignore[method-assign]
    share = survey(settled)

    assert (share.subscription, share.progress) == (SUBSCRIPTION, Progress.UNREAD)
    assert share.problem == "TooManyRequests: kv-one is busy"
    assert set(settled.estate.under(ids.VAULT, SUBSCRIPTION)) == {vault_id().lower()}


def test_what_changed_a_moment_ago_is_not_called_lost(settled: World) -> None:
    """Its event may be waiting for the gap: it is looked at, and counted as nothing that was missed."""
    settled.choices = settled.choices.__class__(mode=Mode.OBSERVE, gap=timedelta(minutes=5))
    settled.arm.put(vault_body(tags={**TAGS, "team": "x"}, enablePurgeProtection=True, enableRbacAuthorization=True))
    kept = settled.estate.kept
    kept[vault_id().lower()] = replace(kept[vault_id().lower()], time=settled.clock.now())
    share: Share = survey(settled)

    assert (share.changed, share.missed, share.gone) == (0, 0, 0)
    assert vault_id().lower() in _looked_at(settled)
