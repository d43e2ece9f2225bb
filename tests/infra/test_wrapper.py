"""infra/main.bicep: a cover as thin as it looks, which fits the template that it deploys."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.judges.wrapper import wrapper
from tests.reference import ROOT

INFRA = ROOT / "infra"
Judged = Callable[[str, str], list[str]]
# The fault's sentence: what is replaced, by what, and a piece of what must be said.
FAULTS = {
    "a brace that does not close": ("params: {", "params: ", "cannot be read"),
    "a property without its colon": ("location: location", "location location", "cannot be read"),
    "a name that is not declared": ("location: location", "location: loction", "undeclared name 'loction'"),
    "a parameter that nothing uses": ("targetScope", "param idle string\ntargetScope", "nothing uses 'idle'"),
    "a parameter that the template does not have": ("mode: mode", "mod: mode", "has no parameter 'mod'"),
    "a parameter of another type": ("subscribe: subscribe", "subscribe: mode", "'subscribe' is string here and bool"),
    "an output that the template does not have": (".outputs.frontName", ".outputs.frontNme", "no output 'frontNme'"),
    "a template that is not there": ("'arm/main.json'", "'arm/mian.json'", "there is no"),
}


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    """Return what is said of the wrapper when a piece of it is another."""
    shutil.copytree(INFRA / "arm", tmp_path / "arm")
    source = (INFRA / "main.bicep").read_text()
    parameters = json.loads((INFRA / "main.parameters.json").read_text())

    def say(old: str, new: str) -> list[str]:
        assert old in source
        (tmp_path / "main.bicep").write_text(source.replace(old, new, 1))
        return [str(complaint) for complaint in wrapper(tmp_path / "main.bicep", parameters)]

    return say


def test_the_wrapper_fits_the_template(judged: Judged) -> None:
    """Every name is declared and used, every parameter and output is one of the template."""
    assert judged("", "") == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrapper_with_a_fault_is_found(fault: str, judged: Judged) -> None:
    """The judge can say no."""
    old, new, says = FAULTS[fault]
    found = judged(old, new)

    assert any(says in text for text in found), found
