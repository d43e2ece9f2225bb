"""Two views of one app, by names alone: what the code says it needs, and what the templates deploy; and where they differ."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.assemble.settings import AZURES, LEFT
from shared.settings import SETTINGS
from tests.infra.judges.cases import Case, expanded
from tests.reference import ROOT

Roles = dict[str, dict[str, Any]]
STORAGE = "Microsoft.Storage/storageAccounts"
FIRST_DAY = Case("app.json", "as small as it gets")


@dataclass
class Coded:
    """What the code says."""

    settings: set[str] = field(default_factory=lambda: {it.name for it in SETTINGS})
    placeholders: set[str] = field(default_factory=set)  # settings that the host itself looks up: %NAME%
    triggers: dict[str, str] = field(default_factory=dict)  # function -> part
    events: set[str] = field(default_factory=set)  # functions that Event Grid calls
    queues: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    roles: Roles = field(default_factory=dict)


@dataclass
class Deployed:
    """What the templates make."""

    settings: dict[str, dict[str, str]] = field(default_factory=dict)  # part -> its app settings
    events: set[str] = field(default_factory=set)  # functions that event subscriptions name
    queues: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    roles: Roles = field(default_factory=dict)


def coded() -> Coded:
    """Read the code: function_app.py for triggers, the adapters for tables, infra/roles for roles."""
    found = Coded()
    for function, part, trigger, queues in _functions():
        found.triggers[function] = part
        found.queues |= queues
        if trigger == "event_grid_trigger":
            found.events.add(function)
    found.placeholders = set(re.findall(r"%(\w+)%", (ROOT / "function_app.py").read_text()))
    for path in sorted((ROOT / "shared/adapters").rglob("*.py")):
        found.tables |= set(_tables(path))
    for path in sorted((ROOT / "infra/roles").glob("*.json")):
        file = json.loads(path.read_text())
        found.roles[file["Name"]] = {key: file[key] for key in ACTIONS} | {"Description": file["Description"]}
    return found


def deployed() -> Deployed:
    """Expand the templates and read what they make."""
    found = Deployed()
    for resource in expanded(FIRST_DAY).resources:
        name = resource.body["name"].split("/")
        if resource.kind == "Microsoft.Web/sites/config" and name[-1] == "appsettings":
            settings = resource.body["properties"]
            found.settings[settings["CMK_PART"]] = settings
        if resource.kind == f"{STORAGE}/queueServices/queues":
            found.queues.add(name[-1])
        if resource.kind == f"{STORAGE}/tableServices/tables":
            found.tables.add(name[-1])
    for template, sentence in (("subscription.json", "written to"), ("vault.json", "second phase")):
        for resource in expanded(Case(template, sentence)).resources:
            if resource.kind == "Microsoft.EventGrid/systemTopics/eventSubscriptions":
                found.events.add(resource.body["properties"]["destination"]["properties"]["resourceId"].split("/")[-1])
    for resource in expanded(Case("roles.json", "two more")).resources:
        it = resource.body["properties"]
        found.roles[it["roleName"]] = {
            **{key: it["permissions"][0][key[0].lower() + key[1:]] for key in ACTIONS},
            "Description": it["description"],
        }
    return found


ACTIONS = ("Actions", "NotActions", "DataActions", "NotDataActions")


def differences(code: Coded, azure: Deployed) -> list[str]:
    """Return a line for each thing that is on one side alone."""
    left = {name for names in LEFT.values() for name in names}
    is_set = {name for settings in azure.settings.values() for name in settings} - set(AZURES)
    return [
        *_both("setting", code.settings - left, is_set),
        *(f"setting {name}: is set, and said to be left at its default" for name in sorted(left & is_set)),
        *(f"setting {name}: is left at its default, and no code reads it" for name in sorted(left - code.settings)),
        *(
            f"setting {name}: the host of front looks it up for its timers"
            for name in sorted(code.placeholders - set(azure.settings["front"]))
        ),
        *_both("function of an event", code.events, azure.events),
        *(f"function {name}: is none of front" for name in sorted(azure.events) if code.triggers.get(name) != "front"),
        *_both("queue", code.queues | {f"{it}-poison" for it in code.queues if "poison" not in it}, azure.queues),
        *_both("table", code.tables, azure.tables),
        *_both("part", set(code.triggers.values()), set(azure.settings)),
        *_both("role", set(code.roles), set(azure.roles)),
        *(
            f"role {name}: {key} is {azure.roles[name][key]}, not {wanted[key]}"
            for name, wanted in code.roles.items()
            if name in azure.roles
            for key in wanted
            if azure.roles[name][key] != wanted[key]
        ),
    ]


def _both(what: str, in_code: set[str], in_azure: set[str]) -> Iterator[str]:
    yield from (f"{what} {name}: the code has it, no template" for name in sorted(in_code - in_azure))
    yield from (f"{what} {name}: a template has it, no code" for name in sorted(in_azure - in_code))


def _functions() -> Iterator[tuple[str, str, str, set[str]]]:
    """Yield each function of function_app.py: its name, its part, its trigger, and the queues that it names."""
    for node in ast.parse((ROOT / "function_app.py").read_text()).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        calls = [it for it in node.decorator_list if isinstance(it, ast.Call) and isinstance(it.func, ast.Attribute)]
        marks = [(it.func, it) for it in calls if isinstance(it.func, ast.Attribute)]
        triggers = [(mark, call) for mark, call in marks if mark.attr.endswith("_trigger") or mark.attr == "route"]
        if not triggers:
            continue
        queues = {
            str(word.value.value)
            for _, call in marks
            for word in call.keywords
            if word.arg == "queue_name" and isinstance(word.value, ast.Constant)
        }
        where = triggers[0][0]
        assert isinstance(where.value, ast.Name)
        yield node.name, where.value.id, where.attr, queues


def _tables(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Table":
            name = node.args[1]
            assert isinstance(name, ast.Constant), path
            yield str(name.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_table_client":
            name = node.args[0]
            if path.name != "tables.py":
                assert isinstance(name, ast.Constant), path
                yield str(name.value)
