"""A small Azure Policy engine: a definition and a resource in, the effect out. After Microsoft's pages on policy rules and arrays.

Comparisons go without case; `match` alone does not. A field of an array alias must hold for each member, an empty array
included. What is missing is equal to nothing, so every `not...` condition holds of it, and no order does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.infra.policy import fields
from tests.infra.policy.expression import UnknownWordError, is_expression, moment, work_out

type Json = Mapping[str, Any]

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LATEST_API = "2026-02-01"  # what resources that exist already are judged by: always the newest of their type
_ABOUT_OTHERS = frozenset({"auditifnotexists", "deployifnotexists"})


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One resource before one definition. `related`: resources that an ...IfNotExists effect looks at."""

    definition: Json
    resource: Json
    values: Json = field(default_factory=dict)
    related: Sequence[Json] = ()
    api: str = LATEST_API
    now: datetime = NOW

    def parameter(self, name: str) -> Any:
        """Return a parameter: as it was given, else its default."""
        told = self.definition["parameters"][name]
        return self.values.get(name, told.get("defaultValue"))


def effect(at: Evaluation) -> str:
    """Return the effect that the definition has on the resource, in lower case; '' where it has none."""
    rule = at.definition["policyRule"]
    look = _Look(at, at.resource)
    chosen = str(look.value(rule["then"]["effect"])).lower()
    if chosen == "disabled" or not look.holds(rule["if"]):
        return ""
    if chosen in _ABOUT_OTHERS and _has_related(at, rule["then"]["details"]):
        return ""
    return chosen


def _has_related(at: Evaluation, details: Json) -> bool:
    own = _Look(at, at.resource)
    wanted = str(details["type"]).lower()
    named = str(own.value(details["name"])).lower() if "name" in details else ""
    for it in at.related:
        is_meant = str(it["type"]).lower() == wanted and (not named or str(it["name"]).lower() == named)
        if is_meant and ("existenceCondition" not in details or _Look(at, it).holds(details["existenceCondition"])):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Look:
    """A resource under a rule, with the members that counts have picked, by alias or name in lower case."""

    at: Evaluation
    resource: Json
    picked: Mapping[str, Any] = field(default_factory=dict)

    def holds(self, rule: Json) -> bool:
        words = {name.lower(): it for name, it in rule.items()}
        if "allof" in words:
            return all(self.holds(it) for it in words["allof"])
        if "anyof" in words:
            return any(self.holds(it) for it in words["anyof"])
        if "not" in words:
            return not self.holds(words["not"])
        (operator,) = words.keys() - {"field", "value", "count"}
        wanted = self.value(words[operator])
        return all(compare(operator, it, wanted) for it in self._subjects(words))

    def _subjects(self, rule: Json) -> Sequence[Any]:
        if "count" in rule:
            return [self._count(rule["count"])]
        if "value" in rule:
            return [self.value(rule["value"])]
        found = self.field(self.value(rule["field"]))
        return found if isinstance(found, tuple) else (found,)

    def field(self, name: str) -> Any:
        """Return what a field names, where a count has picked a member: of that member alone."""
        for alias, member in self.picked.items():
            if name.lower() == alias:
                return (member,)
            if alias.endswith("[*]") and name.lower().startswith(f"{alias}."):
                return tuple(_below(member, name[len(alias) + 1 :]))
            if name.lower().startswith(f"{alias.removesuffix('[*]')}."):  # logs.enabled inside a count of logs[*]
                return next(iter(_below(member, name[len(alias) - 2 :])), None)
        return fields.read(self.resource, name)

    def _count(self, rule: Json) -> int:
        if "value" in rule:
            alias, members = str(rule.get("name", "default")).lower(), self.value(rule["value"])
        else:
            alias, members = str(rule["field"]).lower(), self.field(rule["field"])
        where = rule.get("where")
        if where is None:
            return len(members)
        return sum(_Look(self.at, self.resource, {**self.picked, alias: it}).holds(where) for it in members)

    def value(self, told: Any) -> Any:
        if isinstance(told, list):
            return [self.value(it) for it in told]
        return work_out(told, self._functions()) if is_expression(told) else told

    def _functions(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "parameters": self.at.parameter,
            "field": self._of_the_judged,
            "current": self._current,
            "utcnow": self.at.now.isoformat,
            "requestcontext": lambda: {"apiVersion": self.at.api},
            "subscription": lambda: {"subscriptionId": str(self.at.resource["id"]).split("/")[2]},
            "resourcegroup": lambda: {"name": str(self.at.resource["id"]).split("/")[4], "managedBy": ""},
        }

    def _of_the_judged(self, name: str) -> Any:
        """`field()` reads the resource of the `if`, and gives '' for what is not there, an array for many values."""
        found = _Look(self.at, self.at.resource, self.picked).field(name)
        if isinstance(found, tuple):
            return list(found)
        return "" if found is None else found

    def _current(self, name: str = "default") -> Any:
        for alias, member in self.picked.items():
            if name.lower() == alias:
                return member
            if name.lower().startswith(f"{alias}."):
                return next(iter(_below(member, name[len(alias) + 1 :])), "")
        raise UnknownWordError(f"current({name!r}) outside of its count")


def _below(member: Any, path: str) -> list[Any]:
    return fields.follow([member], path.split("."), inside=True)


def compare(operator: str, found: Any, wanted: Any) -> bool:
    """Whether a condition holds. Raises UnknownWordError for an operator that is not known."""
    if operator == "exists":
        return (found is not None) == (plain(wanted) == "true")
    if operator in _POSITIVE:
        return found is not None and _POSITIVE[operator](found, wanted)
    positive = operator.removeprefix("not")
    if operator.startswith("not") and positive in _POSITIVE:
        return found is None or not _POSITIVE[positive](found, wanted)
    raise UnknownWordError(f"the condition {operator} is not known")


def is_condition(operator: str) -> bool:
    """Whether a condition is known, by its name in lower case."""
    return operator == "exists" or operator.removeprefix("not") in _POSITIVE


def plain(value: Any) -> str:
    """Return a value as it is compared: true and "True", 1 and "1" are the same."""
    return str(value).lower()


def _contains(found: Any, wanted: Any) -> bool:
    return plain(wanted) in ([plain(it) for it in found] if isinstance(found, list) else plain(found))


def _like(found: Any, wanted: Any) -> bool:
    before, _, after = plain(wanted).partition("*")
    whole = plain(found)
    if "*" not in plain(wanted):
        return whole == before
    return len(whole) >= len(before) + len(after) and whole.startswith(before) and whole.endswith(after)


_SIGNS = {"#": r"\d", "?": r"[A-Za-z]", ".": "."}


def _match(found: Any, wanted: Any) -> bool:
    return bool(re.fullmatch("".join(_SIGNS.get(sign, re.escape(sign)) for sign in str(wanted)), str(found)))


def _order(found: Any, wanted: Any) -> int:
    """Return -1, 0 or 1: numbers as numbers, times as times, other texts without case."""
    if isinstance(found, int) != isinstance(wanted, int):
        raise UnknownWordError(f"Azure raises an error where types differ: {found!r} and {wanted!r}")
    left, right = (found, wanted) if isinstance(found, int) else _texts(str(found), str(wanted))
    return int(left > right) - int(left < right)


def _texts(found: str, wanted: str) -> tuple[Any, Any]:
    try:
        return moment(found), moment(wanted)
    except ValueError:
        return found.lower(), wanted.lower()


_POSITIVE: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda a, b: plain(a) == plain(b),
    "in": lambda a, b: plain(a) in {plain(it) for it in b},
    "contains": _contains,
    "containskey": lambda a, b: fields.folded(a, b) is not None,
    "like": _like,
    "match": _match,
    "matchinsensitively": lambda a, b: _match(plain(a), plain(b)),
    "less": lambda a, b: _order(a, b) < 0,
    "lessorequals": lambda a, b: _order(a, b) <= 0,
    "greater": lambda a, b: _order(a, b) > 0,
    "greaterorequals": lambda a, b: _order(a, b) >= 0,
}
