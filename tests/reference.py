"""The reference data: recorded Azure traffic, specs and sample events. Read where it lies; skipped loudly without it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path(os.environ.get("REFERENCE_DATA") or ROOT.parent / "shared/data")

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(),
    reason=f"the reference data is not at {REFERENCE}: set REFERENCE_DATA to run this test",
)


def recorded(category: str) -> Iterator[dict[str, Any]]:
    """Yield the recorded interactions of a category of ARM traffic."""
    path = REFERENCE / f"arm_traffic/{category}.jsonl"
    if path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


def bodies(category: str, kind: str) -> list[dict[str, Any]]:
    """Return every recorded answer body that is a resource of a kind, alone or in a list."""
    found = []
    for record in recorded(category):
        body = record.get("response_body")
        rows = body.get("value", [body]) if isinstance(body, dict) else []
        if isinstance(rows, list):
            found += [row for row in rows if isinstance(row, dict) and str(row.get("type", "")).lower() == kind.lower()]
    return found


def sequence(cassette: str) -> dict[int, dict[str, Any]]:
    """Return the interactions of a whole recording, by their number in it."""
    whole = json.loads((REFERENCE / f"arm_traffic/sequences/{cassette}.json").read_text())
    return {record["index"]: record for record in whole["interactions"]}


def spec_request(example: str) -> dict[str, Any]:
    """Return the body that an official example sends."""
    whole = json.loads((REFERENCE / f"samples/spec/{example}.json").read_text())
    body: dict[str, Any] = whole["parameters"]["parameters"]
    return body


def put_schema(version: str, provider: str, kind: str) -> dict[str, Any]:
    """Return the official schema of what may be PUT as a resource of a kind, whole in itself."""
    root = REFERENCE / "openapi/azure-resource-manager-schemas/schemas"
    expression = "definitions.json#/definitions/expression"
    text = (root / version / f"{provider}.json").read_text()
    schema = json.loads(
        text.replace(f"https://schema.management.azure.com/schemas/common/{expression}", "#/definitions/expression")
    )
    common = json.loads((root / "common/definitions.json").read_text())
    definitions = {**schema["definitions"], "expression": common["definitions"]["expression"]}
    return {**schema["resourceDefinitions"][kind], "definitions": definitions}
