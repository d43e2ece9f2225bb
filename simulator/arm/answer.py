"""What goes back over the wire: an answer, or a refusal in ARM's error envelope.

The texts here are those of ARM itself, the gateway before any provider; each provider keeps its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

# ARM marks what it refused before any provider saw it (recorded with 401, 403, 404 and 409: arm_errors.jsonl).
GATEWAY = {"x-ms-failure-cause": "gateway"}


@dataclass(slots=True)
class Answer:
    """A reply. `existed` and `also` speak of the effect, for the event that follows it."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    existed: bool = True
    quiet: bool = False  # no event now: the provider announces it itself, later
    also: tuple[tuple[str, str], ...] = ()  # further (operation, id) pairs that happened with it


class Refused(Exception):  # noqa: N818 - Azure refuses; nothing here went wrong
    """ARM or a provider says no."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        self.body: Json = {"error": {"code": code, "message": message, **more}}

    def answer(self) -> Answer:
        """The refusal as a reply."""
        return Answer(self.status, self.body, self.headers)


def no_resource(kind: str, name: str, group: str) -> Refused:
    """A resource that is not there (keyvault_vaults.jsonl, eight recordings)."""
    return Refused(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        GATEWAY,
    )


def no_group(group: str) -> Refused:
    """A resource group that is not there (arm_errors.jsonl)."""
    return Refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.", GATEWAY)


def no_subscription(subscription: str) -> Refused:
    """A subscription that nobody in this tenant has."""
    return Refused(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.", GATEWAY)


def no_api_version() -> Refused:
    """Every ARM call names the version it speaks (Azure/azure-sdk-for-python#34747)."""
    return Refused(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
        GATEWAY,
    )


def bad_api_version(version: str) -> Refused:
    """A version that is no date."""
    return Refused(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{version}' is invalid. It should be a date: yyyy-mm-dd, with or without -preview.",
        GATEWAY,
    )


def bad_content(why: str) -> Refused:
    """A body that is not the JSON object that was expected."""
    return Refused(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{why}'.",
        GATEWAY,
    )


def not_allowed(client: str, oid: str, action: str, scope: str, *, unmet: bool = False) -> Refused:
    """RBAC says no; wording as recorded (arm_errors.jsonl), with a condition in the way as in [LEARN troubleshooting]."""
    lacks = "authorization or an ABAC condition not fulfilled" if unmet else "authorization"
    return Refused(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{oid}' does not have {lacks} to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
        GATEWAY,
    )


def denied(client: str, oid: str, action: str, scope: str, denial: tuple[str, str, str]) -> Refused:
    """A deny assignment (name, id, scope) says no to somebody whose roles say yes (Azure/migAz#266)."""
    name, identity, where = denial
    return Refused(
        403,
        "DenyAssignmentAuthorizationFailed",
        f"The client '{client}' with object id '{oid}' has permission to perform action '{action}' on scope '{scope}'; "
        f"however, the access is denied because of the deny assignment with name '{name}' and Id '{identity}' "
        f"at scope '{where}'.",
        GATEWAY,
    )


def not_registered(namespace: str) -> Refused:
    """A provider that the subscription does not use yet (arm_errors.jsonl, four recordings)."""
    code = "MissingSubscriptionRegistration"
    text = (
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions."
    )
    return Refused(409, code, text, GATEWAY, details=[{"code": code, "target": namespace, "message": text}])


def locked(scope: str, deed: str, locks: list[str]) -> Refused:
    """A lock holds; wording as recorded (arm_errors.jsonl, ScopeLocked on a group)."""
    return Refused(
        409,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform {deed} operation because following scope(s) are locked: "
        f"'{', '.join(locks)}'. Please remove the lock and try again.",
        GATEWAY,
    )


def unknown_type(namespace: str, kind: str) -> Refused:
    """A resource type that this simulator does not imitate and that nobody seeded."""
    return Refused(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace '{namespace}' of this simulator; "
        "see simulator/arm/providers for what it imitates.",
        GATEWAY,
    )


def bad_method(method: str, path: str) -> Refused:
    """A method that this resource type has no use for."""
    return Refused(
        405,
        "MethodNotAllowed",
        f"The requested resource does not support http method '{method}' ({path}).",
    )
