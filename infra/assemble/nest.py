"""A template within a template: a nested deployment that is given its parameters by their names."""

from collections.abc import Mapping
from typing import Any

from infra.assemble.arm import Json, resource

KIND = "Microsoft.Resources/deployments"


def nested(name: str, inner: Json, offers: Mapping[str, str], **fields: Any) -> Json:
    """Return the deployment of `inner` with those of the offers (parameter -> expression) that it asks for.

    What it asks for and nobody offers keeps its default. Raises LookupError where there is none.
    """
    wanted = inner["parameters"]
    missing = [it for it, declared in wanted.items() if it not in offers and "defaultValue" not in declared]
    if missing:
        raise LookupError(f"{name} needs {', '.join(missing)}, which is offered by nobody")
    return resource(
        KIND,
        name,
        **fields,
        properties={
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": inner,
            "parameters": {it: {"value": f"[{offers[it]}]"} for it in wanted if it in offers},
        },
    )


def offered(inner: Json) -> dict[str, str]:
    """Return an offer for each parameter of a template: the parameter of the same name outside."""
    return {name: f"parameters('{name}')" for name in inner["parameters"]}
