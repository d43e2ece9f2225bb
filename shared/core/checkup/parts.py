"""Whether front and hand are of one deployment: both run, the same version, the same Python, the same settings. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.core.checkup import Check, Result
from shared.core.checkup.rights import listed
from shared.core.part import Part

NAME, AREA = "parts", "versions"
SILENT = timedelta(hours=3)  # the hand says each hour that it runs


def judged(here: Part, hand: Part | None, now: datetime) -> Iterator[Check]:
    """Compare this app with what the hand has said of itself."""
    if here.name != "front":
        said = f"one app serves every part: {here.version} on Python {here.python}"
        yield Check(NAME, AREA, Result.PASS, said)
        return
    if hand is None or hand.time is None:
        yield Check(
            NAME, AREA, Result.FAIL, "the app that writes (CMK_PART=hand) has never said that it runs: what is approved waits",
            "start it, on the same storage account; it says so when it starts, and each hour",
        )  # fmt: skip
        return
    if now - hand.time > SILENT:
        yield Check(
            NAME, AREA, Result.FAIL, f"the app that writes (CMK_PART=hand) has not said that it runs since {hand.time.isoformat(timespec='seconds')}",
            "look whether that app runs, and at its function `pulse`",
        )  # fmt: skip
    found = [*_versions(here, hand), *_settings(here, hand)]
    yield from found or [
        Check(
            NAME,
            AREA,
            Result.PASS,
            f"front and hand are both {here.version} on Python {here.python}, with the same settings",
        )
    ]


def _versions(here: Part, hand: Part) -> Iterator[Check]:
    for what, ours, theirs in (("version", here.version, hand.version), ("Python", here.python, hand.python)):
        if ours != theirs:
            yield Check(
                "part-versions", AREA, Result.WARN, f"the {what} of front is {ours}, that of hand {theirs}",
                "deploy the same package to both apps, hand first",
            )  # fmt: skip


def _settings(here: Part, hand: Part) -> Iterator[Check]:
    """Compare the settings that both have to have alike; a version that knows another setting disagrees about it."""
    names = {*here.settings, *hand.settings}
    differing = sorted(it for it in names if here.settings.get(it) != hand.settings.get(it))
    if differing:
        yield Check(
            "part-settings", "settings", Result.FAIL, f"front and hand do not agree on {listed(differing)}: what one decides the other refuses",
            "set them alike in both apps; the hand tells of its own when it starts",
        )  # fmt: skip
