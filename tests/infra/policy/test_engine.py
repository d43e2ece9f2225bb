"""The engine itself: every condition, field and function, as Microsoft's pages describe them."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.infra.policy.cases import workspace
from tests.infra.policy.engine import Evaluation, compare, effect, is_condition
from tests.infra.policy.expression import FUNCTIONS, UnknownWordError, is_expression, work_out
from tests.infra.policy.fields import read
from tests.infra.policy.pack import built_ins
from tests.reference import needs_reference


@pytest.mark.parametrize(
    ("operator", "found", "wanted", "holds"),
    [
        ("equals", "Premium", "premium", True),
        ("equals", True, "true", True),
        ("equals", 1, "1", True),
        ("equals", None, "", False),
        ("notequals", None, "recover", True),
        ("notequals", "Recover", "recover", False),
        ("like", "Microsoft.Network/x", "microsoft.network/*", True),
        ("like", "ab", "ab*b", False),
        ("like", "abc", "a*c", True),
        ("like", "abc", "ABC", True),
        ("notlike", None, "*", True),
        ("match", "ab-12", "??-##", True),
        ("match", "Ab", "ab", False),
        ("matchinsensitively", "Ab", "ab", True),
        ("match", "a1", "..", True),
        ("match", "a1b", "..", False),
        ("notmatch", "a1", "##", True),
        ("contains", "SystemAssigned, UserAssigned", "userassigned", True),
        ("contains", ["A", "b"], "B", True),
        ("notcontains", None, "x", True),
        ("in", "EU", ["eu", "us"], True),
        ("in", None, ["eu"], False),
        ("notin", "eu", ["us"], True),
        ("notin", None, ["us"], True),
        ("containskey", {"Application": ""}, "application", True),
        ("notcontainskey", {}, "application", True),
        ("exists", None, "false", True),
        ("exists", "", True, True),
        ("exists", False, "true", True),
        ("less", 3, 4, True),
        ("lessorequals", 4, 4, True),
        ("greater", None, 4, False),
        ("greater", "2026-01-02T00:00:00Z", "2026-01-01T23:00:00-05:00", False),
        ("greaterorequals", "2021-06-01-preview", "2021-06-01-preview", True),
        ("less", "2019-09-01", "2021-06-01-preview", True),
        ("less", "B", "a", False),
    ],
)
def test_conditions(operator: str, found: Any, wanted: Any, holds: bool) -> None:
    """Each condition, without case, and with nothing for what is missing."""
    assert compare(operator, found, wanted) is holds


def test_types_that_differ_have_no_order() -> None:
    """Azure raises an error where a number meets a text, and so does the engine."""
    with pytest.raises(UnknownWordError, match="types differ"):
        compare("less", "5", 6)


def test_what_is_not_known_is_not_judged() -> None:
    """An unknown condition, function or sign raises: a rule that is not understood says nothing."""
    with pytest.raises(UnknownWordError, match="resembles"):
        compare("resembles", 1, 1)
    with pytest.raises(UnknownWordError, match="uniqueString"):
        work_out("[uniqueString('a')]", {})
    with pytest.raises(UnknownWordError, match="cannot read"):
        work_out("[concat('a' & 'b')]", {})
    with pytest.raises(UnknownWordError, match="what is"):
        work_out("['a' 'b']", {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[concat('tags[', parameters('name'), ']')]", "tags[a.b]"),
        ("[concat('it''s', '')]", "it's"),
        ("[if(empty(''), 'yes', split('', '/')[4])]", "yes"),
        ("[if(greaterOrEquals(length(split('a/b', '/')), 3), split('a/b', '/')[2], '')]", ""),
        ("[if(equals(1, 2), split('', '/')[4], if(true, 'deep', 'no'))]", "deep"),
        ("[split('a/b', '/')[1]]", "b"),
        ("[requestContext().apiVersion]", "2026-02-01"),
        ("[padLeft(7, 3, '0')]", "007"),
        ("[addDays('2026-01-31T00:00:00Z', -1)]", "2026-01-30T00:00:00+00:00"),
        ("[ipRangeContains('10.0.0.0/8', '10.1.2.3')]", True),
        ("[ipRangeContains('10.0.0.0/8', '11.0.0.0/8')]", False),
        ("[string(length(split('a/b', '/')))]", "2"),
        ("[trim(' a ')]", "a"),
        ("[first(split('a/b', '/'))]", "a"),
        ("[length(concat(split('a/b', '/'), split('c', '/')))]", 3),
    ],
)
def test_expressions(text: str, value: Any) -> None:
    """Each function; of an `if` only the branch that is taken is worked out."""
    own: dict[str, Callable[..., Any]] = {
        "parameters": {"name": "a.b"}.__getitem__,
        "requestcontext": lambda: {"apiVersion": "2026-02-01"},
    }

    assert is_expression(text)
    assert work_out(text, own) == value
    assert not is_expression(f"[{text}")


_ARRAYS = {
    "type": "Microsoft.Test/resourceType",
    "location": "West Europe",
    "tags": {"env": "prod", "a.b": "1", "it's": "2"},
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "stringArray": ["a", "b", "c"],
        "objectArray": [
            {"property": "value1", "nestedArray": [1, 2]},
            {"property": "value2", "nestedArray": [3, 4]},
        ],
    },
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Microsoft.Test/resourceType/missingArray", None),
        ("Microsoft.Test/resourceType/missingArray[*]", ()),
        ("Microsoft.Test/resourceType/missingArray[*].property", ()),
        ("microsoft.test/RESOURCETYPE/stringArray", ["a", "b", "c"]),
        ("Microsoft.Test/resourceType/stringArray[*]", ("a", "b", "c")),
        ("Microsoft.Test/resourceType/objectArray[*].property", ("value1", "value2")),
        ("Microsoft.Test/resourceType/objectArray.property", ("value1", "value2")),
        ("Microsoft.Test/resourceType/objectArray[*].nestedArray", ([1, 2], [3, 4])),
        ("Microsoft.Test/resourceType/objectArray[*].nestedArray[*]", (1, 2, 3, 4)),
        ("Microsoft.Test/resourceType/objectArray[*].lacking", (None, None)),
        ("Microsoft.Test/other/stringArray[*]", ()),
        ("Microsoft.Test/other/property", None),
        ("tags.env", "prod"),
        ("tags[A.B]", "1"),
        ("tags['it's']", "2"),
        ("tags['none']", None),
        ("location", "westeurope"),
        ("identity.type", "SystemAssigned"),
    ],
)
def test_fields(field: str, value: Any) -> None:
    """The table of Microsoft's page on arrays, and the ways to write a tag."""
    assert read(_ARRAYS, field) == value


def _effect(rule: dict[str, Any], **more: Any) -> str:
    definition = {"parameters": {}, "policyRule": {"if": rule, "then": {"effect": "audit"}}}
    return effect(Evaluation(definition, {**_ARRAYS, "id": "/subscriptions/s/resourceGroups/rg/x"}, **more))


_OBJECTS = "Microsoft.Test/resourceType/objectArray[*]"
_STRINGS = "Microsoft.Test/resourceType/stringArray[*]"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"field": _STRINGS, "equals": "a"}, False),
        ({"field": _STRINGS, "in": ["a", "b", "c"]}, True),
        ({"field": "Microsoft.Test/resourceType/missingArray[*]", "equals": "a"}, True),
        ({"count": {"field": _STRINGS}, "equals": 3}, True),
        ({"count": {"field": _STRINGS, "where": {"field": _STRINGS, "equals": "a"}}, "equals": 1}, True),
        ({"count": {"field": f"{_OBJECTS}.nestedArray[*]"}, "greaterOrEquals": 4}, True),
        (
            {
                "count": {
                    "field": _OBJECTS,
                    "where": {
                        "allOf": [
                            {"field": f"{_OBJECTS}.property", "equals": "value2"},
                            {"field": f"{_OBJECTS}.nestedArray[*]", "greater": 2},
                        ]
                    },
                },
                "equals": 1,
            },
            True,
        ),
        ({"count": {"field": _OBJECTS, "where": {"field": "tags.env", "equals": "prod"}}, "equals": 2}, True),
        ({"count": {"field": _STRINGS, "where": {"value": f"[current('{_STRINGS}')]", "equals": "b"}}, "equals": 1}, True),
        ({"count": {"field": _OBJECTS, "where": {"value": f"[current('{_OBJECTS}.property')]", "equals": "value1"}}, "equals": 1}, True),
        ({"count": {"field": _STRINGS, "where": {"value": f"[first(field('{_STRINGS}'))]", "equals": "b"}}, "equals": 1}, True),
        ({"count": {"value": ["x_*", "p*"], "name": "pattern", "where": {"field": "tags.env", "like": "[current('pattern')]"}}, "greater": 0}, True),
        ({"count": {"value": ["x_*", "p*"], "where": {"field": "tags.env", "like": "[current()]"}}, "greater": 1}, False),
        ({"not": {"field": "tags", "containsKey": "ENV"}}, False),
        ({"anyof": [{"field": "tags.env", "equals": "test"}, {"value": "[length(field('tags'))]", "equals": 3}]}, True),
        ({"value": f"[length(field('{_STRINGS}'))]", "equals": 3}, True),
        ({"value": "[field('Microsoft.Test/resourceType/missing')]", "equals": ""}, True),
        ({"value": "[resourceGroup().name]", "like": "r*"}, True),
        ({"value": "[subscription().subscriptionId]", "equals": "s"}, True),
        ({"value": "[utcNow()]", "greater": "[addDays('2026-11-23T00:00:00Z', 1)]"}, True),
        ({"value": "[requestContext().apiVersion]", "less": "2019-09-01"}, False),
    ],
)  # fmt: skip
def test_rules(rule: dict[str, Any], holds: bool) -> None:
    """Fields of arrays hold for all members; counts see one member at a time, and what lies around it."""
    assert bool(_effect(rule)) is holds


def test_a_count_is_over_once_it_is_done() -> None:
    """`current` outside of its count means nothing."""
    with pytest.raises(UnknownWordError, match="outside"):
        _effect({"value": "[current('x')]", "equals": 1})


_NAMED = {
    "if": {"field": "type", "equals": "Microsoft.Databricks/workspaces"},
    "then": {"effect": "AuditIfNotExists", "details": {"type": "A.B/c", "name": "[concat(field('name'), '-x')]"}},
}


@pytest.mark.parametrize(
    ("related", "found"),
    [
        ((), "auditifnotexists"),
        (({"type": "a.b/C", "name": "DBW-claims-x"},), ""),
        (({"type": "A.B/c", "name": "other"},), "auditifnotexists"),
        (({"type": "A.B/d", "name": "dbw-claims-x"},), "auditifnotexists"),
    ],
)
def test_related_resources_are_found_by_type_and_name(related: tuple[dict[str, str], ...], found: str) -> None:
    """Without a condition any related resource of the type, and of the name where one is given, will do."""
    assert effect(Evaluation({"parameters": {}, "policyRule": _NAMED}, workspace({}), related=related)) == found


@needs_reference
def test_every_word_of_the_built_ins_is_known() -> None:
    """No rule of Azure's that speaks of vaults, keys, workspaces, identities or their logs has a word that is not known."""
    strange = set()
    for whole in built_ins().values():
        rule = whole["policyRule"]
        details = rule["then"].get("details", {})
        parts = [rule["if"], details.get("existenceCondition", {}) if isinstance(details, dict) else {}]
        for it in _conditions(parts):
            words = {name.lower() for name in it} - _STRUCTURE
            strange |= {name for name in words if "field" in it or "value" in it if not is_condition(name)}
        strange |= {name for name in re.findall(r"(\w+)\(", json.dumps(parts)) if name.lower() not in _KNOWN}

    assert len(built_ins()) == 79
    assert strange == set()


_STRUCTURE = frozenset({"field", "value", "count", "name", "where"})
_KNOWN = FUNCTIONS.keys() | {
    "parameters",
    "field",
    "current",
    "utcnow",
    "requestcontext",
    "subscription",
    "resourcegroup",
}


@needs_reference
def test_built_ins_run() -> None:
    """Each rule about vaults, keys, workspaces and their logs runs over a resource of its type; most of them find fault."""
    found = []
    for whole in built_ins().values():
        if whole["metadata"]["category"] in {"Key Vault", "Azure Databricks", "Monitoring"}:
            values = {name: _any(it) for name, it in whole["parameters"].items() if "defaultValue" not in it}
            found += [effect(Evaluation(whole, it, values, related=_settings())) for it in _one_of_each(whole)]

    assert (len(found), sum(map(bool, found))) == (68, 33)


def _any(told: dict[str, Any]) -> Any:
    return {"integer": 365, "array": ["a"], "boolean": True}.get(told["type"].lower(), "x")


def _settings() -> tuple[dict[str, Any], ...]:
    log = {
        "category": "AuditEvent",
        "categoryGroup": None,
        "enabled": True,
        "retentionPolicy": {"enabled": True, "days": 90},
    }
    return ({"type": "Microsoft.Insights/diagnosticSettings", "name": "x", "properties": {"logs": [log], "metrics": [log]}},)  # fmt: skip


def _one_of_each(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a resource of each type that a rule asks for, rich enough that each of its conditions is met."""
    kinds = {it["equals"] for it in _conditions(whole["policyRule"]["if"]) if it.get("field") == "type"}
    attributes = {"createdOn": "2026-01-01T00:00:00Z", "expiresOn": "2027-01-01T00:00:00Z", "notBefore": ""}
    return [
        {
            "id": f"/subscriptions/s/resourceGroups/rg/providers/{kind}/it",
            "name": "it",
            "type": kind,
            "location": "westeurope",
            "attributes": attributes,
            "scheduledRotationDate": "2026-06-01T00:00:00Z",
            "keyType": "RSA",
            "keySize": 2048,
            "keyProperties": {"keyType": "RSA", "keySize": 2048},
            "properties": {"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "10.0.0.0/8"}]}, "publicNetworkAccess": "Enabled"},
        }
        for kind in sorted(kinds)
    ]  # fmt: skip


def _conditions(rule: Any) -> list[dict[str, Any]]:
    if isinstance(rule, list):
        return [it for each in rule for it in _conditions(each)]
    if not isinstance(rule, dict):
        return []
    return [rule, *(it for each in rule.values() for it in _conditions(each))]
