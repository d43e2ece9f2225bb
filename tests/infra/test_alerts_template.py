"""The template of the alerts: what Azure takes, what its queries promise, and what people read who are woken by one."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from infra.assemble import alerts, workbook
from infra.build import stale
from simulator.stack import ROOT
from tests.infra.kql import engine, rules
from tests.infra.test_alerts_audit import ON_VAULTS

# What the service takes for each, by the validation of Terraform's azurerm_monitor_scheduled_query_rules_alert_v2.
WINDOWS = {"PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT45M", "PT1H", "PT2H", "PT3H", "PT4H", "PT5H", "PT6H", "P1D", "P2D"}  # fmt: skip
PAGE = (ROOT / "docs/alerts.md").read_text()
OTHERS = list(json.loads((alerts.HERE / "activity.json").read_text()))


def _resources(kind: str) -> list[Mapping[str, Any]]:
    return [it for it in rules.template()["resources"] if it["type"] == f"Microsoft.Insights/{kind}"]


def test_the_template_is_what_its_parts_make() -> None:
    """All that these tests hold is read from the file that is deployed."""
    assert "alerts.json" not in stale()


@pytest.mark.parametrize("name", rules.names())
def test_durations_are_some_that_azure_takes(name: str) -> None:
    """None looks back further than two days; what mutes does so for a window at least, and what resolves itself does not."""
    it = rules.rule(name)
    window, reach = it["windowSize"], it.get("overrideQueryTimeRange", it["windowSize"])
    used = {window, reach, it["evaluationFrequency"], *({it["muteActionsDuration"]} if not it["autoMitigate"] else ())}
    inside = [f"PT{n}{unit.upper()}" for n, unit in re.findall(r"ago\((\d+)([hm])\)", rules.text(name))]

    assert used <= WINDOWS
    assert it["autoMitigate"] != ("muteActionsDuration" in it)
    assert rules.duration(it["evaluationFrequency"]) <= rules.duration(window)
    assert it["autoMitigate"] or rules.duration(it["muteActionsDuration"]) >= rules.duration(window)
    assert all(rules.duration(back) <= rules.duration(reach) for back in inside)


@pytest.mark.parametrize("name", rules.names())
def test_what_a_rule_splits_by_comes_out_of_its_query(name: str) -> None:
    """A dimension that is no column would make the rule fail in silence; six are all that Azure takes."""
    (criterion,) = rules.rule(name)["criteria"]["allOf"]
    split = [it["name"] for it in criterion["dimensions"]]

    assert 0 < len(split) <= 6
    assert set(split) <= set(engine.columns(rules.text(name)))


@pytest.mark.parametrize("name", rules.names())
def test_a_rule_is_on_the_workspace_that_has_its_table(name: str) -> None:
    """Rules on vaults read the service's log across workspaces, in the one query that needs both."""
    it = rules.rule(name)
    query = it["criteria"]["allOf"][0]["query"]
    whole = rules.template()["variables"]["queries"][name]
    marks = set(re.findall(r"\{(\w+)\}", whole))

    assert it["scopes"] == [f"[parameters('{'auditWorkspace' if name in ON_VAULTS else 'workspace'}')]"]
    assert ("variables('lines')" in query) == (name in ON_VAULTS and "AppTraces" in whole)
    assert marks == set(re.findall(r"parameters\('(\w+)'\)", query))
    assert marks <= set(rules.template()["parameters"])


@pytest.mark.parametrize("name", [*rules.names(), *OTHERS])
def test_whoever_is_woken_finds_what_to_do(name: str) -> None:
    """docs/alerts.md has a section for each, and it is not empty; the alert says where."""
    (it,) = (it for it in rules.template()["resources"] if it["name"] == f"cmkwarden-{name}")
    section = PAGE.partition(f"\n### {name}\n")[2].partition("\n##")[0]

    assert it["properties"]["description"].endswith(f"What to do: docs/alerts.md, {name}.")
    assert len(section.split()) > 25
    assert "Do: " in section


def test_nothing_is_described_that_is_not_there() -> None:
    """Nor is there a heading for an alert that has gone."""
    assert re.findall(r"^### (.+)$", PAGE, re.MULTILINE) == [*rules.names(), *OTHERS]


def test_everybody_is_called_by_every_rule() -> None:
    """One list of groups for all: ours, which writes mails, and those that the deployment names."""
    groups = "[variables('groups')]"
    copied = "[variables('groups')[copyIndex('actionGroups')]]"

    assert {it["properties"]["actions"]["actionGroups"] for it in _resources("scheduledQueryRules")} == {groups}
    for it in _resources("activityLogAlerts"):
        (copy,) = it["properties"]["actions"]["copy"]
        assert (copy["name"], copy["input"]) == ("actionGroups", {"actionGroupId": copied})
        assert it["location"] == "global"


def test_no_line_is_sampled_away() -> None:
    """Adaptive sampling drops traces when there is much of them, which is when alerts matter."""
    settings = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]

    assert "Trace" in settings["excludedTypes"].split(";")


def test_the_workbook_holds_every_query_once() -> None:
    """Each on the workspace that has its table, in the time that is chosen above; the text, then the choice, come first."""
    (it,) = _resources("workbooks")
    made = rules.template()["variables"]["workbook"]
    shown = made["items"][2:]

    assert it["properties"]["serializedData"] == "[string(variables('workbook'))]"
    assert [part["type"] for part in made["items"]] == [1, 9, *[3] * len(shown)]
    assert [part["name"] for part in shown] == [item["name"] for item in workbook.items()]
    for part in shown:
        content = part["content"]
        log = "auditWorkspace" if "AZKVAuditLogs" in content["query"] else "workspace"
        assert content["crossComponentResources"] == [f"[parameters('{log}')]"]
        assert content["timeContextFromParameter"] == made["items"][1]["content"]["parameters"][0]["name"]
        assert not content["query"].startswith("[")
