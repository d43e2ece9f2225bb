"""The definitions and the initiative as documents: schema, stray keys, aliases, settings, frameworks, limits of Azure's."""

import json
import re
from typing import Any

import jsonschema
import pytest

from infra.assemble import policies
from shared.core.frameworks import FRAMEWORKS, official
from shared.settings import SETTINGS
from simulator.stack import ROOT
from tests.infra.policy import pack
from tests.infra.policy.engine import is_condition
from tests.infra.policy.pack import BUILT_IN
from tests.reference import REFERENCE, needs_reference

NAMES = sorted(policies.definitions())
DEFAULTS = {it.name: it.default for it in SETTINGS}
MEMBERS = policies.initiative()["policyDefinitions"]
_SCHEMAS = REFERENCE / "openapi/azure-resource-manager-schemas/schemas"


def _load(name: str) -> Any:
    return policies.definitions()[name]


def _walk(value: Any) -> list[Any]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(it for each in below for it in _walk(each))]


@needs_reference
@pytest.mark.parametrize("name", NAMES)
def test_the_official_schema_accepts_each_rule(name: str) -> None:
    """Operators, effects and their combinations are Azure's."""
    schema = json.loads((_SCHEMAS / "2020-10-01/policyDefinition.json").read_text())
    common = json.loads((_SCHEMAS / "common/definitions.json").read_text())
    text = json.dumps(schema).replace("https://schema.management.azure.com/schemas/common/definitions.json", "#/common")
    whole = {**json.loads(text.replace("#/common#/", "#/common/")), "common": common}
    whole["definitions"]["ifNotExistsDetails"]["properties"].pop("deployment")  # refers to a schema that we do not need

    jsonschema.Draft4Validator(whole).validate(_load(name)["policyRule"])


_CONDITION = {"field", "value", "count"}
_LOGIC = {"allOf", "anyOf", "not"}


def _strays(rule: Any) -> list[str]:
    """Return what the schema lets through: a condition with a key too many, or with two subjects."""
    found = []
    for it in _walk(rule):
        if not isinstance(it, dict) or {"effect", "where", "existenceCondition"} & it.keys():
            continue
        if {"field", "value", "count"} & it.keys():
            operators = it.keys() - _CONDITION
            fine = (
                len(it.keys() & _CONDITION) == 1
                and len(operators) == 1
                and all(is_condition(op.lower()) for op in operators)
            )
        else:
            fine = len(it) == 1 and it.keys() <= _LOGIC
        if not fine:
            found.append(json.dumps(it)[:120])
    return found  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_rule_has_a_key_too_many(name: str) -> None:
    """The official schema does not look for strays: it passes a condition with a misspelt second operator."""
    body = _load(name)
    rule = body["policyRule"]
    details = rule["then"].get("details", {})

    assert set(body) == {"displayName", "description", "mode", "metadata", "parameters", "policyRule"}
    assert rule["then"].keys() <= {"effect", "details"}
    assert details.keys() <= {"type", "existenceCondition"}
    assert _strays(rule["if"]) + _strays(details.get("existenceCondition", {"not": {}}).get("allOf", [])) == []
    for it in body["parameters"].values():
        assert it.keys() <= {"type", "metadata", "allowedValues", "defaultValue"}
        assert it["metadata"].keys() == {"displayName", "description"}


def test_a_stray_key_is_found() -> None:
    """The check itself: an operator too many, a subject too many, and words that are none."""
    assert _strays({"field": "type", "equals": "a", "notEqual": "b"})
    assert _strays({"field": "type", "value": "b", "equals": "a"})
    assert _strays({"allOf": [{"anyof": []}]})
    assert _strays({"field": "type", "eqals": "a"})


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_declared_and_used(name: str) -> None:
    """A rule uses the parameters that it declares, no more and no fewer."""
    body = _load(name)
    used = set(re.findall(r"parameters\('(\w+)'\)", json.dumps(body["policyRule"])))

    assert used == set(body["parameters"])


def _aliases(body: Any) -> set[str]:
    fields = {it["field"] for it in _walk(body["policyRule"]) if isinstance(it, dict) and "field" in it}
    return {it for it in fields if it.startswith("Microsoft.")}


@pytest.mark.parametrize("name", NAMES)
def test_each_alias_has_a_source_and_deny_needs_one(name: str) -> None:
    """Where no source shows that an alias exists, the definition offers no Deny. Whatever lacks Deny says why."""
    body = _load(name)
    metadata, effects = body["metadata"], body["parameters"]["effect"]["allowedValues"]

    assert set(metadata["aliases"]) == _aliases(body)
    if any(source.startswith("UNVERIFIED") for source in metadata["aliases"].values()):
        assert "Deny" not in effects
        assert name == policies.DISKS
    assert "Deny" in effects or metadata["denyNote"].startswith("No Deny: ")
    assert body["parameters"]["effect"]["defaultValue"].startswith("Audit")


@needs_reference
def test_aliases_that_are_said_to_be_azures_are() -> None:
    """A built-in that is named as the source of an alias uses it."""
    built_in = 0
    for name in NAMES:
        for alias, source in _load(name)["metadata"]["aliases"].items():
            if source.startswith("built-in "):
                text = json.dumps(pack.built_ins()[source.removeprefix("built-in ")]["policyRule"]).lower()
                assert f'"{alias.lower()}"' in text, f"{name}: {alias}"
                built_in += 1

    assert built_in == 11


@needs_reference
def test_each_built_in_is_there_in_the_version_that_is_pinned() -> None:
    """Its id, its version and its parameters, and that it offers each effect that we may hand it."""
    told = policies.initiative()["parameters"]
    for member in MEMBERS:
        if not member["policyDefinitionId"].startswith(BUILT_IN):
            assert "definitionVersion" not in member
            continue
        body = pack.built_ins()[member["policyDefinitionId"].removeprefix(BUILT_IN)]
        major_minor = ".".join(body["version"].split(".")[:2])
        needed = {name for name, it in body["parameters"].items() if "defaultValue" not in it}
        name = member["parameters"]["effect"]["value"].split("'")[1]

        assert member["definitionVersion"] == f"{major_minor}.*"
        assert body["policyType"] == "BuiltIn"
        assert not body["metadata"].get("deprecated")
        assert needed <= set(member["parameters"]) <= set(body["parameters"])
        assert set(told[name]["allowedValues"]) <= set(body["parameters"]["effect"]["allowedValues"])


def _of_members() -> set[str]:
    return {name for it in MEMBERS for name in re.findall(r"parameters\('(\w+)'\)", json.dumps(it["parameters"]))}


def test_members_get_what_they_need() -> None:
    """Each member of ours is given every parameter, by one of the initiative of the same type and with no more effects."""
    told = policies.initiative()["parameters"]
    for member in MEMBERS:
        body = policies.definitions().get(member["policyDefinitionId"])
        if body is not None:
            assert set(member["parameters"]) == set(body["parameters"])
            for name, it in member["parameters"].items():
                source, target = told[it["value"].split("'")[1]], body["parameters"][name]
                assert source["type"] == target["type"]
                assert source.get("allowedValues") == target.get("allowedValues")

    assert _of_members() == set(told)
    assert {it["policyDefinitionId"] for it in MEMBERS if "/" not in it["policyDefinitionId"]} == set(NAMES) - {
        policies.DISKS
    }
    assert len({it["policyDefinitionReferenceId"] for it in MEMBERS}) == len(MEMBERS)


def _words(name: str) -> list[str]:
    return [it for it in DEFAULTS[name].split(",") if it]


def test_defaults_are_those_of_the_settings() -> None:
    """What nobody has set means the same to cmkwarden and to Azure Policy."""
    told = {
        name: it["defaultValue"]
        for name, it in policies.initiative()["parameters"].items()
        if not name.startswith("effect")
    }

    assert told == {
        "sensitivityTag": DEFAULTS["CMK_SENSITIVITY_TAG"],
        "sensitiveValues": _words("CMK_SENSITIVE"),
        "environmentTag": DEFAULTS["CMK_ENVIRONMENT_TAG"],
        "keyEnvironments": _words("CMK_KEY_ENVIRONMENTS"),
        "allWorkspaces": DEFAULTS["CMK_ALL_WORKSPACES"] == "true",
        "ownerTag": DEFAULTS["CMK_OWNER_TAG"],
        "costCenterTag": DEFAULTS["CMK_COST_CENTER_TAG"],
        "ownerValues": _words("CMK_OWNER_VALUES"),
        "costCenterValues": _words("CMK_COST_CENTER_VALUES"),
        "sensitivityValues": _words("CMK_SENSITIVITY_VALUES"),
        "environmentValues": _words("CMK_ENVIRONMENT_VALUES"),
        "vaultTag": DEFAULTS["CMK_VAULT_TAG"].split("=")[0],
        "vaultTagValue": DEFAULTS["CMK_VAULT_TAG"].split("=")[1],
        "allVaults": DEFAULTS["CMK_VAULT_SCOPE"] == "all",
        "maximumKeyAgeDays": int(DEFAULTS["CMK_KEY_AGE"]) // 86400,
        "minimumDaysBeforeExpiry": int(DEFAULTS["CMK_KEY_EXPIRY"]) // 86400,
    }
    for body in policies.definitions().values():
        for name, it in body["parameters"].items():
            assert name in {"effect", "tagName", "legalValues"} or it["defaultValue"] == told[name]


def _group(framework: str, requirement: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", f"{framework}_{requirement}").strip("_")


def test_groups_are_what_the_frameworks_say() -> None:
    """A member of ours stands in the groups that its control speaks of; a built-in in none that its control has no part in."""
    groups = {it["name"]: it for it in policies.initiative()["policyDefinitionGroups"]}
    known = {_group(it.key, each.id): (it, each) for it in FRAMEWORKS.values() for each in it.requirements}
    for member in MEMBERS:
        control = policies.messages()[member["policyDefinitionReferenceId"]]["control"]
        named = member.get("groupNames", [])
        if "/" in member["policyDefinitionId"]:
            assert named
            assert all(control in known[it][1].controls for it in named)
        else:
            assert control == _load(member["policyDefinitionId"])["metadata"]["control"]
            assert named == [_group(it.key, each.id) for it, each in official(control)]

    assert {name for it in MEMBERS for name in it.get("groupNames", [])} == set(groups)
    for name, it in groups.items():
        framework, requirement = known[name]
        assert it["category"] == framework.name
        assert it["displayName"] == f"{framework.name} {requirement.id}"
        assert it["description"] == requirement.title


def test_azures_limits() -> None:
    """Lengths of names, descriptions and metadata; a sentence for every member."""
    for body in (*policies.definitions().values(), policies.initiative()):
        assert len(body["displayName"]) <= 128
        assert len(body["description"]) <= 512
        assert all(len(json.dumps(it)) <= 1024 for it in body["metadata"].values())

    references = {it["policyDefinitionReferenceId"] for it in MEMBERS}
    assert policies.messages().keys() == references | {pack.DISKS}


@needs_reference
def test_each_member_has_a_sentence_unless_azure_forbids_it() -> None:
    """A member of a data plane can have none; every other tells people what is wrong."""
    silent = {name for name, it in policies.messages().items() if "message" not in it}

    assert silent == {it for it in pack.members() if pack.definition(it)["mode"] != "Indexed"}
    assert silent == {"keyRotates", "keyAge", "keyEnds", "keyEndsSoon"}


def test_what_several_rules_ask_is_asked_alike() -> None:
    """Which workspaces must have keys, and which vaults are looked at, is written alike wherever it is written."""
    layers = [it for it in NAMES if "allWorkspaces" in _load(it)["parameters"]]
    vaults = [it for it in NAMES if "allVaults" in _load(it)["parameters"]]

    def asked(name: str, word: str) -> Any:
        return next(it for it in _load(name)["policyRule"]["if"]["allOf"] if word in json.dumps(it))

    assert layers == ["workspace-dbfs-root-key", "workspace-managed-disk-key", "workspace-managed-services-key"]
    assert len({json.dumps(asked(it, "allWorkspaces")) for it in layers}) == 1
    assert vaults == ["vault-logs", "vault-recovery"]
    assert len({json.dumps(asked(it, "allVaults")) for it in vaults}) == 1


def test_the_page_names_every_parameter() -> None:
    """docs/policies.md has a row for each parameter, with its default."""
    page = (ROOT / "docs/policies.md").read_text()
    for name, it in policies.initiative()["parameters"].items():
        default = it["defaultValue"]
        shown = default if isinstance(default, str) else json.dumps(default)

        assert f"| `{name}` | `{shown}` | {it['metadata']['description']} |" in page
