"""What is to be said of the key of a layer: that nothing rotates it, that it is old, that it is near its end. Pure.

What makes a key unusable today is DBX-CMK's to say; that a newer version waits, the verdict on the versions. So age and end
are looked at only where the newest version is in use: else being put on that settles them.
"""

from collections.abc import Iterator

from remediators.key_rotation.use import FAILED, Blank, Case, Use
from shared.core.commands import az_rotate, az_rotation_policy
from shared.core.control import Compliant, Finding, NonCompliant, Unknown, Verdict
from shared.core.fitness import ending

_WARNED = 30  # days: how much earlier than CMK_KEY_AGE the proposed policy rotates, so that a person has time to follow


def each(case: Case, found: tuple[Use | Blank, ...]) -> Iterator[Verdict]:
    """Yield the verdict on the key of each layer."""
    for it in found:
        if isinstance(it, Blank):
            yield Unknown(it.finding, it.layer.name)
        elif case.workspace.has_failed:
            yield Unknown(Finding("WorkspaceHasFailed", f"{it.title}: {FAILED}"), it.layer.name)
        else:
            yield _of(case, it)


def _of(case: Case, use: Use) -> Verdict:
    wrong = list(_wrong(case, use))
    evidence = {
        **use.shown(),
        "rotates": use.newest.rotates,
        "wrong": [reason for reason, _, _ in wrong],
        "proposed": list(dict.fromkeys(command for _, _, command in wrong)),
    }
    if wrong:
        said = f"{use.title}: {'; '.join(message for _, message, _ in wrong)}"
        return NonCompliant(Finding(wrong[0][0], said, evidence), use.layer.name)
    if use.is_newest and use.newest.created is None:
        said = f"{use.title}: Azure does not say when its key was made, so nobody can say how old it is"
        return Unknown(Finding("AgeUnknown", said, evidence), use.layer.name)
    return Compliant(
        Finding("KeyRotates", f"{use.title}: its key rotates and is young enough", evidence), use.layer.name
    )


def _wrong(case: Case, use: Use) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a key: reason, message, and the command that puts it right."""
    key, vault, limit = use.newest, use.vault.id.name, case.choices.key_age
    rotate = az_rotate(vault, key.name)
    if use.is_newest:
        for reason, message in ending(key, case.choices, case.now):
            yield reason, message, rotate
        if key.created and key.created + limit <= case.now:
            age = (case.now - key.created).days
            yield "KeyIsOld", f"the version in use is {age} days old, {limit.days} are allowed (CMK_KEY_AGE)", rotate
    policy = az_rotation_policy(vault, key.name, limit.days - _WARNED)
    if not key.has_policy:
        yield "NoRotationPolicy", "its key has no rotation policy", policy
    elif not key.rotates:
        yield "PolicyDoesNotRotate", "its key has a rotation policy that only notifies, or never comes due", policy
