"""What one role definition allows: actions with wildcards, exceptions, and the conditions on them.

`*` stands for any run of characters and case does not count. A permission whose condition cannot be read allows nothing.
"""

import re

from simulator.arm.abac import BadCondition, Facts, Test, parse
from simulator.arm.answer import Json
from simulator.arm.router import fold

Pattern = re.Pattern[str]


class Role:
    """One definition, with a memory of the questions it was asked."""

    def __init__(self, body: Json) -> None:
        properties = body.get("properties") or {}
        self.guid = fold(str(body["id"]).rsplit("/", 1)[-1])
        self.name = str(properties.get("roleName", ""))
        self.scopes = tuple(fold(str(each)) for each in properties.get("assignableScopes") or ["/"])
        self._rules = [_Rule(each) for each in properties.get("permissions") or []]
        self._answers: dict[tuple[str, bool], tuple[Test, ...] | None] = {}

    def tests(self, action: str, *, data: bool = False) -> tuple[Test, ...] | None:
        """What must hold before the action (lower case) is allowed, one of them; empty: nothing. None: it is not."""
        key = (action, data)
        if key not in self._answers:
            self._answers[key] = self._ask(action, data=data)
        return self._answers[key]

    def _ask(self, action: str, *, data: bool) -> tuple[Test, ...] | None:
        found = [rule.condition for rule in self._rules if rule.names(action, data=data)]
        if not found:
            return None
        return () if None in found else tuple(each for each in found if each)

    def allows(self, action: str) -> bool:
        """Whether the control-plane action (lower case) is in it, on whatever condition."""
        return self.tests(action) is not None

    def allows_data(self, action: str) -> bool:
        """Whether the data-plane action (lower case) is in it."""
        return self.tests(action, data=True) is not None


class _Rule:
    """One entry of `permissions`."""

    def __init__(self, entry: Json) -> None:
        self._control = patterns(entry.get("actions")), patterns(entry.get("notActions"))
        self._data = patterns(entry.get("dataActions")), patterns(entry.get("notDataActions"))
        self.condition = condition(entry.get("condition"))

    def names(self, action: str, *, data: bool) -> bool:
        """Whether the action is listed and not taken back."""
        yes, no = self._data if data else self._control
        return yes.fullmatch(action) is not None and no.fullmatch(action) is None


def condition(text: object) -> Test | None:
    """A stored condition as a test; none for no condition, a refusal for one that cannot be read."""
    if not text:
        return None
    try:
        return parse(str(text))
    except BadCondition:
        return _never


def _never(_facts: Facts) -> bool:
    return False


def patterns(actions: list[str] | None) -> Pattern:
    """One expression for a list of actions with wildcards; an empty list matches nothing."""
    alternatives = [re.escape(fold(each)).replace(r"\*", ".*") for each in actions or []]
    return re.compile("|".join(alternatives) if alternatives else r"(?!)", re.DOTALL)
