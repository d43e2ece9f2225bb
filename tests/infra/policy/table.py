"""The verdict table: each rule over its resources, as docs/policies.md shows it."""

from collections.abc import Iterable

from tests.infra.policy.cases import Case
from tests.infra.policy.pack import verdict


def met(case: Case) -> str:
    """Return the effect that the engine finds."""
    return verdict(case.member, case.resource, case.given, case.related)


def table(cases: Iterable[Case]) -> str:
    """Return the table in Markdown, verdicts as the engine finds them."""
    rows = [f"| `{it.member}` | {it.what} | {met(it) or '-'} |" for it in cases]
    return "\n".join(["| member | resource | effect |", "|---|---|---|", *rows])
