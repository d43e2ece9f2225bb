"""The judges find every planted fault, and where the faults are: a test of the tests in test_templates.py."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.faults import FAULTS, GOOD, Fault, faulty
from tests.infra.judges.bicep import bicep
from tests.infra.judges.cases import assembled
from tests.infra.judges.complaint import Complaint
from tests.infra.judges.excused import unexcused
from tests.infra.judges.expand import Expansion
from tests.infra.judges.lint import lint
from tests.infra.judges.needs import needs
from tests.infra.judges.rules import rules
from tests.infra.judges.schemas import schemas
from tests.reference import REFERENCE

Judged = Callable[[str, str, dict[str, Any]], list[str]]


@pytest.fixture
def judged(everything: dict[str, Expansion], types: Any, checked: dict[str, list[Complaint]]) -> Judged:
    """Return what a judge says of something, excuses taken off."""

    def say(judge: str, name: str, template: dict[str, Any]) -> list[str]:
        expansion = everything[name]
        if judge == "checkov":
            return unexcused(str(GOOD), checked[name])
        judges: dict[str, Callable[[], list[Complaint]]] = {
            "expand": lambda: expansion.complaints,
            "lint": lambda: lint(template),
            "needs": lambda: needs(expansion),
            "schemas": lambda: schemas(expansion),
            "bicep": lambda: bicep(expansion, types),
            "rules": lambda: rules(expansion),
        }
        return [str(complaint) for complaint in judges[judge]()]

    return say


@pytest.mark.parametrize("judge", ["expand", "lint", "needs", "schemas", "bicep", "checkov", "rules"])
def test_of_the_good_template_no_judge_says_a_word(judge: str, judged: Judged) -> None:
    """What they say below is said of the fault."""
    if judge == "schemas" and not REFERENCE.is_dir():
        pytest.skip(f"the reference data is not at {REFERENCE}: the official schemas lie there")

    assert judged(judge, str(GOOD), assembled(GOOD.template)) == []


@pytest.mark.parametrize(
    ("fault", "judge"),
    [(fault, judge) for fault in FAULTS for judge in sorted(fault.judges)],
    ids=lambda part: part.sentence if isinstance(part, Fault) else part,
)
def test_every_planted_fault_is_found(fault: Fault, judge: str, judged: Judged) -> None:
    """By the judge that is there for it, in words that name it."""
    if (judge == "schemas" or "official schemas" in fault.says) and not REFERENCE.is_dir():
        pytest.skip(f"the reference data is not at {REFERENCE}: the official schemas lie there")
    found = judged(judge, fault.sentence, faulty(fault))

    assert any(fault.says in text for text in found), found
