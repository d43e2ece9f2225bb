"""Every template is what its parts make, and no judge finds a fault in it that is not excused with a reason."""

from typing import Any

import pytest

from infra.build import TEMPLATES, stale
from tests.infra.judges.bicep import bicep
from tests.infra.judges.cases import Case, assembled, cases, expanded, values
from tests.infra.judges.complaint import Complaint
from tests.infra.judges.excused import EXCUSES, unexcused
from tests.infra.judges.lint import lint, templates
from tests.infra.judges.needs import needs
from tests.infra.judges.rules import rules
from tests.infra.judges.schemas import schemas
from tests.reference import needs_reference


def texts(complaints: list[Complaint]) -> list[str]:
    """Return complaints as pytest shows them best."""
    return [str(complaint) for complaint in complaints]


every_case = pytest.mark.parametrize("case", cases(), ids=str)


def test_the_files_are_what_their_parts_make() -> None:
    """Nobody edits infra/arm by hand: `python -m infra.build`."""
    assert stale() == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_has_values_that_deploy_all_of_it(name: str) -> None:
    """What no set of values deploys is judged by nobody: tests/infra/values."""
    deployed = {resource.path for case in cases() if case.template == name for resource in expanded(case).resources}
    there = {
        f"{path}.resources[{at}]".lstrip(".")
        for path, level in templates(assembled(name))
        for at in range(len(level["resources"]))
    }

    assert values(name)
    assert there - deployed == set()


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_is_written_as_azure_reads_it(name: str) -> None:
    """Expressions, names, hosts, secrets: what can be seen without values."""
    assert texts(lint(assembled(name))) == []


@every_case
def test_its_expressions_have_values(case: Case) -> None:
    """Azure would refuse what cannot be evaluated."""
    assert texts(expanded(case).complaints) == []


@every_case
def test_every_resource_waits_for_what_it_uses(case: Case) -> None:
    """A race would pass on some days."""
    assert texts(needs(expanded(case))) == []


@needs_reference
@every_case
def test_the_official_schemas_accept_it(case: Case) -> None:
    """And they know every property in it."""
    assert texts(schemas(expanded(case))) == []


@every_case
def test_the_bicep_types_accept_it(case: Case, types: Any) -> None:
    """And they know every property in it."""
    assert texts(bicep(expanded(case), types)) == []


@every_case
def test_checkov_finds_it_safe(case: Case, checked: dict[str, list[Complaint]]) -> None:
    """No failed check, or a reason."""
    assert unexcused(str(case), checked[str(case)]) == []


@every_case
def test_it_keeps_our_own_rules(case: Case) -> None:
    """What checkov does not look at."""
    assert texts(rules(expanded(case))) == []


def test_no_excuse_is_in_vain(checked: dict[str, list[Complaint]]) -> None:
    """An excuse that nothing needs any more would hide the next fault."""
    found = [(str(case), complaint) for case in cases() for complaint in checked[str(case)]]

    assert [excuse for excuse in EXCUSES if not any(excuse.fits(*one) for one in found)] == []
