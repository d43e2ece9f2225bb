"""What every control says alike of a workspace that cannot be judged: gone, not to be read, or still being changed."""

from shared.core.control import Finding, Memory, NotApplicable, Unknown, Verdict
from shared.core.facts import Absent, Snapshot, Unreadable, Workspace


def unjudged(snapshot: Snapshot, memory: Memory, control: str) -> tuple[Verdict, ...]:
    """Return the verdicts on a workspace that is not there or tells nothing; none where it can be judged."""
    workspace = snapshot.workspace
    if workspace is None or isinstance(workspace, Absent):
        finding = Finding("WorkspaceIsGone", "Azure says that there is no such workspace: deleted, or not visible yet")
        return tuple(NotApplicable(finding, it) for it in dict.fromkeys(("", *memory.subjects_of(control))))
    if isinstance(workspace, Unreadable):
        return (Unknown(Finding(workspace.reason, f"the workspace could not be read: {workspace.message}")),)
    if not workspace.is_settled:
        return (Unknown(Finding("StillProvisioning", f"Azure is not done with it yet ({workspace.provisioning})")),)
    return ()


def judged(snapshot: Snapshot) -> Workspace:
    """Return the workspace of a snapshot that can be judged."""
    assert isinstance(snapshot.workspace, Workspace)  # noqa: S101 - `unjudged` has spoken of every other
    return snapshot.workspace
