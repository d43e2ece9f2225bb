"""The templates that carry the pack: escaped so that Resource Manager hands the rules on as they are written, and whole."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from infra import build
from infra.assemble import policies
from tests.infra.policy import pack
from tests.infra.policy.expression import work_out
from tests.reference import REFERENCE, needs_reference

_AT = {"policies.json": "subscription", "policy-mg.json": "managementGroup"}
_SUBSCRIPTION = "/subscriptions/s/providers"
_GROUP = "/providers/Microsoft.Management/managementGroups/mg/providers"


def _read(name: str) -> Any:
    return json.loads((build.HERE / "arm" / name).read_text())


def _deployed(name: str, **given: Any) -> list[dict[str, Any]]:
    """Return the resources as Resource Manager makes them: each expression worked out once, `[[` made `[`."""
    template = _read(name)
    own: dict[str, Callable[..., Any]] = {
        "parameters": lambda it: given.get(it, template["parameters"][it]["defaultValue"]),
        "subscriptionresourceid": lambda kind, it: f"{_SUBSCRIPTION}/{kind}/{it}",
        "managementgroup": lambda: {"id": _GROUP.removesuffix("/providers")},
        "extensionresourceid": lambda at, kind, it: f"{at}/providers/{kind}/{it}",
    }

    def made(value: Any) -> Any:
        if isinstance(value, dict):
            return {it: made(each) for it, each in value.items()}
        if isinstance(value, list):
            return [made(it) for it in value]
        if not isinstance(value, str) or not (value.startswith("[") and value.endswith("]")):
            return value
        return value[1:] if value.startswith("[[") else work_out(value, own)

    whole = [made(it) for it in template["resources"]]
    return [it for it in whole if it.get("condition", True)]


def _of(kind: str, resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {it["name"]: it for it in resources if it["type"] == f"Microsoft.Authorization/{kind}"}


@pytest.mark.parametrize("name", _AT)
def test_the_files_are_what_their_parts_make(name: str) -> None:
    """Nobody edits them by hand: infra/build.py --check says so too."""
    assert name not in build.stale()


@pytest.mark.parametrize("name", _AT)
def test_rules_arrive_as_they_are_written(name: str) -> None:
    """After Resource Manager has worked out the template, each rule and the initiative are those of the parts."""
    resources = _deployed(name, managedDisks=True)
    definitions = _of("policyDefinitions", resources)

    assert definitions.keys() == {f"cmkwarden-{it}" for it in policies.definitions()}
    for it, body in policies.definitions().items():
        assert definitions[f"cmkwarden-{it}"]["properties"] == {"policyType": "Custom", **body}

    whole = _of("policySetDefinitions", resources)["cmkwarden"]["properties"]
    assert whole["parameters"] == policies.initiative()["parameters"]
    for member, written in zip(whole["policyDefinitions"], policies.initiative()["policyDefinitions"], strict=True):
        assert member["parameters"] == written["parameters"]


def test_an_unescaped_expression_would_be_worked_out() -> None:
    """What the escape is for: without it, Resource Manager looks for the rule's parameters among the template's."""
    assert policies.literal({"a": ["[parameters('x')]", "[x", "tags[x]"]}) == {
        "a": ["[[parameters('x')]", "[x", "tags[x]"]
    }
    text = (build.HERE / "arm/policies.json").read_text()
    inside = [it for it in _read("policies.json")["resources"] if it["type"].endswith("policyDefinitions")]

    assert "\"[[parameters('effect')]\"" in text
    assert re.findall(r'"\[[^\[][^"]*\]"', json.dumps([it["properties"] for it in inside])) == []


@pytest.mark.parametrize(("name", "at"), [("policies.json", _SUBSCRIPTION), ("policy-mg.json", _GROUP)])
def test_everything_refers_to_something_that_is_there(name: str, at: str) -> None:
    """Members, assignments and dependencies name what the template makes, at its own scope, or a built-in."""
    resources = _deployed(name, managedDisks=True)
    made = {f"{at}/{it['type']}/{it['name']}" for it in resources}
    whole = _of("policySetDefinitions", resources)["cmkwarden"]
    assigned = _of("policyAssignments", resources)

    ours = {it["policyDefinitionId"] for it in whole["properties"]["policyDefinitions"]}
    assert {it for it in ours if not it.startswith(pack.BUILT_IN)} == set(whole["dependsOn"])
    assert {it["properties"]["policyDefinitionId"] for it in assigned.values()} <= made
    for it in resources:
        assert set(it.get("dependsOn", [])) <= made
    assert all(it["dependsOn"] == [it["properties"]["policyDefinitionId"]] for it in assigned.values())
    assert all(len(it) <= 24 for it in assigned)


@pytest.mark.parametrize("name", _AT)
def test_disks_are_asked_for(name: str) -> None:
    """An alias that Azure may not know fails nothing: without managedDisks neither definition nor assignment is there."""
    plain, asked = _deployed(name), _deployed(name, managedDisks=True)
    more = [
        (it["type"].split("/")[1], it["name"]) for it in asked if it["name"] not in {each["name"] for each in plain}
    ]

    assert more == [
        ("policyDefinitions", "cmkwarden-workspace-managed-disk-key"),
        ("policyAssignments", "cmkwarden-disks"),
    ]
    assert "managedDisk.keySource" not in json.dumps(plain)


@pytest.mark.parametrize("name", _AT)
def test_assignments_hand_on_what_was_chosen(name: str) -> None:
    """Enforcement, exclusions, every parameter of the initiative; a message for each member that may have one; no identity."""
    given = {"enforcementMode": "DoNotEnforce", "notScopes": ["/subscriptions/x"], "sensitivityTag": "class"}
    assigned = _of("policyAssignments", _deployed(name, managedDisks=True, **given))
    whole, disks = assigned["cmkwarden"]["properties"], assigned["cmkwarden-disks"]["properties"]

    assert set(whole["parameters"]) == set(policies.initiative()["parameters"])
    spoken = {it for it, said in policies.messages().items() if "message" in said}
    assert {it["policyDefinitionReferenceId"] for it in whole["nonComplianceMessages"]} == spoken - {pack.DISKS}
    assert set(disks["parameters"]) == set(policies.definitions()[policies.DISKS]["parameters"]) - {"effect"}
    for it in (whole, disks):
        assert (it["enforcementMode"], it["notScopes"]) == ("DoNotEnforce", ["/subscriptions/x"])
        assert it["parameters"]["sensitivityTag"] == {"value": "class"}
    assert not any("identity" in it for it in assigned.values())


def _schema(version: str, scope: str, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the official schema of a resource, and the definitions that it refers to."""
    root = REFERENCE / "openapi/azure-resource-manager-schemas/schemas"
    common = json.loads((root / "common/definitions.json").read_text())
    foreign = "https://schema.management.azure.com/schemas/common/definitions.json#/definitions/expression"
    text = (root / version / "Microsoft.Authorization.json").read_text()
    schema = json.loads(text.replace(foreign, "#/definitions/expression"))
    definitions = {**schema["definitions"], "expression": common["definitions"]["expression"]}
    return {**schema[f"{scope}_resourceDefinitions"][kind], "definitions": definitions}, definitions


@needs_reference
@pytest.mark.parametrize(("name", "scope"), _AT.items())
def test_the_official_schemas_accept_each_resource(name: str, scope: str) -> None:
    """Each resource, against the schema of its type and api-version; and no property that it does not know.

    The schema takes a value or an expression, never what could be both. So definitions are looked at as they stand in the
    template, where an expression that was not escaped is such a thing, and assignments as they are deployed.
    """
    written = [it for it in _read(name)["resources"] if not it["type"].endswith("policyAssignments")]
    for it in [*written, *_of("policyAssignments", _deployed(name, managedDisks=True)).values()]:
        kind = it["type"].split("/")[1]
        whole, definitions = _schema(it["apiVersion"], scope, kind)
        properties = definitions[f"P{kind[1:-1]}Properties"]["properties"]

        jsonschema.Draft4Validator(whole).validate(it)
        assert it["properties"].keys() <= properties.keys()
        assert it.keys() - {"condition", "dependsOn"} <= whole["properties"].keys()
        for member in it["properties"].get("policyDefinitions", []):
            assert member.keys() <= definitions["PolicyDefinitionReference"]["properties"].keys()
        for group in it["properties"].get("policyDefinitionGroups", []):
            assert group.keys() <= definitions["PolicyDefinitionGroup"]["properties"].keys()


@pytest.mark.parametrize("name", _AT)
def test_parameters_carry_the_initiatives_own_defaults(name: str) -> None:
    """A deployment with no parameters assigns what the initiative says by itself: everything is audited, nothing refused."""
    told = _read(name)["parameters"]

    for it, body in policies.initiative()["parameters"].items():
        assert told[it]["defaultValue"] == body["defaultValue"]
        assert told[it].get("allowedValues") == body.get("allowedValues")
    assert {told[it]["defaultValue"] for it in told if it.startswith("effect")} == {"Audit", "AuditIfNotExists"}
