"""The hand alone, as a host of its own: it says that it runs, and nobody gets in over HTTP."""

import json
from pathlib import Path

import pytest

from cli import doors
from remediators import REMEDIATORS
from shared import settings
from shared.core.checkup import Result, parts
from shared.wiring import build
from simulator.client import until
from simulator.ports import chosen
from simulator.stack import Stack

CONTROLS = tuple(it.control.id for it in REMEDIATORS)


def test_the_hand_says_that_it_runs_and_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its start on the front finds it, of the same version and with the same settings; its API is not there."""
    with Stack(chosen("random"), tmp_path / "local", {"CMK_PART": "hand"}) as stack:
        own = json.loads((tmp_path / "local/host.json").read_text())["settings"]
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, own[name])
        front = build(settings.read({**own, "CMK_PART": "front"}, CONTROLS), REMEDIATORS)
        hand = until(lambda: front.pulse.part("hand"), "the hand's word")
        seen = doors.hand(stack.facts["functions"])
        said = list(parts.judged(front.part, hand, front.clock.now()))

    assert [(it.name, it.result) for it in said] == [("parts", Result.PASS)], said
    assert (seen.result, "(404)" in seen.message) == ("warn", True)
