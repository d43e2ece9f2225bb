"""Single records outside the sequences: every error of the imitated providers, and what can be played without a story.

Records that cannot disturb one another share a simulator. What must have been so before is told by the answer itself:
an error names its cause, an update its resource.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.reference import REFERENCE
from tests.simulator.truth.recordings import Interaction, interaction

# Types of which an answer depends on the request and on nothing that only a story could tell.
PLAIN = (
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/locks",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Databricks/accessConnectors",
)
SERVICE_FAILURE = 500  # a service's own failures are no rule of it: they are ordered as faults
GUID = "00000000-0000-4000-8000-0000000000dd"


def singles() -> Iterator[list[Interaction]]:
    """Records that fit on one simulator each, in file order."""
    played: list[list[Interaction]] = []
    taken: list[set[str]] = []
    seen = set()
    for path in sorted((REFERENCE / "arm_traffic").glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines()):
            row = interaction(f"single {path.stem}", {**json.loads(line), "index": number})
            key = (row.method, row.url, row.status, json.dumps(row.sent))
            if not is_plain(row) or key in seen:
                continue
            seen.add(key)
            marks = _marks(row)
            for group, names in zip(played, taken, strict=True):  # noqa: B007 - the one that fits is used below
                if not names & marks:
                    break
            else:
                group, names = [], set()
                played.append(group)
                taken.append(names)
            group.append(row)
            names |= marks
    yield from played


def is_plain(row: Interaction) -> bool:
    """Whether a record can be played alone."""
    if not row.provider or row.status >= SERVICE_FAILURE:
        return False
    if row.status >= 400:
        return True
    if not row.query.get("api-version", "").startswith("20"):
        return False  # a recorder has taken the version out
    is_item = len(row.path.strip("/").split("/")) % 2 == 0 or "/providers/" not in row.path
    return row.kind in PLAIN and is_item and row.method in {"PUT", "GET", "DELETE"}


def _marks(row: Interaction) -> set[str]:
    """What two records on one simulator may not have in common: the resource, its vault, the principal, the refusal."""
    marks = {row.path.lower()}
    if row.is_data_plane:
        marks.add(row.host)
    properties = (row.sent or {}).get("properties") if isinstance(row.sent, dict) else None
    if isinstance(properties, dict) and "principalId" in properties:
        marks.add(str(properties["principalId"]))
    code = error_code(row)
    return marks | ({code, row.path.split("/")[4].lower()} if code in PECULIAR else set())


PECULIAR = {"MissingSubscriptionRegistration", "ScopeLocked"}


def error_code(row: Interaction) -> str:
    """The code of a recorded error; '' without one."""
    error = (row.body or {}).get("error") if isinstance(row.body, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def circumstances(row: Interaction) -> list[dict[str, Any]]:
    """What must be there before a request for it to be answered so."""
    code, sent = error_code(row), row.sent if isinstance(row.sent, dict) else {}
    if code == "RoleAssignmentExists":
        scope = row.path.partition("/providers/Microsoft.Authorization/")[0]
        where = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{GUID}"
        return [{"id": where, "name": GUID, "type": PLAIN[0], "properties": {**sent["properties"], "scope": scope}}]
    if code == "ScopeLocked":
        holder = str(row.body["error"]["message"]).rsplit("locked: '", 1)[1].split("'")[0]
        where = f"{holder}/providers/Microsoft.Authorization/locks/lock"
        return [{"id": where, "name": "lock", "type": PLAIN[1], "properties": {"level": "CanNotDelete"}}]
    if row.method == "DELETE" and row.status == 200 and row.kind in PLAIN:
        return [{"id": row.path, "properties": {}, **(row.body or {})}]
    if row.method == "PUT" and row.status == 200 and row.kind in PLAIN and isinstance(row.body, dict):
        return [row.body]
    return []


def principals(row: Interaction) -> list[dict[str, str]]:
    """Who must be in the directory: whom a role is given, unless the answer says that nobody is there."""
    properties = row.sent.get("properties") if isinstance(row.sent, dict) else None
    if not isinstance(properties, dict) or "principalId" not in properties or error_code(row) == "PrincipalNotFound":
        return []
    kind = str(properties.get("principalType") or "ServicePrincipal")
    if error_code(row) == "UnmatchedPrincipalType":
        kind = "ServicePrincipal"
    answered = row.body.get("properties") if isinstance(row.body, dict) else None
    return [{"id": properties["principalId"], "type": str((answered or {}).get("principalType") or kind)}]


def unregistered(row: Interaction) -> list[dict[str, Any]]:
    """A provider that nobody has registered in the subscription, before the refusal that says so."""
    if error_code(row) != "MissingSubscriptionRegistration":
        return []
    subscription = "/".join(row.path.split("/")[:3])
    name = str(row.body["error"]["details"][0]["target"])
    return [{"id": f"{subscription}/providers/{name}", "namespace": name, "registrationState": "NotRegistered"}]


def taken_name(row: Interaction) -> list[dict[str, Any]]:
    """Somebody else's vault, where its name is said to be taken."""
    body = row.body if isinstance(row.body, dict) else {}
    if body.get("reason") != "AlreadyExists" or not isinstance(row.sent, dict):
        return []
    name = row.sent["name"]
    where = f"/subscriptions/{GUID}/resourceGroups/theirs/providers/Microsoft.KeyVault/vaults/{name}"
    return [{"id": where, "name": name, "type": "Microsoft.KeyVault/vaults", "location": "eastus", "properties": {}}]
