"""The decision itself, without the network: data actions, and that nothing remembered outlives its reason."""

import asyncio
import itertools
import random
from typing import Any

from simulator.arm.access import Access
from simulator.arm.clock import Clock
from simulator.arm.config import Config, Identity
from simulator.arm.denials import EVERYBODY
from simulator.arm.knobs import Knobs
from simulator.arm.router import covers, route

TENANT = "11111111-0000-4000-8000-000000000001"
ROOT = f"/providers/Microsoft.Management/managementGroups/{TENANT}"
LOW = "/providers/Microsoft.Management/managementGroups/low"
SUB = "/subscriptions/22222222-0000-4000-8000-000000000001"
VAULT = f"{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
KEY = f"{VAULT}/keys/one"
SERVICE, TEAM = "33333333-0000-4000-8000-00000000000a", "33333333-0000-4000-8000-0000000000ff"
USER_ROLE, READER = "e147488a-f6f5-4113-8e2d-b22465e65bf6", "acdd72a7-3385-48ef-bd42-f606fba81ae7"
WRAP, READ = "Microsoft.KeyVault/vaults/keys/wrap/action", "Microsoft.KeyVault/vaults/read"
AUTH = "/providers/Microsoft.Authorization"


def build(clock: Clock | None = None, **knobs: Any) -> Access:
    """An empty tenant with one service principal."""
    config = Config(TENANT, "", "", "", (), (Identity("service", "app", SERVICE),), {}, ())
    made = Knobs()
    made.set(knobs)
    return Access(config, clock or Clock(), made)


def put(access: Access, identity: str, **properties: Any) -> None:
    """Store a body, as the world would tell."""
    target, body = route(identity), {"id": identity, "properties": properties}
    for watcher in (access.tree, access.denials, access.directory, access):
        watcher.put(target, body)


def drop(access: Access, identity: str) -> None:
    """Take it away again."""
    for watcher in (access.tree, access.denials, access.directory, access):
        watcher.drop(route(identity))


def give(access: Access, scope: str, role: str, principal: str = SERVICE, name: str = "a") -> str:
    """Assign a role; returns the id."""
    identity = f"{scope}{AUTH}/roleAssignments/{name}"
    put(access, identity, roleDefinitionId=f"{AUTH}/roleDefinitions/{role}", principalId=principal, scope=scope)
    return identity


def test_data_actions_are_inherited_from_everywhere() -> None:
    """Management group, subscription, group, vault, key; and never from a role without data actions."""
    access = build()
    put(access, f"{LOW}/subscriptions/{SUB.rsplit('/', 1)[-1]}")
    for scope in (ROOT, LOW, SUB, f"{SUB}/resourceGroups/RG", VAULT.upper(), KEY):
        made = give(access, scope, USER_ROLE)
        assert access.find_data(SERVICE.upper(), WRAP.upper(), KEY), scope
        drop(access, made)
        assert access.find_data(SERVICE, WRAP, KEY) is None, scope
    give(access, SUB, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
    assert access.find_data(SERVICE, WRAP, KEY) is None
    assert access.find(SERVICE, READ, VAULT)


def test_a_key_has_a_role_of_its_own() -> None:
    """Given at one key it does not reach another, nor the vault."""
    access = build()
    give(access, KEY, USER_ROLE)

    assert access.find_data(SERVICE, WRAP, KEY)
    assert access.find_data(SERVICE, WRAP, f"{VAULT}/keys/one/versions/v1")
    assert access.find_data(SERVICE, WRAP, f"{VAULT}/keys/one2") is None
    assert access.find_data(SERVICE, WRAP, VAULT) is None


def test_data_actions_see_groups_and_denials() -> None:
    """A group's role, and a deny assignment that names data actions."""
    access = build()
    give(access, VAULT, USER_ROLE, TEAM)
    assert access.find_data(SERVICE, WRAP, KEY) is None
    access.directory.seed([{"id": TEAM, "type": "Group", "members": [SERVICE]}])
    assert access.find_data(SERVICE, WRAP, KEY)
    denial = f"{SUB}{AUTH}/denyAssignments/d"
    permissions = [{"actions": ["*"], "dataActions": []}]
    put(access, denial, permissions=permissions, principals=[{"id": EVERYBODY}], scope=SUB)
    assert access.find_data(SERVICE, WRAP, KEY)
    put(access, denial, permissions=[{"dataActions": ["*/wrap/action"]}], principals=[{"id": EVERYBODY}], scope=SUB)
    assert access.find_data(SERVICE, WRAP, KEY) is None
    drop(access, denial)
    assert access.find_data(SERVICE, WRAP, KEY)


def test_data_actions_wait_for_their_role() -> None:
    """Both ways, by the clock."""

    async def story() -> list[bool]:
        clock = Clock()
        access = build(clock, propagation_seconds=600)
        seen = []
        made = give(access, VAULT, USER_ROLE)
        seen.append(access.find_data(SERVICE, WRAP, KEY) is not None)
        clock.advance(601)
        seen.append(access.find_data(SERVICE, WRAP, KEY) is not None)
        drop(access, made)
        seen.append(access.find_data(SERVICE, WRAP, KEY) is not None)
        clock.advance(601)
        return [*seen, access.find_data(SERVICE, WRAP, KEY) is not None]

    assert asyncio.run(story()) == [False, True, True, False]


def test_a_loop_of_management_groups_ends() -> None:
    """What was seeded wrongly must not hang the simulator."""
    access = build()
    for one, other in itertools.permutations(("m1", "m2")):
        put(access, f"{LOW[:-3]}{one}", details={"parent": {"id": f"{LOW[:-3]}{other}"}})
    put(access, f"{LOW[:-3]}m1/subscriptions/{SUB.rsplit('/', 1)[-1]}")
    give(access, f"{LOW[:-3]}m2", READER)

    assert access.find(SERVICE, READ, VAULT)


def test_memory_never_outlives_its_reason() -> None:
    """Thousands of random changes: the remembered answer is the one that a plain look at everything gives."""
    chance = random.Random(7)
    access = build()
    scopes = [SUB, f"{SUB}/resourceGroups/rg", f"{SUB}/resourceGroups/rg2", VAULT, f"{VAULT}2", KEY]
    held: dict[str, tuple[str, str, str]] = {}
    denied: dict[str, str] = {}
    members: set[str] = set()
    for step in range(3000):
        act = chance.randrange(5)
        scope = chance.choice(scopes)
        if act == 0:
            principal, role = chance.choice([SERVICE, TEAM]), chance.choice([USER_ROLE, READER])
            held[give(access, scope, role, principal, name=str(chance.randrange(3)))] = (scope, role, principal)
        elif act == 1 and held:
            gone = chance.choice(sorted(held))
            del held[gone]
            drop(access, gone)
        elif act == 2:
            members = {SERVICE} if chance.random() < 0.5 else set()
            access.directory.seed([{"id": TEAM, "type": "Group", "members": sorted(members)}])
        elif act == 3:
            denial = f"{scope}{AUTH}/denyAssignments/d"
            if denial in denied:
                del denied[denial]
                drop(access, denial)
            elif chance.random() < 0.3:
                denied[denial] = scope
                put(access, denial, permissions=[{"actions": ["*"]}], principals=[{"id": EVERYBODY}], scope=scope)
        where = chance.choice(scopes)
        circle = {SERVICE, *([TEAM] if members else [])}
        reaching = [
            role for at, role, principal in held.values() if principal in circle and covers(at.lower(), where.lower())
        ]
        blocked = any(covers(at.lower(), where.lower()) for at in denied.values())
        assert (access.find(SERVICE, READ, where) is not None) is (READER in reaching and not blocked), step
        assert (access.find_data(SERVICE, WRAP, where) is not None) is (USER_ROLE in reaching), step
