"""Who may do what at a vault: assignments, definitions, denials and locks, as the reader. AZURE 3, 7."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.adapters.pace import Pace
from shared.adapters.rest import Rest
from shared.core.ids import ResourceId

Json = Mapping[str, Any]

_AUTHORIZATION = "2022-04-01"
_SCHEDULES = "2020-10-01"
_LOCKS = "2020-05-01"
_BUILT_IN_LIVES = 86_400  # seconds; Azure's own roles change a few times a year


class ArmGrants:
    """Lists of Microsoft.Authorization."""

    def __init__(self, rest: Rest, pace: Pace | None = None) -> None:
        self._rest, self._pace = rest, pace or Pace()
        self._built_in: dict[str, Json] = {}
        self._asked = 0.0

    def assignments(self, vault: ResourceId) -> Sequence[Json]:
        """Return the role assignments at the vault, above it and below it."""
        return list(self._list(vault, "roleAssignments", _AUTHORIZATION))

    def assigned_to(self, vault: ResourceId, principal: str) -> Sequence[Json]:
        """Return those that a principal holds there, by itself and by groups."""
        return list(self._list(vault, "roleAssignments", _AUTHORIZATION, f"assignedTo('{principal}')"))

    def definitions(self, vault: ResourceId, roles: frozenset[str]) -> Sequence[Json]:
        """Return the definitions of these roles. Built-in ones are kept for a day, custom ones read each time."""
        is_old = not self._built_in or time.monotonic() - self._asked > _BUILT_IN_LIVES
        if is_old:
            self._learn(vault)
        missing = roles - set(self._built_in)
        custom = self._by_guid(vault, "CustomRole") if missing else {}
        if missing - set(custom) and not is_old:  # a role that Azure has brought out since
            self._learn(vault)
        found = {**self._built_in, **custom}
        return [found[role] for role in sorted(roles) if role in found]

    def _learn(self, vault: ResourceId) -> None:
        self._built_in, self._asked = self._by_guid(vault, "BuiltInRole"), time.monotonic()

    def _by_guid(self, vault: ResourceId, kind: str) -> dict[str, Json]:
        found = self._list(vault, "roleDefinitions", _AUTHORIZATION, f"type eq '{kind}'")
        return {str(body.get("name", "")).lower(): body for body in found}

    def denials(self, vault: ResourceId) -> Sequence[Json]:
        """Return the deny assignments that reach the vault."""
        return list(self._list(vault, "denyAssignments", _AUTHORIZATION))

    def schedules(self, vault: ResourceId) -> Sequence[Json]:
        """Return the assignments as Privileged Identity Management sees them."""
        return list(self._list(vault, "roleAssignmentScheduleInstances", _SCHEDULES))

    def listed(self, kind: str, subscription: str, wanted: str = "") -> Iterator[Json]:
        """Yield all of a kind at a subscription, above it and below it."""
        self._pace.give_way(subscription)
        query = {"$filter": wanted} if wanted else {}
        path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/{kind}"
        yield from self._rest.pages(path, _AUTHORIZATION, **query)

    def locks(self, vault: ResourceId) -> Sequence[Json]:
        """Return the locks on the vault and above it."""
        return list(self._list(vault, "locks", _LOCKS, "atScope()"))

    def _list(self, vault: ResourceId, kind: str, version: str, wanted: str = "") -> Any:
        query = {"$filter": wanted} if wanted else {}
        return self._rest.pages(f"{vault}/providers/Microsoft.Authorization/{kind}", version, **query)
