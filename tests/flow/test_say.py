"""The log lines: whole, unforgeable, with the keys that docs/operations.md promises, and without anybody's claims."""

import logging
import re
from pathlib import Path

import pytest

from shared.core.errors import Denied, Temporary
from shared.flow import say as said
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.receive import receive
from shared.flow.sweep import sweep
from tests.fakes import NOON, World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.conftest import delivery, evaluation, run

_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[\w.:/@+-]+)(?: |$)')


def _keys(line: str) -> list[str]:
    pairs = _PAIR.findall(line)
    assert "".join(f"{key}={value} " for key, value in pairs).strip() == line, f"not key=value: {line!r}"
    return [key for key, _ in pairs]


def _promised() -> dict[str, list[str]]:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page.partition("## The log")[2], re.MULTILINE)
    return {verb: re.findall(r"`(\w+)`", keys) for verb, keys in rows}


@pytest.mark.parametrize("value", ["a b", 'x"y', "line\nfeed", "state=resolved", "", "\u017f\u2028", "\ud800"])
def test_no_value_can_end_a_line_or_forge_a_key(value: str) -> None:
    """Whatever a value holds, the line stays one line and its keys stay those that the verb gave."""
    line = said.line("noted", value=value, after="x")

    assert _keys(line) == ["verb", "value", "after"]
    assert line.isascii()
    assert len(line.splitlines()) == 1


def test_each_verb_logs_the_keys_it_promises(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Drive every branch that speaks; no line has a key that its row in docs/operations.md does not list."""
    caplog.set_level(logging.DEBUG)
    world.arm.put(vault_body(), workspace_body())
    receive(world, '{"eventType": "x"}')
    evaluate(world, delivery("{}", NOON))
    evaluate(world, evaluation(world, workspace_id()))
    evaluate(world, evaluation(world, attempt=9))
    world.arm.failures["read"].append(Temporary("Http503", "down"))
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    world.arm.failures["read"].append(Denied("AuthorizationFailed", "no"))
    run(world)
    drain(world, "apply", delivery("{}", NOON))
    sweep(world)
    run(world)
    promised = _promised()
    seen = set()
    for record in caplog.records:
        if record.name.startswith("cmkwarden"):
            _, *keys = _keys(record.getMessage())
            verb = record.getMessage().split()[0].removeprefix("verb=")
            seen.add(verb)
            assert verb in promised, f"docs/operations.md does not list {verb}"
            assert set(keys) <= set(promised[verb]), (verb, keys)

    assert {"refused", "recorded", "claimed", "writing", "wrote", "resolved", "notice", "swept", "poisoned"} <= seen


def test_no_claim_reaches_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """An event's claims stop at the door."""
    caplog.set_level(logging.DEBUG)
    receive(
        world,
        '{"eventType": "Microsoft.Resources.ResourceWriteSuccess", "id": "e", "subject": "' + vault_id() + '",'
        ' "data": {"claims": {"name": "Ada Lovelace", "ipaddr": "198.51.100.7"}}}',
    )

    assert "verb=received" in caplog.text
    assert "Ada" not in caplog.text
    assert "198.51" not in caplog.text
