"""Our initiative as Azure would evaluate it: a member, its definition, and the values that it is given."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from infra.assemble import policies
from tests.infra.policy.engine import Evaluation, effect
from tests.infra.policy.expression import is_expression, work_out
from tests.reference import REFERENCE

type Json = Mapping[str, Any]

DISKS = "managedDiskKey"  # no member: it is assigned alone
BUILT_IN = "/providers/Microsoft.Authorization/policyDefinitions/"


@cache
def members() -> Mapping[str, Json]:
    """Return the members of the initiative by reference, and the disks' definition as if it were one."""
    found = {it["policyDefinitionReferenceId"]: it for it in policies.initiative()["policyDefinitions"]}
    disks = policies.definitions()[policies.DISKS]
    values = {name: {"value": f"[parameters('{name}')]"} for name in disks["parameters"] if name != "effect"}
    return {**found, DISKS: {"policyDefinitionId": policies.DISKS, "parameters": values}}


@cache
def built_ins() -> Mapping[str, Json]:
    """Return the built-in definitions of the reference data, by GUID; none where it is not there."""
    found = {}
    for path in sorted((REFERENCE / "azure_policy/policyDefinitions").rglob("*.json")):
        whole = json.loads(path.read_text(encoding="utf-8-sig"))
        if "Azure Government" not in path.parts:
            found[whole["name"]] = whole["properties"]
    return found


def definition(reference: str) -> Json:
    """Return the definition of a member, ours or a built-in."""
    named = members()[reference]["policyDefinitionId"]
    ours: Json = policies.definitions().get(named) or built_ins()[named.removeprefix(BUILT_IN)]
    return ours


def is_built_in(reference: str) -> bool:
    """Whether a member is one of Azure's own definitions."""
    return str(members()[reference]["policyDefinitionId"]).startswith(BUILT_IN)


def handed(reference: str, given: Json) -> dict[str, Any]:
    """Return what a member is given: parameters of the initiative, as assigned or by default."""
    told = policies.initiative()["parameters"]

    def parameter(name: str) -> Any:
        return given.get(name, told[name]["defaultValue"])

    values = {name: it["value"] for name, it in members()[reference]["parameters"].items()}
    return {
        name: work_out(it, {"parameters": parameter}) if is_expression(it) else it for name, it in values.items()
    } | {name: it for name, it in given.items() if name == "effect"}


def verdict(
    reference: str, resource: Json, given: Json | None = None, related: Sequence[Json] = (), **more: Any
) -> str:
    """Return the effect that a member has on a resource; '' where it has none. `given`: parameters of the initiative."""
    whole = definition(reference)
    return effect(Evaluation(whole, resource, handed(reference, given or {}), related, **more))
