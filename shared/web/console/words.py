"""The words of a page: what machines are told in a reason, people read as a sentence that says what to do."""

from dataclasses import replace

from shared.web.answers import Told

_FOR_PEOPLE = {
    "NoComment": ("Say why", "Write a reason, in 1 to 2000 characters. It stays on record."),
    "NotSure": ("Type the name", ""),
    "NotFound": ("Nothing here", "There is no page, or no record, at this address."),
    "MethodNotAllowed": ("Nothing here", "This address only takes what a page sends. Open the remediation itself."),
    "Stale": ("Somebody was faster", ""),
    "NothingTicked": (
        "Nothing was ticked",
        "Tick what is to be rejected, and say why.",
    ),
}
# What stands in the way of a write, by Azure's reason: whom to ask for what.
_ADVICE = {
    "ScopeLocked": (
        "A lock forbids the write. Ask the owner to take the lock away, or to make the change themselves, then press Retry. "
        "The lock's name and place are in Azure's own words below; the portal lists it under Locks."
    ),
    "RequestDisallowedByPolicy": (
        "An Azure Policy forbids the write. Ask whoever looks after it for an exemption of this resource, then press Retry."
    ),
    "AuthorizationFailed": (
        "Our writer lacks a permission here. `cmkwarden doctor` names it; have it assigned, wait some minutes, press Retry."
    ),
}


def for_people(told: Told) -> Told:
    """Return what went wrong in the words of a page."""
    title, detail = _FOR_PEOPLE.get(told.reason, ("", ""))
    return replace(told, title=title or told.title, detail=detail or told.detail)


def advice(reason: str) -> str:
    """Return what to do about what stands in the way; '' where nobody knows better than Azure's own words."""
    return _ADVICE.get(reason, "")
