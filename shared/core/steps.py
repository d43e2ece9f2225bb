"""A Step: one write to Azure as data, with the request that carries it out as a pure function of it.

A step's id is the hash of its kind, resource and `after`, never of `before`: it names the end state a person can
agree to (DESIGN 3). Each kind of step has its one builder in `moves/`, next to the body it sends.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One ARM write: what goes over the wire. `path` is the resource id; `below` is what follows it, as `/keys/k`.

    `is_long`: Azure goes on with it after it has answered.
    """

    method: str
    path: str
    body: Mapping[str, Any]
    below: str = ""
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One idempotent write. `permission` is the ARM action it needs; `irreversible` cannot be undone by anybody.

    `settles`: it takes effect later than Azure says; what follows waits, and is planned anew then. `not_before`: the
    step relies on something so young that it must not run earlier. Neither belongs to the end state, so to the id.
    `note` says what people should know of it: what it costs, what undoing would. `by_hand`: a person does and confirms it. `urgent`: the
    step before it stops something until this one is done.

    `resource` and `after` may hold references to values that exist only later, as `${key}` (`core/refs.py`): the id is
    that of the step as it was agreed to, whatever they turn out to be.
    """

    kind: str
    resource: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    permission: str
    irreversible: bool = False
    grants: bool = False  # gives somebody a permission that they do not hold
    takes: bool = False  # deletes something: no lock may stand against it
    settles: bool = False
    not_before: datetime | None = None
    note: str = ""
    by_hand: bool = False
    urgent: bool = False

    @property
    def id(self) -> str:
        """32 hex digits that change when, and only when, the end state does."""
        text = json.dumps([self.kind, self.resource.lower(), self.after], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]
