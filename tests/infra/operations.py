"""Every operation on record, and what an event of it looks like: recordings, role definitions, contracts of the SDKs."""

import json
import re
from functools import cache
from typing import Any

from tests.reference import REFERENCE, recorded

SUBSCRIPTION = "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-keys"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-keys"
WORKSPACE = f"{GROUP}/providers/Microsoft.Databricks/workspaces/dbw-claims"
VERBS = {"PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
_PLAIN = re.compile(r"[A-Za-z0-9]+")
_NAMED = re.compile(r"Microsoft\.[A-Za-z.]+(?:/[A-Za-z0-9]+)+/(?:write|delete|action)")


@cache
def operations() -> frozenset[str]:
    """Return every operation that changes something, by all sources, each in its first spelling."""
    found: dict[str, str] = {}
    for name in (*_of_roles(), *_of_requests(), *_of_contracts(), *_of_events()):
        found.setdefault(name.lower(), name)
    return frozenset(found.values())


def _of_roles() -> list[str]:
    """Return the control-plane actions of all recorded role definitions: data actions raise no events of Resource Manager."""
    found = []
    for record in recorded("role_definitions"):
        body = record.get("response_body") or {}
        for role in body.get("value", [body]):
            for permission in (role.get("properties") or {}).get("permissions", []):
                found += [name for name in permission.get("actions", []) if _NAMED.fullmatch(name)]
    return found


def _of_requests() -> list[str]:
    """Return what the recorded requests did: the method, and the types in the path."""
    found = []
    for path in sorted((REFERENCE / "arm_traffic").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            found += _operation(str(record.get("method")), str(record.get("url", "")).split("?")[0])
    return found


def _of_contracts() -> list[str]:
    found = []
    for path in sorted((REFERENCE / "sdk_contract").glob("*.json")):
        listed = json.loads(path.read_text())["operations"]
        for one in listed if isinstance(listed, list) else []:
            found += _operation(str(one.get("method")), str(one.get("url", "")))
    return found


def _of_events() -> list[str]:
    texts = [path.read_text() for path in sorted((REFERENCE / "eventgrid").glob("*.json"))]
    texts += [path.read_text() for path in sorted((REFERENCE / "samples/events").glob("*.json"))]
    return [name for text in texts for name in re.findall(rf'"operationName": "({_NAMED.pattern})"', text)]


def _operation(method: str, path: str) -> list[str]:
    """Return the operation of a request: of a POST the last segment says what it does, of others it is a name."""
    provider, *rest = path.rsplit("/providers/", 1)[-1].strip("/").split("/")
    if method not in VERBS or not provider.startswith("Microsoft.") or not rest:
        return []
    types = rest[::2]
    done = VERBS[method]
    if method == "POST":
        types, done = rest[:-1][::2], f"{rest[-1]}/action"
    plain = types and all(_PLAIN.fullmatch(it) for it in (*types, done.split("/")[0]))
    return [f"{provider}/{'/'.join(types)}/{done}"] if plain else []


def event(operation: str, kind: str = "") -> dict[str, Any]:
    """Return the event of an operation that has succeeded, on a resource of its type; extensions lie on a vault."""
    provider, *types, verb = operation.split("/")
    if verb == "action":
        types = types[:-1]
    kinds = {"write": "Write", "delete": "Delete", "action": "Action"}
    subject = place(provider, types)
    return {
        "id": "e1",
        "topic": SUBSCRIPTION,
        "subject": subject,
        "eventType": kind or f"Microsoft.Resources.Resource{kinds[verb]}Success",
        "data": {"operationName": operation, "resourceUri": subject, "status": "Succeeded"},
    }


EXTENSIONS = {"microsoft.authorization", "microsoft.insights", "microsoft.eventgrid", "microsoft.resources"}


def place(provider: str, types: list[str]) -> str:
    """Return the id of a resource of a type."""
    under = VAULT if provider.lower() in EXTENSIONS else GROUP
    names = {"vaults": "kv-keys", "workspaces": "dbw-claims"}
    return f"{under}/providers/{provider}/" + "/".join(f"{it}/{names.get(it.lower(), 'one')}" for it in types)
