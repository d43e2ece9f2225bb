"""What to do about a refusal, in a line: docs/problems.md in short. A test keeps every reason one of that page."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.safe import plain

PAGE = "docs/problems.md"
TODO: Mapping[str, str] = {
    "NotSignedIn": "sign in again: `az login`, or put a new token into CMKWARDEN_TOKEN; is --scope the app's audience?",
    "NotAllowed": "ask for the app role that it names; an application's token may only read",
    "TooManyRequests": "wait a minute",
    "NotFound": "look at the id: `cmkwarden remediations` lists them",
    "BadState": "the line above lists the states",
    "BadFramework": "the line above lists the frameworks",
    "BadVariation": "the line above says what would be right",
    "BadResourceId": "copy the whole ARM id from the portal or `az`",
    "NotOurs": "ask about a key vault or a Databricks workspace",
    "OutsideEstate": "its subscription is not in CMK_SUBSCRIPTIONS",
    "NoComment": "say why, with --comment",
    "BadExpiry": "choose a nearer --until",
    "Stale": "somebody has changed it since you looked: `cmkwarden show` it, decide anew",
    "RowChanged": "somebody was faster: `cmkwarden show` it, decide anew",
    "AnotherPlan": "look at what has changed, then approve the fingerprint of now",
    "Exempted": "end the exemption first, if it is wrong: `cmkwarden unexempt`",
    "KillSwitch": "approve it when CMK_KILL_SWITCH is off",
    "ChangeFreeze": "approve it when the freeze is over",
    "SubscriptionPaused": "approve it when the subscription goes on",
    "OwnChange": "somebody else must approve it",
    "OwnRequest": "somebody else must approve it",
    "ApprovedAlready": "it takes a second person",
    "NothingToApprove": "look at its state: `cmkwarden show`",
    "NothingToReject": "look at its state: `cmkwarden show`",
    "NothingToCancel": "look at its state: `cmkwarden show`",
    "NothingToRetry": "look at its state: `cmkwarden show`",
    "NothingToConfirm": "look at its history: `cmkwarden show`",
    "HappensByItself": "ask for an exemption: `cmkwarden exempt`",
    "BeingWorkedOn": "cancel it first, or wait for its end",
    "NotAKeyVault": "pick one of CMK_KEY_VAULTS: `cmkwarden show` lists them",
    "VaultNotProtected": "turn soft delete and purge protection of that vault on first",
    "Bug": "report it; the app's log has the trace",
}


def todo(status: int, reason: str) -> str:
    """Return what to do; where that is not known, where it stands."""
    if reason in TODO:
        return TODO[reason]
    if status == 503:
        return "Azure cannot be asked right now: try again in a minute; `cmkwarden doctor` looks for the cause"
    return f"{PAGE} says what {reason or 'it'} means"


def lines(extra: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else a refusal tells: of another plan, what came and what went."""
    difference = extra.get("difference")
    if not isinstance(difference, dict):
        return
    yield f"you saw {plain(difference.get('seen'))}, now it is {plain(difference.get('now'))}"
    for word in ("came", "went"):
        steps = difference.get(word)
        for step in steps if isinstance(steps, list) else ():
            yield f"  {word}: {_step(step)}"


def _step(step: Any) -> str:
    words: Iterable[Any] = (step.get("kind"), step.get("resource")) if isinstance(step, dict) else (step,)
    return " ".join(plain(word) for word in words)
