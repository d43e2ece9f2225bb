"""docs/deploy.md and the covers of the templates say what the templates are."""

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.build import TEMPLATES
from tests.reference import ROOT

PAGE = (ROOT / "docs/deploy.md").read_text()
WAY_OUT = (ROOT / "infra/uninstall.sh").read_text()
BICEP = (ROOT / "infra/main.bicep").read_text()


def rows(heading: str, of: int = 0) -> dict[str, list[str]]:
    """Return the rows of a table under a heading, by their first cell."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [it for it in section.split("\n\n") if it.startswith("| ")][of]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]
    return {row[0].strip(" `"): row[1:] for row in cells}


def kinds(template: dict[str, Any]) -> Iterator[str]:
    """Yield the types that a template makes, with those of its nested ones."""
    for resource in template["resources"]:
        yield resource["type"]
        properties = resource.get("properties", {})
        if isinstance(properties, dict) and "template" in properties:
            yield from kinds(properties["template"])


def test_every_template_and_every_parameter_is_explained() -> None:
    """The page has a row for each, no more, and defaults are those of the template."""
    whole = TEMPLATES["group.json"]()["parameters"] | TEMPLATES["main.json"]()["parameters"]  # type: ignore[operator]
    explained = rows("Parameters")
    plain = {name: it["defaultValue"] for name, it in whole.items() if _is_plain(it.get("defaultValue"))}
    templates = PAGE.split("\n| template | scope | makes |\n")[1].split("\n\n")[0]

    assert set(explained) == set(whole)
    assert {name: explained[name][0].strip("`") for name in plain} == {
        name: str(it).lower() if isinstance(it, bool) else str(it) for name, it in plain.items()
    }
    assert set(re.findall(r"^\| `([^`]+)`", templates, re.MULTILINE)) == set(TEMPLATES)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | bool) and value != "" and not str(value).startswith("[")


def test_everything_that_is_made_has_a_way_out() -> None:
    """Each type of each template stands in the table, and none that no template makes."""
    made = {kind for assemble in TEMPLATES.values() for kind in kinds(assemble())}
    named = {kind for row in rows("The way out").values() for kind in re.findall(r"`(Microsoft\.[^`]+)`", row[0])}

    assert named == made


def test_what_does_not_go_with_the_resource_group_goes_with_the_script() -> None:
    """Each command that a row names is one of the script's; nothing else is left to nobody."""
    for what, cells in (*rows("The way out").items(), *rows("The way out", 1).items()):
        goes = cells[-1]
        commands = re.findall(r"`(az [^`]+)`", goes)
        assert commands or goes.startswith(("with the resource group", "stays", "gone", "Azure removes")), what
        assert [it for it in commands if f"run {it}" not in WAY_OUT] == [], what


def test_what_the_app_makes_at_run_time_is_named() -> None:
    """Every action that the writer holds makes or changes something: each has its row."""
    held = [
        action
        for role in ("writer", "grants")
        for action in json.loads((ROOT / f"infra/roles/{role}.json").read_text())["Actions"]
    ]
    named = [row[0].strip("`") for row in rows("The way out", 1).values()]

    assert sorted(named) == sorted(held)


def test_every_check_that_is_named_is_there() -> None:
    """What the page says was checked, somebody can run."""
    named = re.findall(r"`pytest (tests/[\w/.]+)`", PAGE)

    assert len(named) >= 5
    assert [it for it in named if not (ROOT / it).exists()] == []


def test_bicep_passes_on_what_the_template_takes() -> None:
    """Each parameter of the cover is filled by azd, used, and known to main.json; each output is one of its."""
    whole: Any = TEMPLATES["main.json"]()
    declared = set(re.findall(r"^param (\w+)", BICEP, re.MULTILINE))
    passed = dict(re.findall(r"^    (\w+): (.+)$", BICEP, re.MULTILINE))
    filled = json.loads((ROOT / "infra/main.parameters.json").read_text())["parameters"]

    assert declared == set(filled)
    assert set(passed) <= set(whole["parameters"])
    assert all(any(re.search(rf"\b{name}\b", value) for value in passed.values()) for name in declared)
    assert set(re.findall(r"estate\.outputs\.(\w+)", BICEP)) <= set(whole["outputs"])
    assert len(BICEP.splitlines()) <= 60


def test_azd_deploys_the_code_before_the_events() -> None:
    """Its services are the tags of the two apps, and the second phase comes last."""
    plan = (ROOT / "azure.yaml").read_text()
    tags = {
        it["tags"].split("'azd-service-name', '")[1].split("'")[0]
        for it in TEMPLATES["app.json"]()["resources"]  # type: ignore[attr-defined]
        if it["type"] == "Microsoft.Web/sites"
    }
    services = re.findall(r"^  (\w+):\n    project: ", plan, re.MULTILINE)

    assert set(services) == tags
    assert re.findall(r"- azd: (\w+)", plan) == ["provision", "deploy", "deploy", "env", "provision"]
    assert re.findall(r"- azd: deploy (\w+)", plan) == services
    assert "- azd: env set CMK_SUBSCRIBE true" in plan
    assert "${CMK_SUBSCRIBE=false}" in (ROOT / "infra/main.parameters.json").read_text()
