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
