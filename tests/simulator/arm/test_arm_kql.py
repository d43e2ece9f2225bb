"""The larger part of the query language: let, join, union, mv-expand, arithmetic, times, names of columns."""

import json
from typing import Any

import pytest

from simulator.arm.kql import Disallowed, Invalid, compile_query
from simulator.arm.providers.resourcegraph import TABLES as KNOWN
from tests.reference import REFERENCE, needs_reference

COLUMNS = ("id", "name", "type", "location", "subscriptionId", "tags", "properties")
TABLES = {"resources": COLUMNS, "resourcecontainers": COLUMNS, "authorizationresources": COLUMNS}
WORLD: dict[str, list[dict[str, Any]]] = {
    "resources": [
        {
            "id": "/s/1/a",
            "name": "a",
            "type": "t/v",
            "location": "eastus",
            "subscriptionId": "1",
            "tags": {"env": "prod", "team": "x"},
            "properties": {"rules": [{"n": 1}, {"n": 2}], "made": "2026-01-02T03:04:05.1234567Z", "size": 7},
        },
        {
            "id": "/s/1/b",
            "name": "b",
            "type": "t/v",
            "location": "westeurope",
            "subscriptionId": "1",
            "tags": None,
            "properties": {"rules": [], "made": "2026-03-02T00:00:00Z", "size": 2},
        },
        {
            "id": "/s/2/c",
            "name": "c",
            "type": "t/w",
            "location": "eastus",
            "subscriptionId": "2",
            "tags": {"env": "test"},
            "properties": {"on": True},
        },
    ],
    "resourcecontainers": [
        {"id": "/s/1", "name": "one", "type": "sub", "subscriptionId": "1", "properties": {}},
        {"id": "/s/3", "name": "three", "type": "sub", "subscriptionId": "3", "properties": {}},
    ],
    "authorizationresources": [],
}


def run(query: str) -> list[dict[str, Any]]:
    """All rows."""
    return compile_query(query, TABLES).run(lambda table: WORLD[table])


def values(query: str) -> list[list[Any]]:
    """All rows, without the names."""
    return [list(row.values()) for row in run(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resources | where name matches regex '^[ab]$' | project name", [["a"], ["b"]]),
        ("resources | where name matches regex @'^/' | project name", []),
        ("resources | project x = 1 + 2 * 3 - 4 | take 1", [[3]]),
        (
            "resources | project x = (1 + 2) * 3, y = 7 / 2, z = 7 % 4, w = 7 / 2.0, v = 1 / 0 | take 1",
            [[9, 3, 3, 3.5, None]],
        ),
        ("resources | project x = -array_length(properties.rules) | take 1", [[-2]]),
        ("resources | extend l = split(id, '/') | project x = l[array_length(l) -1]", [["a"], ["b"], ["c"]]),
        ("resources | project tostring(split(id, '/')[-1]) | take 1", [["a"]]),
        ("resources | where properties.size between (2 .. 5) | project name", [["b"]]),
        ("resources | where tostring(tags) has_any ('prod', 'test') | project name", [["a"], ["c"]]),
        ("resources | where name contains_cs 'A' | count", [[0]]),
        ("resources | project case(name == 'a', 1, name == 'b', 2, 3)", [[1], [2], [3]]),
        ("resources | project substring('abcdef', 1, 2) | take 1", [["bc"]]),
        ("resources | project tobool(properties.on), toint('7') | where properties_on", [[True, 7]]),
        ("resources | project x = dynamic({'a': [1, null, \"b\"]}).a[2] | take 1", [["b"]]),
        ("resources | where ['type'] == 't/w' | project ['name']", [["c"]]),
        ("let wanted = 't/w'; resources | where type =~ wanted | project name", [["c"]]),
        ("let names = dynamic(['a', 'c']); resources | where name in (names) | project name", [["a"], ["c"]]),
        ("let big = resources | where properties.size > 5; big | project name", [["a"]]),
        ("resources | sort by name desc | project name | limit 1", [["c"]]),
        ("resources | order by toint(properties.size) asc nulls last | project name", [["b"], ["a"], ["c"]]),
        ("resources | order by toint(properties.size) | project name", [["a"], ["b"], ["c"]]),
        ("resources | distinct type, location", [["t/v", "eastus"], ["t/v", "westeurope"], ["t/w", "eastus"]]),
        ("resources | project-rename who = name | project who | take 1", [["a"]]),
    ],
)
def test_expressions_and_operators(query: str, expected: list[list[Any]]) -> None:
    """Values as Kusto would give them."""
    assert values(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resources | where todatetime(properties.made) > datetime(2026-02-01) | project name", [["b"]]),
        ("resources | where todatetime(properties.made) < ago(1d) | count", [[0]]),
        ("resources | where now() - 1h < now() | count", [[3]]),
        ("resources | project bin(todatetime(properties.made), 1d) | take 1", [["2026-01-02T00:00:00.0000000Z"]]),
        ("resources | project todatetime(properties.made) | take 1", [["2026-01-02T03:04:05.1234560Z"]]),
        ("resources | project datetime(2026-01-02) - datetime(2026-01-01T12:00:00Z) | take 1", [["12:00:00"]]),
        ("resources | project datetime_diff('day', datetime(2026-01-03), datetime(2026-01-01)) | take 1", [[2]]),
        ("resources | project 90m, todatetime('nonsense') | take 1", [["01:30:00", None]]),
    ],
)
def test_times(query: str, expected: list[list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Moments and spans, compared and computed; the machine's clock stands at a known day."""
    from datetime import UTC, datetime

    from simulator.arm.kql import moments

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Fixed":
            return cls(2026, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(moments, "datetime", Fixed)

    assert values(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resources | project properties.size | take 1", ["properties_size"]),
        ("resources | project tostring(tags['env']), 1, toupper(name) | take 1", ["tags_env", "Column1", "Column2"]),
        ("resources | summarize count() by tostring(tags.env), location", ["tags_env", "location", "count_"]),
        ("resources | summarize max(toint(properties.size)), make_set(name)", ["max_properties_size", "set_name"]),
        ("resources | summarize arg_max(name, location)", ["name", "location"]),
        ("resources | join kind=inner (resourcecontainers | project subscriptionId, id) on subscriptionId | take 1",
         [*COLUMNS, "subscriptionId1", "id1"]),
    ],
)  # fmt: skip
def test_columns_without_a_name_get_kustos(query: str, expected: list[str]) -> None:
    """The path with underscores, Column1, count_, and a number for what a join brings twice."""
    assert list(compile_query(query, TABLES).columns) == expected
    assert list(run(query)[0]) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("", [["a", "one"]]),
        ("kind=innerunique", [["a", "one"]]),
        ("kind=inner", [["a", "one"], ["b", "one"]]),
        ("kind=leftouter", [["a", "one"], ["b", "one"], ["c", None]]),
        ("kind=fullouter", [["a", "one"], ["b", "one"], ["c", None], [None, "three"]]),
    ],
)
def test_joins(kind: str, expected: list[list[Any]]) -> None:
    """The usual kind keeps one row of the left side for each key: whoever forgets that loses rows."""
    query = f"resources | join {kind} (resourcecontainers | project s = subscriptionId, sub = name)"
    assert values(f"{query} on $left.subscriptionId == $right.s | project name, sub") == expected


def test_unions_and_expansions() -> None:
    """Union takes the columns of both; a list gives a row for each member, an object for each name, null one row."""
    both = "resources | project name | union (resourcecontainers | project name, other = 1)"

    assert values(both) == [["a", None], ["b", None], ["c", None], ["one", 1], ["three", 1]]
    assert values("resources | union resourcecontainers | count") == [[5]]
    assert values("resources | mv-expand rule = properties.rules | project name, rule.n") == [
        ["a", 1],
        ["a", 2],
        ["c", None],
    ]
    assert values("resources | mv-expand tags | project name, tags") == [
        ["a", {"env": "prod"}],
        ["a", {"team": "x"}],
        ["b", None],
        ["c", {"env": "test"}],
    ]
    assert values("resources | mv-expand n = properties.rules limit 1 | where name == 'a' | count") == [[1]]
    assert values("resources | mv-expand r = properties.rules to typeof(string) | project r | take 1") == [['{"n":1}']]


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("resources | summarize count() by properties.size", "properties"),
        ("resources | extend p = properties.x | join (resourcecontainers) on p", "p"),
        ("resources | join kind=leftanti (resourcecontainers) on id", "kind"),
        ("resources | join (resourcecontainers) on nothing", "nothing"),
        ("resources | union resourcecontainers, resources", ","),
        ("resources | where name matches regex '('", "'('"),
        ("resources | mv-expand x = tags limit 5000", "x"),
        ("resources | project-away nothing", "nothing"),
        ("resources | extend a = make_list(name)", "make_list"),
        ("resources | summarize percentile(name, 5)", "percentile"),
        ("resources | where datetime(no) > now()", "no"),
        ("let f = (x: string) { x }; resources", "x"),
        ("resources | take 1 | resources", "resources"),
    ],
)
def test_what_is_not_there_or_not_allowed_is_refused(query: str, token: str) -> None:
    """With the place, and never with a wrong answer."""
    with pytest.raises(Invalid) as refused:
        compile_query(query, TABLES)

    assert refused.value.token.text == token


def test_a_moment_is_not_compared_with_text() -> None:
    """Kusto refuses it; so do we, when the value turns up."""
    with pytest.raises(Invalid):
        run("resources | where properties.made > datetime(2026-01-01)")


@pytest.mark.parametrize(
    "query",
    [
        "resources" + " | mv-expand tags" * 4,
        "resources" + " | union resourcecontainers" * 4,
        "resources | join (resourcecontainers) on id | join (resourcecontainers) on name",
    ],
)
def test_more_than_resource_graph_allows_is_refused(query: str) -> None:
    """Three of a kind, and no table twice on the right of a join."""
    with pytest.raises(Disallowed):
        compile_query(query, TABLES)


@needs_reference
def test_every_recorded_query_compiles() -> None:
    """What clients have really sent."""
    lines = (REFERENCE / "arm_traffic/resource_graph.jsonl").read_text().splitlines()
    bodies = [json.loads(line).get("request_body") for line in lines]
    queries = {body["query"] for body in bodies if isinstance(body, dict) and "query" in body}

    assert len(queries) > 8
    for query in queries:
        compile_query(query, KNOWN)
