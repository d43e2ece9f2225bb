"""What Deny does to a migration of cmkwarden's own: which of its writes Azure would refuse."""

from collections.abc import Mapping
from typing import Any

from infra.assemble import policies
from shared.core import ids, parse
from shared.core.facts import Deleted
from shared.core.moves import vault as vault_moves
from shared.core.moves import workspace as moves
from shared.core.steps import Step
from simulator.stack import ROOT
from tests.access import TENANT
from tests.bricks import put_workspace
from tests.infra.policy import pack
from tests.infra.policy.cases import SENSITIVE, vault, workspace
from tests.infra.policy.pack import verdict

_DENY = {
    name: "Deny"
    for name, it in policies.initiative()["parameters"].items()
    if name.startswith("effect") and "Deny" in it["allowedValues"]
}
_TAGGED = {**SENSITIVE, "owner": "ada", "cost-center": "4711", "environment": "prod"}
_AT = ("kv-claims.vault.azure.net", "k", "0123456789abcdef0123456789abcdef")


def _refused(body: Mapping[str, Any]) -> list[str]:
    ours = [it for it in pack.members() if not pack.is_built_in(it)]
    return [it for it in ours if verdict(it, body, _DENY) == "deny"]


def _steps(body: Mapping[str, Any]) -> list[Step]:
    """Return the writes of a migration in their order (remediators/workspace_cmk/plan.py)."""
    found = parse.workspace(body)
    layers = ("managedServices", "dbfsRoot", "managedDisk")
    return [moves.upgrade(found), moves.prepare(found), *(moves.encrypt(found, found.layer(it), *_AT) for it in layers)]


def _migrated(body: dict[str, Any]) -> dict[str, list[str]]:
    """Return what would be refused of each write, by the step's name, were each written all the same."""
    refused = {}
    for step in _steps(body):
        sent = moves.request(step, body).body or {}
        known = {name: body[name] for name in ("id", "name", "type")}
        name = str(step.after.get("layer", step.kind))
        refused[name] = _refused({**sent, **known})
        body = {**put_workspace(body, sent), **known}
    return refused


def test_deny_refuses_the_first_steps_of_a_migration() -> None:
    """Until managed services are moved, each write of the workspace is refused: it must be exempt while it moves."""
    start = workspace(_TAGGED, "standard", prepareEncryption=False)

    assert _migrated(start) == {
        "workspace.upgrade": ["managedServicesKey"],
        "workspace.prepare": ["managedServicesKey"],
        "managedServices": [],
        "dbfsRoot": [],
        "managedDisk": [],
    }
    assert "`workspace.upgrade` and `workspace.prepare`" in (ROOT / "docs/policies.md").read_text()


def test_deny_on_tags_refuses_them_all() -> None:
    """A migration keeps the tags as they are; where one is missing, none of its writes passes."""
    start = workspace(SENSITIVE, "premium")

    assert all({"tagOwner", "tagCostCenter", "tagEnvironment"} <= set(it) for it in _migrated(start).values())


def test_deny_lets_the_writes_on_vaults_pass() -> None:
    """What turns both protections on is what the rule asks for; a recovery, which names neither, is left alone."""
    body = vault(enableSoftDelete=None, enablePurgeProtection=None, tenantId=TENANT)
    sent = vault_moves.protect_request(vault_moves.protect(parse.vault(body))).body or {}
    buried = Deleted("westeurope", {}, deleted=None, purged=None, purge_protection=True)
    recovers = vault_moves.recover_request(vault_moves.recover(ids.parse(body["id"]), buried, TENANT)).body or {}

    assert _refused(body) == ["recovery"]
    assert _refused({**body, "properties": {**body["properties"], **sent["properties"]}}) == []
    assert _refused({**body, "properties": recovers["properties"]}) == []
