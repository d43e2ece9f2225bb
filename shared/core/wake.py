"""An event -> the vault or workspace it concerns. The event wakes us; nothing that it says is believed.

Two schemas and three sources: writes to resources (AZURE 5.1), resource notifications (5.2) and the Key Vault
system topic (5.3). What leaves here are ids only: no claims, no payload.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from shared.core import ids
from shared.core.control import Memory
from shared.core.errors import BadInput
from shared.core.ids import ResourceId

WORKSPACES, VAULTS, KEYS = "workspaces", "vaults", "keys"  # what an event speaks of: one event subscription for each
LONGEST_EVENT = 1_048_576  # bytes; Event Grid's own limit for one event (AZURE 5.4)

_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_OF_A_VAULT = "microsoft.keyvault."
_SAFE_ID = re.compile(r"[^\w.:/-]", re.ASCII)
# A role given or taken above all resources: our own filter lets it through, since it cannot tell (infra). Whom it concerns
# below, the sweep finds.
_ABOVE = re.compile(
    r"(/subscriptions/[^/]+(/resourcegroups/[^/]+)?|/providers/microsoft\.management/managementgroups/[^/]+)?"
    r"/providers/microsoft\.authorization/",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What set an evaluation off: `kind` is event, workspace, retry, sweep or person. `actor` is an object id or ''.

    `id` is the event's id (or the workspace's, or the person's); it serves to find the cause again, nothing else.
    """

    kind: str
    id: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Wake:
    """A target to look at, and why.

    `via` is what the event speaks of: WORKSPACES, VAULTS or, of a vault's own topic, KEYS.
    `key` is the key of a vault that the event speaks of, in lower case; '' where it names none that could be one, None
    where it speaks of no key.
    """

    target: ResourceId
    cause: Cause
    via: str
    key: str | None = None


def wake(text: str) -> Wake | None:
    """Read one event. None where it concerns nothing of ours; BadInput where it cannot be understood."""
    event = _parsed(text)
    kind = event.get("type") or event.get("eventType")
    if not isinstance(kind, str) or not kind:
        raise BadInput("BadEvent", "the event has no type (`type` or `eventType`)")
    where = _where(event, kind.lower())
    if isinstance(where, str) and _ABOVE.match(where[: ids.LONGEST_ID]):
        return None
    target = ids.parse(where)
    if target.kind not in {ids.VAULT, ids.WORKSPACE}:
        return None
    cause = Cause("event", _safe(event.get("id")), _actor(event))
    return Wake(target, cause, _via(target, kind.lower()), _key(event, kind.lower()))


def _via(target: ResourceId, kind: str) -> str:
    if kind.startswith(_OF_A_VAULT):
        return KEYS
    return WORKSPACES if target.kind == ids.WORKSPACE else VAULTS


def users_of(memory: Memory, key: str) -> tuple[str, ...]:
    """Return the workspaces that are remembered to use a key of a vault, by id; of '' all that use any key there.

    Where nobody knows which key a workspace used it counts: a look too many costs little, one too few is a key unseen.
    """
    named = [it.workspace for it in memory.nominations if _is_used(key, [layer.key for layer in it.layers])]
    once = [it.workspace for it in memory.identities if _is_used(key, [it.key])]
    found = dict[str, str]()
    for it in (*named, *once):  # of two spellings the first counts: the other is in lower case
        found.setdefault(it.lower(), it)
    return tuple(found.values())


def _is_used(key: str, names: list[str]) -> bool:
    return not key or not any(names) or any(name.lower() == key for name in names)


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_EVENT:
        raise BadInput("BadEvent", f"the event has {len(text)} characters, more than {LONGEST_EVENT}")
    try:
        event = json.loads(text)
    except RecursionError:
        raise BadInput("BadEvent", "the event is nested too deeply") from None
    except ValueError as error:
        raise BadInput("BadEvent", f"the event is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise BadInput("BadEvent", f"an event must be an object, not {type(event).__name__}")
    return event


def _where(event: dict[str, Any], kind: str) -> object:
    """Return the resource id an event speaks of. Key Vault events name the object in `subject`, the vault in the topic."""
    if kind.startswith(_OF_A_VAULT):
        return event.get("source") or event.get("topic")
    content = event.get("data")
    named = content if isinstance(content, dict) else {}
    return event.get("subject") or named.get("resourceUri")


def _key(event: dict[str, Any], kind: str) -> str | None:
    """Return the name of the key that a vault's own event speaks of. Its fields are spelt as it happens (AZURE 5.3)."""
    if not kind.startswith("microsoft.keyvault.key"):
        return None
    content = event.get("data")
    named = {name.strip().lower(): value for name, value in content.items()} if isinstance(content, dict) else {}
    found = named.get("objectname") or event.get("subject")
    name = found.strip() if isinstance(found, str) else ""
    return name.lower() if ids.NAME_OF_A_KEY.fullmatch(name) else ""


def _actor(event: dict[str, Any]) -> str:
    content = event.get("data")
    claims = content.get("claims") if isinstance(content, dict) else None
    caller = claims.get(_OBJECT_ID) if isinstance(claims, dict) else None
    return caller.lower() if isinstance(caller, str) and ids.GUID.fullmatch(caller) else ""


def _safe(value: object) -> str:
    return _SAFE_ID.sub("", value)[:128] if isinstance(value, str) else ""
