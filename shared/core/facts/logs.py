"""A diagnostic setting of a vault: which logs go where. AZURE 8.1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LogSetting:
    """One setting. `workspace` is the id of a Log Analytics workspace in lower case, '' where it goes to none.

    `elsewhere` names the other kinds of places that it sends to. `audits`: the audit log is among what it sends. `raw` are
    its properties as they came.
    """

    name: str
    workspace: str
    elsewhere: tuple[str, ...]
    audits: bool
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_seen(self) -> bool:
        """Whether the audit log reaches a place where people can ask it questions."""
        return self.audits and bool(self.workspace)
