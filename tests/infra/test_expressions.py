"""Template expressions have the values that Azure's documents give them; what Azure refuses is refused."""

import pytest

from tests.infra.judges.complaint import Fault
from tests.infra.judges.evaluate import Evaluator, Later
from tests.infra.judges.expand import expand
from tests.infra.judges.scope import Scope

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-cmkwarden"
VALUES = {
    "plain": "plain",
    "[[parameters('x')]": "[parameters('x')]",
    "[concat('it''s', '-', 3)]": "it's-3",
    "[concat(createArray(1), createArray(2, 3))]": [1, 2, 3],
    "[format('{0}/{1}/{0}', 'a', 2)]": "a/2/a",
    "[union(createObject('a', 1, 'b', createObject('c', 2)), createObject('b', createObject('d', 3)))]": {"a": 1, "b": {"c": 2, "d": 3}},
    "[union(createArray(1, 2), createArray(2, 3))]": [1, 2, 3],
    "[if(equals(parameters('mode'), 'auto'), 'yes', resourceId('not', 'evaluated'))]": "yes",
    "[and(true(), not(false()))]": True,
    "[or(false(), false())]": False,
    "[contains(createObject('Key', 1), 'key')]": True,
    "[empty(null())]": True,
    "[last(split('a/b/c', '/'))]": "c",
    "[take('abc', 2)]": "ab",
    "[range(2, 3)]": [2, 3, 4],
    "[json('{\"a\": [1]}').a[0]]": 1,
    "[createObject('a', 1).?b]": None,
    "[coalesce(null(), 'second')]": "second",
    "[map(range(0, 2), lambda('n', add(lambdaVariables('n'), 1)))]": [1, 2],
    "[filter(range(0, 4), lambda('n', greater(lambdaVariables('n'), 1)))]": [2, 3],
    "[items(createObject('b', 2, 'a', 1))[0].key]": "a",
    "[string(createObject('a', createArray(1, 'b')))]": '{"a":[1,"b"]}',
    "[toLower(variables('twice')[1].name)]": "n1",
    "[resourceGroup().id]": GROUP,
    "[resourceId('Microsoft.Storage/storageAccounts/queueServices', 'st', 'default')]": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st/queueServices/default",
    "[resourceId('sub', 'rg', 'Microsoft.Web/sites', 'a')]": "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Web/sites/a",
    "[extensionResourceId('/subscriptions/s', 'Microsoft.Authorization/roleAssignments', 'r')]": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/r",
    "[tenantResourceId('Microsoft.Management/managementGroups', 'mg')]": "/providers/Microsoft.Management/managementGroups/mg",
    "[length(uniqueString('a'))]": 13,
    "[equals(guid('a', 'b'), guid('a', 'b'))]": True,
    "[environment().suffixes.storage]": "core.windows.net",
}  # fmt: skip
REFUSED = {
    "[parameters('nowhere')]": "undefined parameter",
    "[variables('nowhere')]": "undefined variable",
    "[variables('circle')]": "needs itself",
    "[cocnat('a')]": "unknown function",
    "[concat('a' 'b')]": "unbalanced",
    "[concat('a'))]": "unbalanced",
    "[format('{0} {1}', 'a')]": "format has the places",
    "[concat('a', createArray(1))]": "concat takes",
    "[createArray(1)[3]]": "has no 3",
    "[createObject('a', 1).b]": "has no 'b'",
    "[if('true', 1, 2)]": "needs true or false",
    "[take('a')]": "take",
    "[copyIndex('loop')]": "outside of that loop",
    "[managementGroup().id]": "no answer at resourceGroup scope",
    "[utcNow()]": "unknown function",
    "[resourceId('Microsoft.Web/sites', 'a', 'b')]": "needs 1 name(s), not the 2",
}


@pytest.fixture
def evaluator() -> Evaluator:
    """Return one with a parameter and some variables, in a resource group."""
    loop = {"name": "twice", "count": 2, "input": {"name": "[concat('N', copyIndex('twice'))]"}}
    variables = {"copy": [loop], "circle": "[variables('circle')]"}
    return Evaluator(Scope("resourceGroup"), {"mode": "auto"}, variables, "")


@pytest.mark.parametrize("text", VALUES)
def test_an_expression_has_its_value(text: str, evaluator: Evaluator) -> None:
    """As in the examples of https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions."""
    assert evaluator.leaf(text) == VALUES[text]
    assert evaluator.complaints == []


@pytest.mark.parametrize("text", REFUSED)
def test_what_azure_refuses_is_refused(text: str, evaluator: Evaluator) -> None:
    """An expression that is evaluated to something all the same would hide a fault."""
    try:
        value = evaluator.leaf(text)
    except Fault as fault:
        assert REFUSED[text] in str(fault)
    else:
        assert value is None
        assert REFUSED[text] in str(evaluator.complaints)


def test_what_azure_knows_later_stays_an_expression(evaluator: Evaluator) -> None:
    """And says which resource it asks, and what of it."""
    later = evaluator.leaf("[concat('a', reference(resourceId('Microsoft.Web/sites', 'x')).defaultHostName)]")

    assert isinstance(later, Later)
    assert later == f"[concat('a', reference('{GROUP}/providers/Microsoft.Web/sites/x')['defaultHostName'])]"
    asked = evaluator.laters[-1]
    assert (asked.target, asked.asks) == (f"{GROUP}/providers/Microsoft.Web/sites/x", ("defaultHostName",))


def _nested(output: str) -> dict[str, object]:
    """Return a template that hands an output of one nested deployment to another, whose resource is named after it."""
    head = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"}
    one = {**head, "resources": [], "outputs": {"word": {"type": "string", "value": "answer"}}}
    name = {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "name": "[parameters('word')]"}
    other = {**head, "parameters": {"word": {"type": "string"}}, "resources": [name]}
    deployment = {"type": "Microsoft.Resources/deployments"}
    inner = {"expressionEvaluationOptions": {"scope": "inner"}}
    handed = {"word": {"value": f"[reference('one').outputs.{output}.value]"}}
    return {
        **head,
        "resources": [
            {**deployment, "name": "other", "dependsOn": ["one"], "properties": {**inner, "template": other, "parameters": handed}},
            {**deployment, "name": "one", "properties": {**inner, "template": one}},
        ],
    }  # fmt: skip


def test_outputs_of_a_nested_deployment_reach_the_next() -> None:
    """Whatever their order in the template."""
    expansion = expand(_nested("word"), {})

    assert expansion.complaints == []
    assert [resource.id.rsplit("/", 1)[-1] for resource in expansion.resources] == ["other", "one", "answer"]


def test_an_output_that_is_not_there_is_a_complaint() -> None:
    """Azure would say so only after everything before it is deployed."""
    complaints = expand(_nested("wrod"), {}).complaints

    assert any("outputs are word" in complaint.text for complaint in complaints)
