"""cmkwarden and the policies before the same resource: they say the same, or the difference is listed here with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from remediators.vault_logs import rules as logs
from remediators.vault_recovery import rules as recovery
from remediators.workspace_tags import rules as tags
from remediators.workspace_tier import rules as tier
from shared.core import demand, ids, parse
from shared.core.choices import Choices, VaultScope
from shared.core.control import Compliant, Memory, NonCompliant, NotApplicable, Verdict
from shared.core.facts import Snapshot
from shared.core.fitness import ending, unfit
from shared.core.unjudged import judged
from simulator.stack import ROOT
from tests.infra.policy.cases import AZURES, CUSTOMER, MARKED, OURS, SENSITIVE, Case, key, vault, workspace
from tests.infra.policy.engine import NOW
from tests.infra.policy.pack import DISKS
from tests.infra.policy.table import met
from tests.infra.policy.test_policies import vaults, workspaces
from tests.reference import needs_reference

_LAYERS = {"managedServicesKey": "managedServices", "dbfsRootKey": "dbfsRoot", DISKS: "managedDisk"}
_TAGS = {"tagOwner": "owner", "tagCostCenter": "cost-center", "tagSensitivity": "data-sensitivity", "tagEnvironment": "environment"}  # fmt: skip


_NONE = Memory()


@dataclass(frozen=True, slots=True)
class Odd:
    """A resource of which the two say different things, and why."""

    case: Case
    reason: str  # as docs/policies.md says it
    memory: Memory = _NONE


def _choices(case: Case) -> Choices:
    given: dict[str, Any] = {
        "sensitivityTag": "data-sensitivity",
        "sensitiveValues": list(Choices().sensitive),
        **case.given,
    }

    def words(name: str) -> tuple[str, ...]:
        return tuple(it.lower() for it in given.get(name, ()))

    return Choices(
        sensitivity_tag=given["sensitivityTag"],
        sensitive=frozenset(words("sensitiveValues")),
        key_environments=frozenset(words("keyEnvironments")),
        all_workspaces=given.get("allWorkspaces", False),
        owners=words("ownerValues"),
        sensitivities=words("sensitivityValues"),
        vault_scope=VaultScope.ALL if given.get("allVaults") else VaultScope.LINKED,
    )


def _said(verdict: Verdict) -> bool | None:
    """Whether a verdict finds fault; None where it finds nothing out."""
    return {NonCompliant: True, Compliant: False, NotApplicable: False}.get(type(verdict))


def _of_a_workspace(case: Case, memory: Memory) -> bool | None:
    target = ids.parse(case.resource["id"])
    if target.kind != ids.WORKSPACE:
        return False
    snapshot = Snapshot(target, workspace=parse.workspace(case.resource))
    if case.member == "premium":
        return _said(tier.assess(snapshot, memory, _choices(case))[0])
    if case.member in _TAGS:
        (verdict,) = tags.assess(snapshot, memory, _choices(case))
        assert isinstance(verdict, Compliant | NonCompliant)
        return _TAGS[case.member] in (*verdict.finding.evidence["missing"], *verdict.finding.evidence["illegal"])
    found = judged(snapshot)
    return None if not found.is_settled else _LAYERS[case.member] in demand.wanting(found, memory, _choices(case))


def _of_a_vault(case: Case, memory: Memory) -> bool | None:
    told = [{"name": it["name"], "properties": it["properties"]} for it in case.related]
    snapshot = Snapshot(
        ids.parse(case.resource["id"]), vault=parse.vault(case.resource), logging=parse.log_settings(told)
    )
    judge = recovery.judge if case.member == "recovery" else logs.judge
    return _said(judge(snapshot, memory, _choices(case)))


def _ours(case: Case, memory: Memory = _NONE) -> bool | None:
    look: Callable[[Case, Memory], bool | None] = (
        _of_a_vault if case.member in {"recovery", "logs"} else _of_a_workspace
    )
    return look(case, memory)


_BLANKS = workspace({"data-sensitivity": " confidential "})
_FORMER = Memory(sensitivities=("confidential",))
ODD = (
    Odd(Case("premium", "sensitive, from before there were plans", workspace(SENSITIVE, ""), "audit"), "no plan is named"),
    Odd(
        Case(DISKS, "FedRAMP, which offers no such key: exempt it", workspace(SENSITIVE, enableFedRampCertification=True), "audit"),
        "the disks of a FedRAMP workspace",
    ),
    Odd(Case("managedServicesKey", "a tag with blanks around its value", _BLANKS, ""), "blanks around a value"),
    Odd(Case("tagOwner", "a tag of blanks alone", workspace({"owner": "  "}), ""), "blanks around a value"),
    Odd(
        Case("tagOwner", "a pattern that only we know", workspace({"owner": "team-1"}), "audit", {"ownerValues": ["team-?"]}),
        "patterns with `?` and `[ ]`",
    ),
    Odd(Case("managedServicesKey", "a sensitivity that was lowered", workspace({}), ""), "a tag that was lowered", _FORMER),
    Odd(
        Case("managedServicesKey", "Azure is not done with it", _unsettled := workspace(SENSITIVE), "audit"),
        "a workspace that is still updating",
    ),
    Odd(
        Case("recovery", "being recovered, which names nothing else", vault(createMode="recover", enablePurgeProtection=None), ""),
        "a request that recovers a vault",
    ),
    Odd(Case("recovery", "the same, effect Deny: Azure turns it on", vault(enableSoftDelete=None), "", {"effectRecovery": "Deny"}), "soft delete that is not mentioned"),
    Odd(Case("recovery", "it lost its tag", vault({}, enablePurgeProtection=None), ""), "a vault that is not tagged", Memory(was_cmk_vault=True)),
)  # fmt: skip
_unsettled["properties"]["provisioningState"] = "Updating"


@pytest.mark.parametrize("odd", ODD, ids=lambda it: f"{it.case.member}: {it.case.what}")
def test_differences_are_real_and_explained(odd: Odd) -> None:
    """Each listed difference is one, and the page gives its reason."""
    assert met(odd.case) == odd.case.effect
    assert _ours(odd.case, odd.memory) is not bool(odd.case.effect)
    assert f"- **{odd.reason}**:" in (ROOT / "docs/policies.md").read_text()


def test_there_is_no_other_difference() -> None:
    """Of all the resources that were made up for the policies, only the listed ones are judged differently."""
    listed = {(it.case.member, it.case.what) for it in ODD}
    switched_off = {("managedServicesKey", "the same, effect Disabled")}
    differ = {(it.member, it.what) for it in OURS if _ours(it) is not bool(met(it))}

    assert differ - switched_off == listed & {(it.member, it.what) for it in OURS}


@needs_reference
@pytest.mark.parametrize("member", [*_LAYERS, "premium", *_TAGS])
def test_every_recorded_workspace_is_judged_alike(member: str) -> None:
    """Over all recorded workspaces, sensitive and not, wherever Azure was done with them."""
    cases = [Case(member, it.what, it.resource, "") for it in (*workspaces(SENSITIVE), *workspaces({}))]
    settled = [it for it in cases if it.resource["properties"]["provisioningState"] == "Succeeded"]

    assert len(settled) == 26
    assert [it.what for it in settled if _ours(it) is not bool(met(it))] == []


@needs_reference
def test_every_recorded_vault_is_judged_alike() -> None:
    """Over all recorded vaults, marked and not; those that Azure is still making are Unknown to us."""
    cases = [Case("recovery", it.what, it.resource, "") for it in (*vaults(MARKED), *vaults({}))]
    settled = [it for it in cases if _ours(it) is not None]

    assert (len(cases), len(settled)) == (346, 238)
    assert [it.what for it in settled if _ours(it) is not bool(met(it))] == []


def test_a_key_source_proves_nothing_to_us() -> None:
    """The policies believe what the workspace says; we ask the vault as well, and here nobody can see it."""
    case = Case("managedServicesKey", "its vault is gone", workspace(SENSITIVE, services=CUSTOMER), "")
    layer = parse.workspace(case.resource).layer("managedServices")

    assert met(case) == ""
    assert layer.key is not None
    assert layer.key.host == ""
    assert "- **whether a key can be relied on**:" in (ROOT / "docs/policies.md").read_text()


@needs_reference
@pytest.mark.parametrize("ends", ["", "2026-11-01T00:00:00Z", "2026-12-10T00:00:00Z", "2027-01-01T00:00:00Z"])
def test_keys_near_their_end_are_told_alike(ends: str) -> None:
    """A key that has ended is one that cannot be used, to us; to Azure's rule it is one near its end."""
    case = Case("keyEndsSoon", "", key(**({"expiresOn": ends} if ends else {})), "")
    exp = {"exp": int(datetime.fromisoformat(ends).astimezone(UTC).timestamp())} if ends else {}
    own: dict[str, Any] = {
        "kty": "RSA",
        "keySize": 3072,
        "keyOps": ["wrapKey", "unwrapKey"],
        "attributes": {"enabled": True, **exp},
    }
    own["keyUriWithVersion"] = "https://kv-claims.vault.azure.net:443/keys/k/0123456789abcdef0123456789abcdef"
    found = parse.key({"id": case.resource["id"], "name": "k", "properties": own}, 1)

    assert bool(met(case)) == bool([*ending(found, Choices(), NOW), *unfit(found, NOW)])
    assert any(it.member == case.member for it in AZURES)
