"""Steps as the console shows them: in words, and only what changes."""

from shared.core.moves import workspace
from shared.core.parse import workspace as parse_workspace
from shared.core.plan import Plan
from shared.core.record import recorded
from shared.web.console.plan import Change, shown
from tests.fakes import workspace_body


def test_a_newer_version_is_the_only_change() -> None:
    """Whoever agrees to a rotation sees which layer moves, and both versions; vault and key stay."""
    found = parse_workspace(workspace_body())
    step = workspace.repoint(found, found.layer("managedServices"), "2" * 32)

    (seen,) = shown(recorded(Plan((step,))).steps)

    assert seen.title == "Put managed services on the newest version of its key"
    assert seen.changes == (Change("version", "0" * 32, "2" * 32),)
