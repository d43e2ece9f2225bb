"""The simulator does not know the product: with every belief of the product changed it answers the same."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.simulator.arm.stage import ROOT, configuration
from tests.simulator.truth.mutate import copied, mutated
from tests.simulator.truth.script import STEPS, play

# Any constant of the product would do: this one is a word that people configure.
BORROWED = "\n\nfrom shared.core.choices import VaultScope\n\nBELIEF = VaultScope.ALL.value\n"


def _answers(root: Path, folder: Path) -> list[Any]:
    """Start the simulator that lies under a root and play the script on it."""
    folder.mkdir()
    config = {**configuration(folder, 9), "answers": "", "knobs": {"workspace_seconds": 0}}
    config |= {"roles": {}, "grants": [], "definitions": []}
    path = folder / "arm.json"
    path.write_text(json.dumps(config))
    with subprocess.Popen(
        [sys.executable, "-m", "simulator.arm", "--config", str(path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            ready = json.loads(process.stdout.readline())
            return play(ready["arm"], ready["owner_token"], str(folder / "ca.pem"))
        finally:
            process.terminate()


def test_another_product_gets_the_same_answers(tmp_path: Path) -> None:
    """All constants and parsers of the product changed: nothing about the simulator is different."""
    mutation = mutated(ROOT, tmp_path / "changed")
    before = _answers(ROOT, tmp_path / "one")
    after = _answers(tmp_path / "changed", tmp_path / "two")

    assert mutation.constants > 1000
    assert mutation.parsers > 5
    assert len({answer[2] for answer in before}) >= 6  # the script sees successes and refusals of many kinds
    assert len(before) == len(STEPS)
    assert after == before


def test_a_simulator_that_borrows_a_belief_is_found_out(tmp_path: Path) -> None:
    """The check can fail: a simulator made to print a constant of the product answers otherwise."""
    answers = []
    for name, make in (("plain", copied), ("changed", mutated)):
        root = tmp_path / name
        make(ROOT, root)
        spoilt = root / "simulator/arm/answer.py"
        spoilt.write_text(spoilt.read_text().replace('"ResourceNotFound"', "BELIEF"))
        assert "BELIEF" in spoilt.read_text()
        spoilt.write_text(spoilt.read_text() + BORROWED)
        answers.append(_answers(root, tmp_path / f"{name}-run"))

    assert answers[0] != answers[1]
