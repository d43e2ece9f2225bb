"""The parameters of a template: what is given, held against what is declared."""

import uuid
from typing import Any

from tests.infra.judges.complaint import Complaint, Fault, step
from tests.infra.judges.evaluate import Evaluator, Later

KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "securestring": str,
    "int": int,
    "bool": bool,
    "array": list,
    "object": dict,
    "secureobject": dict,
}
# What stands in a nested template for a value that only a deployment knows: what is asked for is mostly a principal's id.
STAND_INS: dict[str, Any] = {"int": 1, "bool": True, "array": [], "object": {}}


def secure(declared: dict[str, Any]) -> bool:
    """Say whether Azure keeps a parameter's value out of its records."""
    return str(declared.get("type", "")).lower().startswith("secure")


def fill(template: dict[str, Any], given: dict[str, Any], evaluator: Evaluator) -> None:
    """Give an evaluator the values of a template's parameters: given or default. Complains about what does not fit."""
    place = step(evaluator.base, "parameters")
    declared: dict[str, dict[str, Any]] = template.get("parameters", {})
    for name in given.keys() - declared.keys():
        evaluator.complaints.append(
            Complaint(step(place, name), "a value is given for a parameter that is not declared")
        )
    evaluator.defaults = True
    for name, asked in declared.items():
        path = step(place, name)
        if name in given:
            value = _stand_in(given[name], str(asked.get("type", "")).lower())
        elif "defaultValue" in asked:
            value = evaluator.tree(asked["defaultValue"], step(path, "defaultValue"))
        else:
            evaluator.complaints.append(Complaint(path, "no value is given, and there is no default"))
            value = None
        evaluator.parameters[name] = value
        evaluator.complaints += [Complaint(path, problem) for problem in _problems(asked, value)]
    evaluator.defaults = False


def _stand_in(value: Any, kind: str) -> Any:
    if not isinstance(value, Later):
        return value
    return STAND_INS.get(kind, str(uuid.uuid5(uuid.NAMESPACE_URL, value)))


def _problems(asked: dict[str, Any], value: Any) -> list[str]:
    kind = str(asked.get("type", "")).lower()
    if kind not in KINDS:
        return [f"type {asked.get('type')!r} is none of {', '.join(KINDS)}"]
    if value is None:
        return [] if asked.get("nullable") else ["null is no value for it"]
    if not isinstance(value, KINDS[kind]) or (kind == "int" and isinstance(value, bool)):
        return [f"{value!r} is no {kind}"]
    allowed = asked.get("allowedValues")
    problems = [f"{value!r} is none of {allowed}"] if allowed and value not in allowed else []
    size = value if kind == "int" else len(value) if hasattr(value, "__len__") else 0
    least, most = ("minValue", "maxValue") if kind == "int" else ("minLength", "maxLength")
    if size < asked.get(least, size) or size > asked.get(most, size):
        problems.append(f"{value!r} is outside of {asked.get(least, '')}..{asked.get(most, '')}")
    return problems


def handed(body: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the values that a nested deployment hands to its template. Raises Fault for what is not `{"value": ...}`."""
    values = {}
    for name, holder in (body["properties"].get("parameters") or {}).items():
        if not isinstance(holder, dict) or set(holder) != {"value"}:
            raise Fault(f"{path}.{name}: a parameter is handed over as {{'value': ...}}")
        values[name] = holder["value"]
    return values
