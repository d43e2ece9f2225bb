"""The workbook's queries over what the service and vaults really log: each shows the figure that the console shows."""

import logging

import pytest

from infra.assemble import alerts, workbook
from shared.core.choices import Mode
from shared.core.figures.kpi import kpis
from shared.core.prices import prices
from shared.flow.evaluate import evaluate
from shared.flow.figures import figures
from shared.flow.say import line
from shared.flow.sweep import sweep
from tests.fakes import World, vault_body, vault_id
from tests.flow.conftest import evaluation, run
from tests.infra.kql import engine
from tests.infra.kql.logs import Row, ago, dedicated, traces

PRICES = prices("currency=EUR,RSA-2048=0/month+0.03/10000")
QUERIES = {it["name"]: workbook.query(it, alerts.source) for it in workbook.items()}


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> World:
    """Three vaults: one right, one put right after ten minutes, one that waits for an answer."""
    caplog.set_level(logging.INFO)
    world = World(goals={"compliance": 95}, prices=PRICES)
    for n in range(3):
        world.arm.put(vault_body(f"kv-{n}", enablePurgeProtection=n == 0 or None))
    for n in range(2):
        evaluate(world, evaluation(world, vault_id(f"kv-{n}")))
    world.clock.advance(600)
    run(world)
    world.choices = World(mode=Mode.APPROVE, goals={"compliance": 95}, prices=PRICES).choices
    evaluate(world, evaluation(world, vault_id("kv-2")))
    run(world)
    sweep(world)
    run(world)
    world.clock.advance(86_400)
    sweep(world)
    run(world)
    return world


def _logged(world: World, caplog: pytest.LogCaptureFixture) -> list[Row]:
    """Return the lines of two nights: an older one with other figures, and that of now."""
    figures(world)
    rows = traces(caplog.records)
    old = [{**row, "TimeGenerated": ago(days=3)} for row in rows if "verb=kpi id=compliance" in row["Message"]]
    return [*[{**row, "Message": row["Message"].replace("value=66.6", "value=10.0")} for row in old], *rows]


def test_figures_are_those_of_the_console(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The last of each, with its goal; what nobody can know is unknown, and never a zero."""
    found = {row["Figure"]: row for row in engine.run(QUERIES["kpis"], {"AppTraces": _logged(world, caplog)})}
    last = world.figures.latest()
    assert last
    expected = {it.id: it.whole for it in kpis(last, world.choices.goals)}

    assert found.keys() == expected.keys()
    assert found["compliance"]["Goal"] == "95"
    assert {name: row["Value"] for name, row in found.items()} == {
        name: ("at least " if it.lacking else "") + ("unknown" if it.value is None else str(it.value))
        for name, it in expected.items()
    }
    assert found["rotation"]["Value"] == "unknown"


def test_trends_have_a_point_a_day(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Percent, hours and counts as numbers, the latest of each day."""
    logs = {"AppTraces": _logged(world, caplog)}
    compliance = engine.run(QUERIES["compliance"], logs)
    times = {row["Figure"]: row["Hours"] for row in engine.run(QUERIES["times"], logs)}
    waiting = engine.run(QUERIES["waiting"], logs)
    missed = {row["Figure"]: row["Count"] for row in engine.run(QUERIES["missed"], logs)}
    last = world.figures.latest()
    assert last
    pace = last.pace()
    assert pace.remedied

    assert [(row["Figure"], row["Percent"]) for row in compliance] == [("compliance", 10.0), ("compliance", 66.6)]
    assert times == {"remediation": pytest.approx(pace.remedied.mean / 3600)}
    assert [(row["Waiting"], row["Expired"]) for row in waiting] == [(1, 0)]
    assert missed == {"open": 1.0, "reopened": 0.0, "missed": 0.0}


def test_an_amount_has_its_currency_and_says_what_is_lacking() -> None:
    """A part is never shown as the whole; the latest of a day counts."""
    texts = [
        line("kpi", id="cost", value=value, unit="EUR", goal="", lacking=lacking, parts="vaults:2")
        for value, lacking in ((1.5, ""), (0.25, "1 vault: nobody could ask"))
    ]
    rows = [{"TimeGenerated": ago(minutes=9 - n), "Message": text} for n, text in enumerate(texts)]
    (shown,) = engine.run(QUERIES["kpis"], {"AppTraces": rows})
    amounts = [(row["Currency"], row["Cost"]) for row in engine.run(QUERIES["cost"], {"AppTraces": rows})]

    assert (shown["Value"], shown["Unit"]) == ("at least 0.25", "EUR")
    assert amounts[-1] == ("EUR", 0.25)


def test_what_was_done_is_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A bar for each verb and day."""
    rows = [*traces(caplog.get_records("setup")), *_logged(world, caplog)]
    found = engine.run(QUERIES["done"], {"AppTraces": rows})

    assert {(row["verb"], row["Count"]) for row in found} == {("wrote", 1), ("resolved", 1)}


def test_the_last_alarms_are_listed(caplog: pytest.LogCaptureFixture) -> None:
    """Newest first; a notice that nobody has to be woken for is not among them."""
    caplog.set_level(logging.INFO)
    world = World(writes_per_hour=1, share=100)
    for n in range(2):
        world.arm.put(vault_body(f"kv-{n}"))
        evaluate(world, evaluation(world, vault_id(f"kv-{n}")))
    run(world)
    (found,) = engine.run(QUERIES["alarms"], {"AppTraces": traces(caplog.records)})

    assert sum("verb=notice" in line for line in caplog.messages) == 2
    assert (found["control"], found["decision"]) == ("KV-RECOVERY", "WritesPerHour")


def test_operations_are_counted_by_vault_and_caller() -> None:
    """Handshakes and notices are not billed."""
    calls = [
        dedicated(name, "a") for name in ("KeyGet", "KeyGet", "Authentication", "KeyNearExpiryEventGridNotification")
    ]
    denied = dedicated("KeyGet", "b", HttpStatusCode=403)
    logs = {"AZKVAuditLogs": [*calls, denied]}
    (billed,) = engine.run(QUERIES["operations"], logs)
    callers = engine.run(QUERIES["callers"], logs)

    assert (billed["Vault"], billed["Operations"]) == (vault_id().lower(), 3)
    assert [(row["Principal"], row["Operation"], row["Operations"], row["Denied"]) for row in callers] == [
        ("a", "KeyGet", 2, 0),
        ("b", "KeyGet", 1, 1),
    ]  # fmt: skip
