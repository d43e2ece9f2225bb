"""Whether the four tags are there, and whether their values are among the legal ones. Pure.

A value is compared without case and without the blanks around it, as the rules that go by these tags do.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from shared.core.choices import Choices
from shared.core.commands import az_tags
from shared.core.control import Compliant, Finding, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot, Workspace
from shared.core.unjudged import judged, unjudged

ID = "DBX-TAGS"
_LONGEST = 256  # characters; Azure's own limit for a value
_WILD = frozenset("*?[")


def assess(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Verdict, ...]:
    """Return the verdict on one workspace. What could not be read is Unknown."""
    said = unjudged(snapshot, memory, ID)
    return said or (_judged(judged(snapshot), choices),)


def _judged(workspace: Workspace, choices: Choices) -> Verdict:
    wanted = _wanted(choices)
    values = {name: workspace.tags.get(name.lower(), "").strip() for name in wanted}
    missing = [name for name, value in values.items() if not value]
    illegal = [name for name, value in values.items() if value and not is_legal(value, wanted[name])]
    evidence = {
        "tags": {name: value[:_LONGEST] for name, value in values.items()},
        "missing": missing,
        "illegal": illegal,
        "legal": {name: list(words) for name, words in wanted.items() if words},
    }
    if not missing and not illegal:
        return Compliant(Finding("Tagged", "all four tags are there, with legal values", evidence))
    said = [f"there is no {', no '.join(missing)}"] if missing else []
    said += [
        f"{name} has a value that is not legal ({', '.join(wanted[name]) or f'{_LONGEST} characters at most'})"
        for name in illegal
    ]
    reason = "TagMissing" if missing else "TagIllegal"
    blanks = {name: _blank(name, wanted[name]) for name in (*missing, *illegal)}
    return NonCompliant(
        Finding(reason, f"tags: {'; '.join(said)}", {**evidence, "proposed": [az_tags(workspace, blanks)]})
    )


def _wanted(choices: Choices) -> Mapping[str, tuple[str, ...]]:
    """Return the legal values of each tag, by its name; none where any will do. Where two share a name, so do their lists."""
    found: dict[str, tuple[str, ...]] = {}
    for name, legal in (
        (choices.owner_tag, choices.owners),
        (choices.cost_center_tag, choices.cost_centers),
        (choices.sensitivity_tag, choices.sensitivities),
        (choices.environment_tag, choices.environments),
    ):
        found[name] = (*found.get(name, ()), *legal)
    return found


def is_legal(value: str, legal: tuple[str, ...]) -> bool:
    """Whether a value is one of the legal ones: words, or patterns with * ? and [ ], in lower case.

    A pattern cannot hang us whatever it says: fnmatch takes each part between two stars once, and never goes back.
    """
    return len(value) <= _LONGEST and (not legal or any(fnmatchcase(value.lower(), it) for it in legal))


def _blank(name: str, legal: tuple[str, ...]) -> str:
    """Return what stands for a value in a command: somebody must write it."""
    words = [it for it in legal if not _WILD & set(it)]
    return f"<{' or '.join(words)}>" if words and len(words) == len(legal) else f"<{name}>"
