"""Whether an answer is one that the official documents allow, at least as well as Azure's own answers are.

Azure itself strays from its documents. How, is learnt from the recordings and read in `_deviations_from_swagger.json`;
deviations of those kinds are allowed to the simulator, any other is an error of it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

from tests.reference import REFERENCE
from tests.simulator.truth.patterns import matches
from tests.simulator.truth.recordings import interaction, resource_type
from tests.simulator.truth.swagger import Book, Operation, deviations, family, operations

STRAYS = json.loads(Path(__file__).with_name("strays.json").read_text())
DATE = re.compile(r"\d{4}-\d\d-\d\d|\d+\.\d+")


@dataclass(frozen=True)
class Sample:
    """One answer."""

    method: str
    path: str
    version: str
    status: int
    body: Any


class Specs:
    """The swagger documents, asked answer by answer."""

    def __init__(self) -> None:
        self._book = Book(REFERENCE / "openapi/azure-rest-api-specs/specification")
        self._operations: dict[str, list[Operation]] = defaultdict(list)
        for each in operations(self._book):
            self._operations[each.method].append(each)
        self._validators: dict[tuple[Operation, str], Draft4Validator | None] = {}

    def operation(self, sample: Sample) -> Operation | None:
        """The operation in the nearest document: the newest that is not newer, else the oldest; most literal first."""
        method = "GET" if sample.method == "HEAD" else sample.method
        fitting = [each for each in self._operations[method] if each.pattern.fullmatch(sample.path)]
        if not fitting:
            return None
        least = min(each.template.count("{") - len(each.template) / 1000 for each in fitting)
        fitting = [each for each in fitting if each.template.count("{") - len(each.template) / 1000 == least]
        wanted = _date(sample.version)
        if "preview" not in sample.version:
            fitting = [each for each in fitting if "preview" not in each.version] or fitting
        older = [each for each in fitting if _date(each.version) <= wanted]
        return max(older, key=lambda each: each.version) if older else min(fitting, key=lambda each: each.version)

    def deviations(self, operation: Operation, sample: Sample) -> set[str]:
        """In what an answer strays from the document."""
        status = str(sample.status) if str(sample.status) in operation.responses else "default"
        if status == "default" and (sample.status < 400 or "default" not in operation.responses):
            return {f"status {sample.status} is not declared"}
        key = (operation, status)
        if key not in self._validators:
            response, base = self._book.resolved(operation.responses[status], operation.file)
            schema = response.get("schema")
            self._validators[key] = self._book.validator(schema, base) if schema else None
        validator = self._validators[key]
        if sample.method == "HEAD":
            return set()
        if validator is None:
            return {f"a body with {sample.status} is not declared"} if sample.body is not None else set()
        return {_unlisted(each) for each in deviations(validator, sample.body)}

    @cached_property
    def azure_strays(self) -> dict[str, set[str]]:
        """The deviations of Azure's own answers, by document."""
        found: dict[str, set[str]] = defaultdict(set)
        listed = json.loads((REFERENCE / "arm_traffic/_deviations_from_swagger.json").read_text())
        for category in listed.values():
            found[family(category["spec"])] |= {_unlisted(each) for each in category["deviations"]}
        for sample in recorded_samples():
            operation = self.operation(sample)
            if operation is not None:
                found[operation.family] |= self.deviations(operation, sample)
        return found


def _date(version: str) -> str:
    match = DATE.match(version)
    return match.group().zfill(10) if match else "9999"


def _unlisted(deviation: str) -> str:
    """Wrong in a list is as wrong as wrong alone."""
    return deviation.removeprefix("value.[].").removeprefix("value.[]")


def recorded_samples() -> Iterable[Sample]:
    """Everything that was recorded, single records and sequences."""
    folder = REFERENCE / "arm_traffic"
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            yield _sample(path.stem, json.loads(line))
    for path in sorted((folder / "sequences").glob("*.json")):
        for raw in json.loads(path.read_text())["interactions"]:
            yield _sample(path.stem, raw)


def _sample(source: str, raw: dict[str, Any]) -> Sample:
    row = interaction(source, {**raw, "index": raw.get("index", 0)})
    return Sample(row.method, row.path, raw.get("api_version") or "", row.status, row.body)


def is_known(document: str, deviation: str) -> bool:
    """Whether strays.json gives a reason: habits of Azure that are known from elsewhere than the recordings."""
    return any(matches(each["document"], document) and matches(each["deviation"], deviation) for each in STRAYS)


@dataclass
class Audit:
    """What a run's answers came to."""

    answers: int
    operations: int
    unknown: dict[str, int]  # answers without a document, by method and type
    wrong: list[str]


def audit(specs: Specs, samples: Iterable[Sample]) -> Audit:
    """Hold every answer to its document."""
    used: set[Operation] = set()
    result = Audit(0, 0, {}, [])
    for sample in samples:
        operation = specs.operation(sample)
        if operation is None:
            label = f"{sample.method} {resource_type(sample.path)}"
            result.unknown[label] = result.unknown.get(label, 0) + 1
            continue
        result.answers += 1
        used.add(operation)
        strays = specs.deviations(operation, sample) - specs.azure_strays[operation.family]
        for each in sorted(each for each in strays if not is_known(operation.family, each)):
            line = f"{sample.method} {sample.path} ({sample.version}, {sample.status}): {each}"
            result.wrong.append(line)
    result.operations = len(used)
    return result


def written(folder: Path) -> Iterable[Sample]:
    """The answers that the simulators of a run wrote down."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            yield Sample(**json.loads(line))
