"""What an exemption is asked for, and whether it may still be given: whatever is missing or past is a no."""

from dataclasses import replace
from datetime import datetime

from shared.core.errors import Refused
from shared.core.record import Remediation, covered, exempted, key

SUBJECT = "exemption of"  # a wish for one has a row of its own, of which no control speaks


def fingerprint(row: Remediation, until: datetime) -> str:
    """Return what its approval is given for: this remediation, what was found, until then."""
    return key(SUBJECT, row.id, *covered(row.finding), until.isoformat())


def check(original: Remediation | None, wish: Remediation, now: datetime) -> None:
    """Raise Refused where what was asked for is not what would be exempted now."""
    wanted = wish.exemption
    if wanted is None or wanted.expires <= now:
        raise Refused("ExemptionIsPast", "the time until which the exemption was asked for is over: ask for another")
    if original is None or not original.is_open:
        raise Refused("NothingToExempt", "the finding does not stand any more")
    if not exempted(replace(original, exemption=wanted), original.finding, now):
        raise Refused("FindingHasChanged", "what was found since goes beyond what was asked for: ask for it again")
