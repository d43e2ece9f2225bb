"""Each rule over good, bad and odd resources; beside Azure's own rules; and over every recorded workspace and vault."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.assemble import policies
from simulator.stack import ROOT
from tests.infra.policy import pack
from tests.infra.policy.cases import AZURES, MARKED, OURS, SENSITIVE, Case
from tests.infra.policy.engine import Evaluation, effect
from tests.infra.policy.pack import DISKS, verdict
from tests.infra.policy.table import met, table
from tests.reference import bodies, needs_reference

TIER = "2cc2c3b5-c2f8-45aa-a9e6-f90d85ae8352"
RECOVERABLE = "0b60c0b2-2dc2-4e1c-b5c9-abbed971de53"
SOFT_DELETE = "1e66c121-a66a-4b1f-9b83-0fd99bf0fc2d"
LOGS = "cf820ca0-f99e-4f3e-84fb-66e913812d21"


def _azure(guid: str, case: Case) -> str:
    return effect(Evaluation(pack.built_ins()[guid], case.resource, related=case.related))


def _recorded(kind: str, category: str, tags: dict[str, str]) -> list[Case]:
    return [Case("", it["id"], {**it, "type": kind, "tags": tags}, "") for it in bodies(category, kind)]


def workspaces(tags: dict[str, str]) -> list[Case]:
    """Return every recorded workspace, with these tags."""
    return _recorded("Microsoft.Databricks/workspaces", "databricks_workspaces", tags)


def vaults(tags: dict[str, str]) -> list[Case]:
    """Return every recorded vault, with these tags."""
    return _recorded("Microsoft.KeyVault/vaults", "keyvault_vaults", tags)


@pytest.mark.parametrize("case", OURS, ids=lambda it: f"{it.member}: {it.what}")
def test_each_rule_says_what_it_should(case: Case) -> None:
    """Good resources meet no effect, bad ones the one that is assigned, odd ones what the page promises."""
    assert met(case) == case.effect


@needs_reference
@pytest.mark.parametrize("case", AZURES, ids=lambda it: f"{it.member}: {it.what}")
def test_each_built_in_says_what_we_take_it_for(case: Case) -> None:
    """Azure's own rules, with the values that our initiative hands them."""
    assert met(case) == case.effect


def _turned(value: Any) -> Iterator[Any]:
    """Yield a rule once for each of its conditions, with that one turned into its opposite."""
    if isinstance(value, dict) and value.keys() & {"field", "value", "count"} and not value.keys() & {"where", "name"}:
        yield {"not": value}
    for at, it in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        for other in _turned(it):
            copy = value.copy()
            copy[at] = other
            yield copy


@pytest.mark.parametrize("name", sorted(policies.definitions()))
def test_each_condition_matters(name: str) -> None:
    """Whichever condition of a rule is turned into its opposite, some resource is judged otherwise."""
    whole = policies.definitions()[name]
    cases = [it for it in OURS if pack.members()[it.member]["policyDefinitionId"] == name]
    turned = list(_turned(whole["policyRule"]))

    for rule in turned:
        found = [
            effect(Evaluation({**whole, "policyRule": rule}, it.resource, pack.handed(it.member, it.given), it.related))
            for it in cases
        ]
        assert found != [it.effect for it in cases], rule
    assert len(turned) == json.dumps(whole["policyRule"]).count('"field": ') + json.dumps(whole["policyRule"]).count(
        '"value": '
    )


def test_every_member_has_a_good_and_a_bad_resource() -> None:
    """No rule of the pack goes untried."""
    tried = {(it.member, bool(it.effect)) for it in (*OURS, *AZURES)}
    twice = {"tagCostCenter": {True}, "tagEnvironment": {False}}  # the same definition as the two tags beside them

    for member in pack.members():
        assert {bad for name, bad in tried if name == member} == twice.get(member, {True, False})


@pytest.mark.parametrize("cases", [OURS, pytest.param(AZURES, marks=needs_reference)], ids=["ours", "built-ins"])
def test_the_page_shows_the_table(cases: tuple[Case, ...]) -> None:
    """docs/policies.md holds what `python -m tests.infra.policy` prints."""
    assert table(cases) in (ROOT / "docs/policies.md").read_text()


@needs_reference
def test_recorded_workspaces() -> None:
    """Over every recorded workspace, were it sensitive: how many each rule marks, of how many."""
    found = workspaces(SENSITIVE)
    marked = {
        name: sum(bool(verdict(name, it.resource)) for it in found)
        for name in ("managedServicesKey", "dbfsRootKey", DISKS, "premium")
    }

    assert len(found) == 25
    assert marked == {"managedServicesKey": 23, "dbfsRootKey": 14, DISKS: 11, "premium": 5}


@needs_reference
def test_only_serverless_and_unfinished_workspaces_lack_parameters() -> None:
    """What tells a workspace with a DBFS root from one without: in all that was recorded it holds once Azure is done."""
    for it in workspaces({}):
        properties = it.resource["properties"]
        has = "enableNoPublicIp" in (properties.get("parameters") or {})

        assert has == (properties.get("computeMode") != "Serverless" and properties["provisioningState"] != "Accepted")


@needs_reference
def test_the_premium_rule_is_stricter_than_azures_only_where_there_is_no_plan() -> None:
    """Azure's rule passes a workspace that names no plan; ours does not. All else is judged alike."""
    cases = [it for it in (*OURS, *workspaces(SENSITIVE)) if it.resource["type"].endswith("/workspaces")]
    cases = [it for it in cases if it.resource["tags"] == SENSITIVE]
    differ = [it for it in cases if bool(verdict("premium", it.resource)) != bool(_azure(TIER, it))]

    assert len(cases) > 40
    assert {str(it.resource.get("sku")) for it in differ} == {"None"}


@needs_reference
def test_the_recovery_rule_is_both_of_azures_at_once() -> None:
    """On every vault, recorded or made up, ours marks what either of Azure's two rules marks, and nothing else."""
    cases = [it for it in (*OURS, *vaults(MARKED)) if it.resource["tags"] == MARKED]
    marked = [it for it in cases if verdict("recovery", it.resource)]
    theirs = [it for it in cases if _azure(RECOVERABLE, it) or _azure(SOFT_DELETE, it)]

    assert [it.what for it in marked] == [it.what for it in theirs]
    assert (len(marked), len(cases)) == (137, 191)


@needs_reference
def test_a_log_that_suits_us_suits_azure() -> None:
    """Azure's rule asks for any log to any place; ours for the audit log to a place where it can be asked."""
    cases = [it for it in OURS if it.member == "logs" and it.resource["tags"] == MARKED]
    good = [it for it in cases if not met(it)]
    only_azure = [it.what for it in cases if met(it) and not _azure(LOGS, it)]

    assert not any(_azure(LOGS, it) for it in good)
    assert only_azure == [
        "another category alone",
        "to a storage account alone",
        "half in one setting, half in another",
    ]


@needs_reference
def test_azures_roles_rule_reads_every_recorded_vault_as_we_do() -> None:
    """A vault that does not say so uses access policies."""
    for it in vaults({}):
        uses_roles = it.resource["properties"].get("enableRbacAuthorization") is True

        assert bool(verdict("roles", it.resource)) is not uses_roles
