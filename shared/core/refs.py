"""References: values that a step needs and that exist only later, as a key's version or an identity that is yet to be born.

A person approves the step with the reference in it; what it stands for is filled in right before the write. So a step
keeps its id whatever the values turn out to be.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.core.errors import Temporary
from shared.core.steps import Step

STORAGE = "${storageAccountIdentity.principalId}"
DISKS = "${managedDiskIdentity.principalId}"
_REFERENCE = re.compile(r"\$\{[A-Za-z.:]+\}")


def key_name(layer: str) -> str:
    """Return the reference to the name of the key for a layer, '' for the one that serves all."""
    return f"${{key{':' * bool(layer)}{layer}.name}}"


def key_version(layer: str) -> str:
    """Return the reference to its version."""
    return f"${{key{':' * bool(layer)}{layer}.version}}"


def resolve(step: Step, values: Mapping[str, str]) -> Step:
    """Return the step with its references filled in. Raises Temporary where one stands for nothing yet: reads lag."""
    return replace(step, resource=_filled(step.resource, values), after=_filled(dict(step.after), values))


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _value(found[0], values), value)
    if isinstance(value, dict):
        return {name: _filled(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return value


def _value(reference: str, values: Mapping[str, str]) -> str:
    if not values.get(reference):
        raise Temporary("NotThereYet", f"{reference} stands for nothing yet: what makes it has not happened")
    return values[reference]
