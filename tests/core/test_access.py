"""For every state of access: the plans end it right, break nobody on the way, touch nobody else, and give nothing unasked."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from remediators.key_access import KEY_ACCESS
from shared.core import ids, moves, parse
from shared.core.choices import Choices
from shared.core.control import Memory, NonCompliant
from shared.core.facts import Hindrances, Roles, Snapshot, Workspace
from shared.core.graph import graph
from shared.core.rehearse import broken_by
from shared.core.steps import Step
from tests import access
from tests.access import DATABRICKS, TENANT, THREE, Access, assignment, policy
from tests.fakes import vault_body, vault_id, workspace_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STORAGE, DISKS = "50000001-0000-4000-8000-000000000001", "d1500001-0000-4000-8000-000000000001"
BACKUP, GROUP = "bac00001-0000-4000-8000-000000000001", "60000001-0000-4000-8000-000000000001"
PEOPLE = (DATABRICKS, STORAGE, DISKS, BACKUP)
CHOICES = Choices(databricks=DATABRICKS, settle=timedelta(minutes=30))
PROPAGATION = timedelta(minutes=10)  # AZURE 3.2
VAULT = vault_id()
_KEYS = ("get", "wrapKey", "unwrapKey", "list", "delete", "purge", "decrypt", "all")
_CASES: tuple[Callable[[str], str], ...] = (str, str.upper, str.title, str.lower)

_words = st.lists(st.sampled_from(_KEYS), max_size=6, unique=True)
_policies = st.lists(
    st.builds(
        lambda who, keys, secrets, spell, odd: policy(
            spell(who), [spell(key) for key in keys], [spell(word) for word in secrets], **odd
        ),
        st.sampled_from(PEOPLE),
        _words,
        st.lists(st.sampled_from(("get", "list", "set", "delete")), max_size=3, unique=True),
        st.sampled_from((str, str.upper, str.lower)),
        st.sampled_from(({}, {}, {}, {"applicationId": BACKUP}, {"certificates": ["get", "Purge"]})),
    ),
    max_size=7,
)
_scopes = st.sampled_from(("", "", "/keys/k1", "/keys/k2", "above", "/secrets/s"))
_assignments = st.lists(
    st.tuples(st.sampled_from((*PEOPLE, GROUP)), st.sampled_from(access.ROLES), _scopes), max_size=8
)
_layers = st.lists(
    st.sampled_from(("managedServices", "managedDisk", "dbfsRoot")), min_size=1, max_size=3, unique=True
).flatmap(lambda names: st.tuples(*(st.tuples(st.just(name), st.sampled_from(("k1", "k2"))) for name in names)))
_members = st.sets(st.sampled_from(PEOPLE))


def _world(rbac: bool, policies: list[dict[str, Any]], held: list[tuple[str, str, str]], members: set[str]) -> Access:
    body = vault_body(tenantId=TENANT, accessPolicies=policies, enableRbacAuthorization=rbac)
    made = [
        assignment(VAULT.rsplit("/providers", 1)[0] if scope == "above" else VAULT + scope, who, role,
                   name=f"a0000000-0000-4000-8000-{n:012}", principalType="Group" if who == GROUP else "ServicePrincipal")
        for n, (who, role, scope) in enumerate(dict.fromkeys(held))
    ]  # fmt: skip
    return Access(body, made, members={member: {GROUP} for member in members})


def _workspace(layers: tuple[tuple[str, str], ...]) -> Workspace:
    keys = {
        name: {"keyVaultUri": "https://kv-one.vault.azure.net/", "keyName": key, "keyVersion": "1"}
        for name, key in layers
    }
    entities = {
        name: {"keySource": "Microsoft.Keyvault", "keyVaultProperties": it}
        for name, it in keys.items()
        if name != "dbfsRoot"
    }
    root = {
        "keySource": "Microsoft.Keyvault",
        "keyvaulturi": "https://kv-one.vault.azure.net/",
        "KeyName": dict(layers).get("dbfsRoot"),
    }
    properties: dict[str, Any] = {
        "encryption": {"entities": entities},
        "storageAccountIdentity": {"principalId": STORAGE},
        "managedDiskIdentity": {"principalId": DISKS},
    }
    if "dbfsRoot" in keys:
        properties["parameters"] = {"encryption": {"value": root}}
    return parse.workspace({"id": workspace_id(), "properties": properties})


def _snapshot(world: Access, workspace: Workspace) -> Snapshot:
    vault = parse.vault(json.loads(json.dumps(world.vault)))
    target = ids.parse(VAULT)
    found = parse.assignments(world.assignments(target))
    definitions = parse.definitions(world.definitions(target, frozenset(it.role for it in found)))
    by_group = {who: frozenset(it.id for it in parse.assignments(world.assigned_to(target, who))) for who in PEOPLE}
    roles = Roles(found, definitions, by_group) if vault.rbac else None
    return Snapshot(target, vault=vault, dependants=(workspace,), roles=roles, hindrances=Hindrances())


def _findings(snapshot: Snapshot, choices: Choices) -> Iterator[tuple[NonCompliant, tuple[Step, ...]]]:
    for verdict in KEY_ACCESS.judge(snapshot, Memory(), choices, NOW):
        if isinstance(verdict, NonCompliant):
            yield verdict, KEY_ACCESS.plan(verdict, snapshot, Memory(), choices)


def _is_asked(verdict: NonCompliant, steps: tuple[Step, ...]) -> bool:
    return bool(verdict.asks) or any(step.grants for step in steps)


class _Play:
    """Carries out plans as the flow does: fresh read, one step after another, waiting where it must."""

    def __init__(self, world: Access, workspace: Workspace, choices: Choices) -> None:
        self.world, self.workspace, self.choices = world, workspace, choices
        self.now = NOW
        self.in_use = [(who, key) for layer, key in _uses(workspace) for who in [_holder(layer)]]

    def works(self) -> set[tuple[str, str]]:
        """Return what works with what has surely taken effect by now."""
        settled = self.now - PROPAGATION
        return {(who, key) for who, key in self.in_use if _three(self.world, who, key, settled)}

    def run(self, *, asked: bool) -> None:
        """Go on until no plan is left that may run."""
        for _ in range(40):
            snapshot = _snapshot(self.world, self.workspace)
            for verdict, steps in _findings(snapshot, self.choices):
                if steps and (asked or not _is_asked(verdict, steps)):
                    self._carry_out(snapshot, steps)
                    break
            else:
                return
        raise AssertionError("the plans do not come to an end")

    def _carry_out(self, snapshot: Snapshot, steps: tuple[Step, ...]) -> None:
        assert not broken_by(graph(snapshot, Memory(), self.choices), steps)
        settling = False
        for step in steps:
            if settling and not step.settles:
                self.now += self.choices.settle
                return
            if step.not_before and step.not_before > self.now:
                self.now = step.not_before
                return
            before = self.works()
            self.world.obey(moves.request(step, {}), self.now)
            assert before <= self.works(), f"{step.kind} breaks {before - self.works()}"
            settling = settling or step.settles


def _uses(workspace: Workspace) -> list[tuple[str, str]]:
    return [(layer.name, layer.key.name) for layer in workspace.layers if layer.key]


def _holder(layer: str) -> str:
    return {"managedServices": DATABRICKS, "managedDisk": DISKS, "dbfsRoot": STORAGE}[layer]


def _three(world: Access, who: str, key: str, settled: datetime | None = None) -> bool:
    may = world.may(who, key, settled_by=settled)
    if world.vault["properties"]["enableRbacAuthorization"]:
        return may >= THREE
    return "keys/all" in may or may >= {"keys/get", "keys/wrapkey", "keys/unwrapkey"}


def _all_rights(world: Access) -> dict[tuple[str, str], set[str]]:
    return {(who, key): set(world.may(who, key)) for who in (*PEOPLE, GROUP) for key in ("", "k1", "k2")}


def _others(world: Access, touched: set[str]) -> list[str]:
    entries = [
        it for it in world.vault["properties"].get("accessPolicies", []) if it["objectId"].lower() not in touched
    ]
    assigned = [it for it in world.assigned if it["properties"]["principalId"] not in touched]
    return [json.dumps(it, sort_keys=True) for it in [*entries, *assigned]]


_states = st.tuples(st.booleans(), _policies, _assignments, _members, _layers, st.booleans(), st.booleans())


@settings(max_examples=300)
@given(_states)
def test_with_every_plan_approved_each_identity_ends_with_the_three(state: tuple[Any, ...]) -> None:
    """Exactly the three where it is ours to say; nobody else is touched; nobody is broken on the way; a second look plans nothing."""
    rbac, policies, held, members, layers, strict, at_key = state
    world, workspace = _world(rbac, policies, held, members), _workspace(layers)
    choices = Choices(databricks=DATABRICKS, strict_role=strict, grant_at_key=at_key)
    if strict:
        return _strict(world, workspace, choices)
    before = _others(world, {DATABRICKS, STORAGE, DISKS})
    play = _Play(world, workspace, choices)
    play.run(asked=True)

    assert _others(world, {DATABRICKS, STORAGE, DISKS}) == before
    assert all(_three(world, who, key) for who, key in play.in_use)
    assert not [it for it in _findings(_snapshot(world, workspace), choices) if it[1]]
    for who in {who for who, _ in play.in_use}:
        for key in ("k1", "k2"):
            assert _own(world, who, key) <= _allowed(world, who)
    return None


def _strict(world: Access, workspace: Workspace, choices: Choices) -> None:
    """The strict role is one that the fake does not define: only its name in the steps is looked at."""
    for _, steps in _findings(_snapshot(world, workspace), choices):
        named = {str(step.after["roleDefinitionId"]).rsplit("/", 1)[1] for step in steps if step.kind == "role.assign"}
        assert named <= {moves.grant.STRICT, moves.grant.SECRETS_USER}


def _own(world: Access, who: str, key: str) -> set[str]:
    """Return what an identity holds by grants that are ours to take away: own ones, at the vault or a key, in a built-in role."""
    if not world.vault["properties"]["enableRbacAuthorization"]:
        return {word for word in world.may(who, key) if word.startswith("keys/")}
    ours = [
        it
        for it in world.assigned
        if it["properties"]["principalId"] == who
        and it["properties"]["scope"] in {VAULT, f"{VAULT}/keys/{key}"}
        and access.CUSTOM not in it["properties"]["roleDefinitionId"]
    ]
    alone = Access(world.vault, ours)
    return set(alone.may(who, key))


def _allowed(world: Access, who: str) -> set[str]:
    if not world.vault["properties"]["enableRbacAuthorization"]:
        return {"keys/get", "keys/wrapkey", "keys/unwrapkey"}
    reads = access.actions(access.SECRETS_USER) if who == DATABRICKS else frozenset[str]()
    return THREE | reads


@settings(max_examples=300)
@given(_states)
def test_what_happens_by_itself_only_takes_away(state: tuple[Any, ...]) -> None:
    """No automatic plan gives anybody anything, anywhere, at any time; and what somebody took away stays away."""
    rbac, policies, held, members, layers, _, at_key = state
    world, workspace = _world(rbac, policies, held, members), _workspace(layers)
    choices = Choices(databricks=DATABRICKS, grant_at_key=at_key)
    before = _all_rights(world)
    broken = {it for it in _Play(world, workspace, choices).in_use if not _three(world, *it)}
    play = _Play(world, workspace, choices)
    play.run(asked=False)
    after = _all_rights(world)

    assert all(_expanded(after[at]) <= _expanded(before[at]) for at in before)
    assert {it for it in play.in_use if not _three(world, *it)} == broken


def _expanded(words: set[str]) -> set[str]:
    return words | ({f"keys/{word.lower()}" for word in _KEYS} if "keys/all" in words else set())


@settings(max_examples=200)
@given(_states)
def test_secrets_of_azuredatabricks_are_never_touched_by_themselves(state: tuple[Any, ...]) -> None:
    """A secret scope that is backed by the vault keeps working, whatever happens by itself, and after every approved plan."""
    rbac, policies, held, members, layers, _, at_key = state
    world, workspace = _world(rbac, policies, held, members), _workspace(layers)
    choices = Choices(databricks=DATABRICKS, grant_at_key=at_key)
    reading = {
        word for word in world.may(DATABRICKS) if word.lower() in {"secrets/get", "secrets/list"} or "getSecret" in word
    }
    play = _Play(world, workspace, choices)
    play.run(asked=False)
    assert reading <= world.may(DATABRICKS)
    play.run(asked=True)

    assert reading <= world.may(DATABRICKS)
