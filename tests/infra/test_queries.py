"""Every query of alerts and workbook is one to the official parser and binder, and the evaluator of the tests is no liar."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.assemble import alerts, workbook
from simulator.arm.kql.lexer import Invalid
from tests.infra.kql import engine, official, rules

QUERIES = {
    **{f"alert {name}": rules.text(name) for name in rules.names()},
    **{f"workbook {it['name']}": workbook.query(it, alerts.source) for it in workbook.items()},
}
FAULTS = {
    "a column that no table has": ("Lines\n| where verb ==", "Lines\n| where verbs =="),
    "a table that is not there": ("AppTraces", "AppTrace"),
    "a function that is not there": ("startswith", "where startwith("),
    "a bracket too few": ("(pair_delimiter", "pair_delimiter"),
    "a key that is a word of the language": ("role: string", "kind: string"),
    "an operator that is not there": ("| project", "| projct"),
}
TIME = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def verdicts() -> dict[str, list[str]]:
    """What the official parser says of all queries, and of one of them with each fault planted: asked once."""
    planted = {why: rules.text("failed").replace(old, new, 1) for why, (old, new) in FAULTS.items()}
    return official.problems({**QUERIES, **planted})


@pytest.mark.parametrize("name", QUERIES)
def test_the_official_parser_has_nothing_to_say(name: str, verdicts: dict[str, list[str]]) -> None:
    """Tables and columns are those of Azure's reference: an unknown one, like an unknown function, is an error."""
    assert verdicts[name] == []


@pytest.mark.parametrize("why", FAULTS)
def test_a_planted_fault_is_found(why: str, verdicts: dict[str, list[str]]) -> None:
    """The check can fail."""
    assert FAULTS[why][0] in rules.text("failed")
    assert verdicts[why]


@pytest.mark.parametrize("why", FAULTS)
def test_our_own_evaluator_refuses_them_too(why: str) -> None:
    """All but the word that only the official grammar reserves."""
    query = rules.text("failed").replace(*FAULTS[why], 1)
    if why == "a key that is a word of the language":
        return
    with pytest.raises(Invalid):
        engine.run(query, {})


@pytest.mark.parametrize("name", QUERIES)
def test_a_log_without_a_row_is_no_error(name: str) -> None:
    """On the first day no table has anything."""
    assert engine.run(QUERIES[name], {}) == ([{"What": "nothing is logged at all"}] if name == "alert late" else [])


@pytest.mark.parametrize("name", [*rules.names(), *(it["name"] for it in workbook.items())])
def test_each_file_begins_with_what_it_finds(name: str) -> None:
    """One query a file; its first line is a comment."""
    folders = (alerts.HERE, workbook.HERE)
    (text, *_) = [path.read_text() for folder in folders if (path := folder / f"{name}.kql").exists()]

    assert text.startswith("// ")
    assert len(text.splitlines()[0]) < 140


def test_no_query_lies_about_unused() -> None:
    """Every file is in a list, and every list names files."""
    for folder, listed in ((alerts.HERE, rules.names()), (workbook.HERE, [it["name"] for it in workbook.items()])):
        assert sorted(path.stem for path in folder.glob("*.kql")) == sorted(listed)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("verb=failed reason=ScopeLocked", ("failed", "ScopeLocked")),
        ('verb=failed reason="a b"', ("failed", "a b")),
        ('verb=failed message="x" reason=""', ("failed", "")),
        ('verb=failed message="he said \\" reason=forged" reason=true', ("failed", "true")),
        ("verb=failed reason=first reason=second", ("failed", "first")),
        ("verb=failed", ("failed", "")),
        ("verb=failed reasons=x", ("failed", "")),
    ],
)
def test_a_line_is_taken_apart(line: str, expected: tuple[str, str]) -> None:
    """As the page on parse-kv says: quotes hold delimiters, the first of a key counts, one that is missing is empty."""
    rows = engine.run(alerts.source("lines") + "Lines | project verb, reason", _lines(line))

    assert [(row["verb"], row["reason"]) for row in rows] == [expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("let A = AppTraces; A | join kind=leftsemi (A | where Message == 'a') on Message | count", [{"Count": 1}]),
        ("let A = AppTraces; A | join kind=leftanti (A | where Message == 'a') on Message | project Message", [{"Message": "b"}]),
        ("union isfuzzy=true (AppTraces | project Message), (AZKVAuditLogs | project Message = Id) | count", [{"Count": 2}]),
        ("AppTraces | where Message == 'a' | project X = column_ifexists('Mesage', 'none')", [{"X": "none"}]),
        ("AppTraces | where Message == 'a' | project X = column_ifexists('Message', 'none')", [{"X": "a"}]),
        ("let n = 1; AppTraces | summarize N = count() by Message | where N > n", []),
    ],
)  # fmt: skip
def test_what_log_analytics_has_besides(query: str, expected: list[dict[str, object]]) -> None:
    """Each operator of the evaluator that Resource Graph does not know, by hand."""
    assert engine.run(query, _lines("a", "b")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "AppTraces | join kind=inner (AppTraces) on Message",
        "AppTraces | join kind=leftanti (AppTraces) on Mesage",
        "AppTraces | parse-kv Message as (a: long) with (pair_delimiter=' ', kv_delimiter='=', quote='\"', escape='\\\\')",
        "AppTraces | parse-kv Message as (a: string) with (pair_delimiter=',', kv_delimiter='=')",
        "union (AppTraces), (AppTraces)",
        "union isfuzzy=true (AppTraces), (AZKVAuditLogs)",
        "AppTraces | make-series count() on TimeGenerated step 1h",
        "AppTraces | take 1 take 2",
    ],
)
def test_what_is_not_understood_is_refused(query: str) -> None:
    """An evaluator that guesses would prove nothing."""
    with pytest.raises(Invalid):
        engine.run(query, _lines("a"))


def _lines(*messages: str) -> dict[str, list[dict[str, object]]]:
    rows = [{"TimeGenerated": TIME + timedelta(seconds=n), "Message": it} for n, it in enumerate(messages)]
    return {"AppTraces": rows}
