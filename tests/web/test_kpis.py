"""Figures over the API and on their page: the same everywhere, nothing invented, what is foreign harmless."""

from dataclasses import replace
from datetime import date, timedelta

from cli.commands.figures import _row as row
from remediators import REMEDIATORS
from shared.core.figures.census import Count
from shared.core.figures.figures import Point
from shared.core.figures.kpi import Unit, Value
from shared.core.figures.reading import Reading, midnight
from shared.core.prices import prices
from shared.flow.evaluate import evaluate
from shared.web.console import charts
from shared.web.console.overview import text
from tests.bricks import key_body
from tests.fakes import World, vault_body, vault_id, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.moving import plain_workspace
from tests.web.console import Browser
from tests.web.entry import Entry, token

HOSTILE = "<script>alert(1)</script>\u202e"


def lived(entry: Entry) -> World:
    """Let things happen: one vault put right by itself, one that waits, with tags that nobody should believe."""
    world = entry.world
    world.choices = replace(world.choices, auto_scope=(vault_id("kv-auto").lower(),), goals={"compliance": 95})
    tags = {"cmk-vault": "true", "environment": "prod", "owner": HOSTILE, "cost-center": "4711"}
    for name in ("kv-auto", "kv-asks"):
        world.arm.put(vault_body(name, tags))
        evaluate(world, evaluation(world, vault_id(name)))
        run(world)
    evaluate(world, evaluation(world, vault_id("kv-auto")))
    return world


def test_the_api_says_every_figure_with_what_it_means() -> None:
    """Values and their parts, where they lead, and the goal; what nobody can know is null, with the reason."""
    entry = Entry()
    lived(entry)
    found = entry.call("GET", "/api/kpis", token("Reader")).json()
    by_id = {it["id"]: it for it in found["kpis"]}

    assert (found["targets"], found["rows"], len(found["trend"])) == (2, 2, 1)
    assert all(it["title"] and it["definition"] and it["source"] for it in found["kpis"])
    compliance = by_id["compliance"]
    assert (compliance["value"], compliance["goal"], compliance["unit"]) == (50.0, 95, "percent")
    assert compliance["parts"] == {"compliant": 1, "noncompliant": 1, "unknown": 0}
    groups = {(it["by"], it["key"]): it for it in compliance["groups"]}
    assert groups["estate", "production"]["value"] == 50.0
    assert groups["cost-center", "4711"]["link"] == "/estate?q=4711"
    assert groups["owner", HOSTILE]["parts"]["compliant"] == 1
    assert by_id["remediation"]["parts"]["count"] == 1
    assert (by_id["automatic"]["value"], by_id["open"]["value"]) == (100.0, 1.0)
    assert by_id["approval"]["parts"] == {"waiting": 1, "expired": 0}
    for name in ("approval", "missed", "rotation"):
        assert by_id[name]["value"] is None
        assert by_id[name]["unknown"]
    assert by_id["rotation"]["unknown"] == "KEY-ROTATION has judged nothing yet"


def test_a_version_that_one_has_is_not_sent_again() -> None:
    """Until the figures are made anew."""
    entry = Entry()
    world = lived(entry)
    first = entry.call("GET", "/api/kpis", token("Reader"))
    tag = first.headers["etag"]
    same = entry.call("GET", "/api/kpis", token("Reader"), if_none_match=tag)
    world.clock.advance(3600)
    other = entry.call("GET", "/api/kpis", token("Reader"), if_none_match=tag)

    assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
    assert other.status == 200
    assert other.headers["etag"] != tag


def test_the_groups_and_days_that_were_asked_for() -> None:
    """One kind of group, some days of the trend; what is no kind, no day or no parameter is refused by name."""
    entry = Entry()
    world = lived(entry)
    for _ in range(3):
        entry.call("GET", "/api/kpis", token("Reader"))
        world.clock.advance(86_400)
    some = entry.call("GET", "/api/kpis?from=2026-11-25&to=2026-11-26&by=cost-center", token("Reader")).json()

    assert [it["day"] for it in some["trend"]] == ["2026-11-25", "2026-11-26"]
    assert {group["by"] for it in some["kpis"] for group in it["groups"]} == {"cost-center"}
    for query, reason in (
        ("by=colour", "BadGrouping"), ("from=yesterday", "BadDay"), ("to=2026-02-30", "BadDay"),
        ("to=", "BadDay"), ("by=", "BadGrouping"), ("x=1", "UnknownParameter"),
    ):  # fmt: skip
        answer = entry.call("GET", f"/api/kpis?{query}", token("Reader"))
        assert (answer.status, answer.reason) == (400, reason)


def test_while_others_make_the_first_ones() -> None:
    """Nothing is shown in their place: the API says when to come back, and so does the page."""
    entry = Entry()
    world = entry.world
    assert world.figures.claim(world.clock.now(), timedelta(minutes=15))
    answer = entry.call("GET", "/api/kpis", token("Reader"))

    assert (answer.status, answer.reason, answer.headers["retry-after"]) == (503, "NoFiguresYet", "5")
    assert Browser(entry).get("/overview").status == 503


def test_the_page_says_what_the_api_says() -> None:
    """Every figure with its meaning; hostile tags as words; each link leads to a page with what is behind it."""
    entry = Entry()
    lived(entry)
    browser = Browser(entry)
    page = browser.read("/overview")

    for it in entry.call("GET", "/api/kpis", token("Reader")).json()["kpis"]:
        assert it["title"] in page.text
        assert it["definition"] in page.text
        assert not it["unknown"] or it["unknown"][1:] in page.text
    assert "50 %" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text
    assert "style" not in {name for name, _ in page.attributes} | set(page.tags)
    down = sorted({it for it in page.links if it.startswith(("/estate", "/history", "/?"))})
    assert any("control=KV-RECOVERY" in it for it in down)
    for link in down:
        assert browser.get(link).status == 200
    assert "kv-asks" in browser.read("/estate?kind=vaults&q=4711").text
    assert browser.get("/overview?x=1").status == 400
    assert browser.get("/overview?from=never").status == 400


def test_an_empty_estate_is_unknown_and_not_zero() -> None:
    """The first page of a new installation invents nothing."""
    page = Browser(Entry()).read("/overview")

    assert page.text.count("unknown") >= 5
    assert "0 %" not in page.text.replace("100 %", "")


def test_values_as_people_read_them() -> None:
    """Two units of a time, the larger first; a tenth of a percent where there is one; never a number for what is unknown."""
    times = {0: "0 s", 59: "59 s", 61: "1 min 1 s", 3_600: "1 h", 3_660: "1 h 1 min", 90_000: "1 d 1 h", 86_405: "1 d"}

    assert {it: text(it, Unit.SECONDS) for it in times} == times
    assert (text(99.9, Unit.PERCENT), text(100.0, Unit.PERCENT), text(0.0, Unit.PERCENT)) == ("99.9 %", "100 %", "0 %")
    assert (text(12_345, Unit.COUNT), text(None, Unit.COUNT)) == ("12,345", "unknown")


def test_lines_of_the_trend_are_broken_where_nothing_is_known() -> None:
    """Days without figures are no line; a day by itself is a dot; the scale is that of the frame."""
    known = {0: Count(1, 1), 1: Count(1), 2: Count(), 4: Count(3, 1)}
    points = [Point(f"2026-11-{day + 1:02}", count, Count(), 0, None) for day, count in known.items()]
    drawn = charts.trend(points, date(2026, 11, 1), date(2026, 11, 5), 95)
    production, estate = drawn.lines

    assert (production.pieces, production.dots) == ((), ())
    assert estate.pieces == ("44.0,122.0 189.5,14.0",)
    assert estate.dots == ((189.5, 14.0), (626.0, 68.0))
    assert drawn.goal == 24.8


def test_bars_are_as_long_as_what_they_count() -> None:
    """Together as long as the drawing is wide; nothing judged is no bar."""
    parts = {"compliant": 1, "noncompliant": 2, "unknown": 1}
    drawn = charts.bars([Value("control", "A", 25.0, parts=parts), Value("control", "", None, "nothing")])

    assert [(it.kind, it.x, it.width) for it in drawn.bars[0].parts] == [
        ("compliant", 0.0, 160.0), ("unknown", 160.0, 160.0), ("noncompliant", 320.0, 320.0),
    ]  # fmt: skip
    assert (drawn.bars[1].parts, drawn.bars[1].name, drawn.bars[1].figure) == ((), "no tag", "unknown")


def spent(entry: Entry) -> World:
    """Let a workspace with a vault of its own and a key in it be looked at, and a vault that nobody may ask after."""
    world = lived(entry)
    world.remediators = REMEDIATORS
    world.choices = replace(world.choices, prices=prices("currency=EUR,RSA-3072=1.5/month+0.15/10000"))
    path = f"{vault_id('kv-auto')}/keys/k".lower()
    body = key_body(path, "kv-auto", "k", world.clock.now() - timedelta(days=400), "1" * 32)
    world.arm.resources[path] = world.arm.resources[f"{path}/versions/{'1' * 32}"] = body
    at = {"keyVaultUri": "https://kv-auto.vault.azure.net/", "keyName": "k", "keyVersion": "1" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at}
    world.arm.put(plain_workspace("dbw-one", encryption={"entities": {"managedServices": entity}}))
    evaluate(world, evaluation(world, workspace_id("dbw-one")))
    until = midnight(world.clock.now())
    world.figures.note(Reading(vault_id("kv-auto").lower(), until, 12_345))
    world.figures.note(Reading(vault_id("kv-asks").lower(), until, None, f"AuthorizationFailed: {HOSTILE}"))
    return world


def test_what_keys_cost_is_said_with_what_is_missing() -> None:
    """1.5 and 12,345 x 0.000015, rounded down once; the sum is at least so much, the trend has none, ages beside it."""
    entry = Entry()
    spent(entry)
    found = entry.call("GET", "/api/kpis", token("Reader")).json()
    cost, age = ({it["id"]: it for it in found["kpis"]}[name] for name in ("cost", "age"))
    groups = {(it["by"], it["key"]): it for it in cost["groups"]}
    own = groups["workspace", workspace_id("dbw-one")]

    assert (cost["value"], cost["currency"], cost["unit"], cost["unknown"]) == (1.6851, "EUR", "money", "")
    assert cost["lacking"].startswith("kv-asks (AuthorizationFailed: ")
    assert (own["value"], own["lacking"], own["link"]) == (1.6851, "", "/estate?kind=workspaces&q=dbw-one")
    assert groups["vault", vault_id("kv-asks")]["value"] is None
    assert groups["cost-center", "4711"]["parts"] == {"vaults": 1, "unknown": 1, "calls": 12_345, "keys": 1}
    assert [(it["cost"], it["currency"], it["age"]) for it in found["trend"]] == [(None, "EUR", 0.0)]
    assert (age["value"], age["parts"]["old"], age["parts"]["oldest"]) == (0.0, 1, 400 * 86_400)
    assert found["costs_left_out"] == {}
    only = entry.call("GET", "/api/kpis?by=workspace", token("Reader")).json()["kpis"]
    assert {it["by"] for kpi in only for it in kpi["groups"]} == {"workspace"}


def test_what_keys_cost_is_on_the_page() -> None:
    """The tile says at least, the tables what each costs or why not; nothing foreign is alive."""
    entry = Entry()
    spent(entry)
    browser = Browser(entry)
    page = browser.read("/overview")

    assert "at least 1.6851 EUR" in page.text
    assert "Without kv-asks (AuthorizationFailed: <script>alert(1)</script>" in page.text
    assert "Key cost by workspace" in page.text
    assert "\u202e" not in page.text
    for link in {it for it in page.links if it.startswith("/estate?kind=")}:
        assert browser.get(link).status == 200


def test_money_as_people_read_it() -> None:
    """Four digits, thousands apart; unknown stays a word, and so on the command line."""
    kpi = {"id": "cost", "title": "Key cost", "unit": "money", "currency": "EUR", "goal": None}
    value = {"key": "all", "value": 1234.5, "unknown": "", "lacking": "kv-a (why)", "parts": {"calls": 3}}

    assert text(1234.5, Unit.MONEY) == "1,234.5000"
    assert row(kpi, value) == ("Key cost", "all", "at least 1234.5000 EUR, without kv-a (why)", "", "calls 3")
    assert row(kpi, {**value, "value": None, "unknown": "why", "lacking": ""})[2] == "unknown: why"
