"""What our two identities hold in Azure beside what they must hold: infra/roles, as code. A test keeps both equal."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.actions import matches
from shared.core.checkup import Check, Result
from shared.core.ids import fold
from shared.core.parse import wire

READS = frozenset({
    "Microsoft.Authorization/denyAssignments/read", "Microsoft.Authorization/locks/read",
    "Microsoft.Authorization/roleAssignmentScheduleInstances/read", "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read", "Microsoft.Databricks/locations/operationstatuses/read",
    "Microsoft.Databricks/workspaces/read", "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
    "Microsoft.EventGrid/systemTopics/read", "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/eventtypes/values/read", "Microsoft.Insights/metrics/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/versions/read",
    "Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/secrets/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/read",
    "Microsoft.Resources/subscriptions/read",
})  # fmt: skip
WRITES = frozenset({
    "Microsoft.Databricks/workspaces/write", "Microsoft.Insights/diagnosticSettings/write",
    "Microsoft.KeyVault/vaults/accessPolicies/write", "Microsoft.KeyVault/vaults/keys/write",
    "Microsoft.KeyVault/vaults/write",
})  # fmt: skip
GRANTS = frozenset({"Microsoft.Authorization/roleAssignments/delete", "Microsoft.Authorization/roleAssignments/write"})
LINKED = frozenset({
    "Microsoft.Databricks/accessConnectors/read", "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
})  # fmt: skip
KEY_USER = frozenset({
    "Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/unwrap/action",
    "Microsoft.KeyVault/vaults/keys/wrap/action",
})  # fmt: skip
SENDS = frozenset({"Microsoft.OperationalInsights/workspaces/sharedKeys/action"})
# SHA-256 of infra/roles/grants.condition without spaces, in lower case, with `{azure_databricks}` left as it is.
CONDITION = "e5d0a4a19958368c5059a05f78187879d83e183326039f656f879d5f240127a1"
_PRINCIPAL = re.compile(r"(principalid\]forany\w+:guidequals\{)([0-9a-f-]{36})(\})")
_STORAGE = "microsoft.storage/storageaccounts/"  # of the identity that also keeps the app's own state
_MOST_NAMED = 6  # actions or roles in one message


@dataclass(frozen=True, slots=True)
class Holding:
    """A role that an identity holds somewhere. Actions are patterns in lower case, as the definition has them."""

    role: str
    scope: str
    actions: tuple[str, ...]
    exceptions: tuple[str, ...]
    data: tuple[str, ...]
    condition: str

    def allows(self, action: str) -> bool:
        """Tell whether it lets its holder do this."""
        wanted = fold(action)
        return any(matches(it, wanted) for it in self.actions) and not any(
            matches(it, wanted) for it in self.exceptions
        )

    def covers(self, scope: str) -> bool:
        """Tell whether it holds at the whole of a subscription, group or resource (its id in lower case)."""
        is_above = self.scope in {"", "/"} or self.scope.startswith("/providers/microsoft.management/")
        return is_above or scope == self.scope or scope.startswith(self.scope + "/")


def roles_in(assignments: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the roles that these assignments give, as GUIDs."""
    return frozenset(_role(it) for it in assignments)


def holdings(
    assignments: Iterable[Mapping[str, Any]], definitions: Mapping[str, Mapping[str, Any]]
) -> tuple[Holding, ...]:
    """Read what assignments give, by the definitions of their roles (by GUID). Raises BadInput for what makes no sense."""
    return tuple(_holding(it, definitions[_role(it)]) for it in assignments)


def _holding(assignment: Mapping[str, Any], definition: Mapping[str, Any]) -> Holding:
    given, role = wire.obj(assignment, "properties"), wire.obj(definition, "properties")
    blocks = wire.rows(role, "permissions")

    def patterns(field: str) -> tuple[str, ...]:
        return tuple(fold(word) for block in blocks for word in wire.words(block, field))

    return Holding(
        role=wire.text(role, "roleName") or _role(assignment),
        scope=fold(wire.text(given, "scope")).rstrip("/"),
        actions=patterns("actions"),
        exceptions=patterns("notActions"),
        data=patterns("dataActions"),
        condition=wire.text(given, "condition"),
    )


def _role(assignment: Mapping[str, Any]) -> str:
    return wire.text(wire.obj(assignment, "properties"), "roleDefinitionId").rstrip("/").rsplit("/", 1)[-1].lower()


def lacks(held: Sequence[Holding], scope: str, needed: frozenset[str]) -> tuple[str, ...]:
    """Return which actions nothing allows at the whole of a scope."""
    there = [it for it in held if it.covers(fold(scope))]
    return tuple(sorted(action for action in needed if not any(it.allows(action) for it in there)))


def excess(held: Sequence[Holding], allowed: frozenset[str]) -> tuple[str, ...]:
    """Return what goes beyond reading and beyond what is allowed, as `role: action`. Rights on storage are left out."""
    known = {fold(action) for action in allowed}
    found = set[str]()
    for it in held:
        strange = [word for word in it.actions if word not in known and not _is_harmless(word)]
        found |= {f"{it.role}: {word}" for word in (*strange, *(word for word in it.data if not _is_storage(word)))}
    return tuple(sorted(found))


def wide(held: Sequence[Holding], role: frozenset[str]) -> tuple[str, ...]:
    """Return what lets its holder read more than its role says, as `role: action`. A role that also writes is `excess`, whole."""
    known = {fold(action) for action in role}
    readers = [it for it in held if not excess([it], role | GRANTS)]
    found = {
        f"{it.role}: {word}" for it in readers for word in it.actions if word.endswith("/read") and word not in known
    }
    return tuple(sorted(found))


def _is_harmless(pattern: str) -> bool:
    return pattern.endswith("/read") or _is_storage(pattern)


def _is_storage(pattern: str) -> bool:
    return pattern.startswith(_STORAGE)


def on_reader(held: Sequence[Holding], scope: str) -> Iterator[Check]:
    """Say what the reader lacks or has too much of at a subscription."""
    lacking, beyond = lacks(held, scope, READS), excess(held, READS)
    if lacking:
        yield Check(
            "reader-role", "rights", Result.FAIL, f"at {scope} the reader may not {listed(lacking)}",
            f"give the reader the role of infra/roles/reader.json at {scope}",
        )  # fmt: skip
    if beyond:
        yield Check(
            "reader-excess", "rights", Result.FAIL, f"at {scope} the reader can do more than read: {listed(beyond)}",
            "take that role from the reader: everything that faces people runs under it",
        )  # fmt: skip


def on_width(held: Sequence[Holding], scope: str, who: str, role: frozenset[str]) -> Iterator[Check]:
    """Say what an identity may read at a subscription beyond its role."""
    beyond = wide(held, role)
    if beyond:
        yield Check(
            f"{who}-wide", "rights", Result.WARN, f"at {scope} the {who} can read more than its role says: {listed(beyond)}",
            f"take that role from the {who}, unless something else of yours needs it; infra/roles says what we need",
        )  # fmt: skip


def on_logs(held: Sequence[Holding], workspace: str) -> Iterator[Check]:
    """Say whether the writer may send logs to the Log Analytics workspace of CMK_LOG_WORKSPACE (an id)."""
    if lacks(held, workspace, SENDS):
        yield Check(
            "writer-logs", "rights", Result.WARN,
            f"at {workspace} the writer may not {', '.join(SENDS)}: diagnostic settings of vaults will fail",
            "give the writer the role of infra/roles/linked.json at that workspace, or empty CMK_LOG_WORKSPACE",
        )  # fmt: skip


def on_key_user(definition: Mapping[str, Any] | None) -> Check:
    """Say whether the strict narrow role is there and gives exactly what it must. None: there is no such role."""
    name, todo = "key-user-role", "deploy infra/roles/key_user.json under its Id, or set CMK_NARROW_ROLE to built-in"
    if definition is None:
        said = "CMK_NARROW_ROLE is strict, and the role that it names does not exist: no plan of KV-ACCESS can be carried out"
        return Check(name, "rights", Result.FAIL, said, todo)
    blocks = wire.rows(wire.obj(definition, "properties"), "permissions")
    given = {word for field in ("actions", "dataActions") for it in blocks for word in wire.words(it, field)}
    if {fold(word) for word in given} != {fold(word) for word in KEY_USER}:
        said = f"the strict narrow role gives {listed(sorted(given))} instead of {listed(sorted(KEY_USER))}"
        return Check(name, "rights", Result.FAIL, said, todo)
    return Check(name, "rights", Result.PASS, "the strict narrow role is there and gives exactly what it must")


def on_writer(held: Sequence[Holding], scope: str, *, is_needed: bool) -> Iterator[Check]:
    """Say what the writer lacks at a scope. `is_needed`: something may happen there by itself."""
    lacking = lacks(held, scope, WRITES)
    if lacking:
        yield Check(
            "writer-role", "rights", Result.FAIL if is_needed else Result.WARN,
            f"at {scope} the writer may not {listed(lacking)}: what is approved there will fail",
            f"give the writer the role of infra/roles/writer.json at {scope}",
        )  # fmt: skip


def on_excess(held: Sequence[Holding], scope: str) -> Iterator[Check]:
    """Say what the writer has too much of at a subscription."""
    beyond = excess(held, WRITES | GRANTS | LINKED)
    if beyond:
        yield Check(
            "writer-excess", "rights", Result.FAIL, f"at {scope} the writer can do more than it is for: {listed(beyond)}",
            "take that role from the writer; infra/roles says what it needs",
        )  # fmt: skip


def on_condition(held: Sequence[Holding], scope: str) -> Iterator[Check]:
    """Say where the writer may give roles without the condition that keeps it from giving any, or under another one."""
    giving = [it for it in held if any(it.allows(action) for action in GRANTS)]
    for it in giving:
        where = f"by {it.role} at {it.scope or scope}"
        if not it.condition.strip():
            yield Check(
                "writer-condition", "rights", Result.FAIL, f"{where} the writer may give and take any role, its own too",
                "assign infra/roles/grants.json under the text of infra/roles/grants.condition, and take this one away",
            )  # fmt: skip
        elif not is_ours(it.condition):
            yield Check(
                "writer-condition", "rights", Result.WARN, f"{where} the writer gives roles under another condition than ours",
                "compare it with infra/roles/grants.condition: it says which roles the writer may give",
            )  # fmt: skip
    if not giving:
        yield Check(
            "writer-grants", "rights", Result.WARN, f"at {scope} the writer may not narrow roles: KV-ACCESS judges and cannot mend them",
            "assign infra/roles/grants.json under infra/roles/grants.condition, if that is what you want",
        )  # fmt: skip


def is_ours(condition: str) -> bool:
    """Tell whether a condition is that of infra/roles/grants.condition, whatever its spaces and the principal it names."""
    plain = _PRINCIPAL.sub(r"\1{azure_databricks}\3", "".join(condition.split()).lower())
    return hashlib.sha256(plain.encode()).hexdigest() == CONDITION


def named_in(held: Sequence[Holding]) -> frozenset[str]:
    """Return the principals that the conditions of the writer name: AzureDatabricks, if all is well."""
    found = (_PRINCIPAL.search("".join(it.condition.split()).lower()) for it in held)
    return frozenset(match[2] for match in found if match)


def listed(words: Sequence[str]) -> str:
    """Return the first of many words, and how many there are more."""
    more = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
