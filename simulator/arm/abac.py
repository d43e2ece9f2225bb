"""Conditions of role assignments (Azure ABAC): from their text to a test of one request.

Understood is what guards the granting of roles: ActionMatches, `!`, AND, OR, parentheses, and comparisons of the
attributes of Microsoft.Authorization/roleAssignments with constants (AZURE 3.3; 24 of the 35 conditions in
role_definitions.jsonl). Everything else raises `BadCondition`: a condition that is not understood must never let anybody pass.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from simulator.arm.router import fold

LONGEST = 8192  # characters; the limit of Azure is 8 KB [LEARN role-based-access-control/conditions-format]
DEEPEST = 50  # parentheses in parentheses: a text must not exhaust the stack


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may ask about: the action, the assignment that is sent and the one that is stored."""

    action: str = ""
    request: Mapping[str, str] = field(default_factory=dict)  # attribute in lower case -> value
    resource: Mapping[str, str] = field(default_factory=dict)


Test = Callable[[Facts], bool | None]  # None: it depends on something that is not there, and lets nobody pass
Compare = Callable[[str, str], bool]


class BadCondition(Exception):  # noqa: N818 - it is the condition that is bad
    """The text is no condition, or says something that is not imitated."""


TOKEN = re.compile(
    r"\s*(?:(?P<sign>\|\||&&|[(){},!])|(?P<attribute>@\w+\s*\[[^\]]*\])|'(?P<text>[^']*)'|(?P<word>[\w:.*/-]+))"
)
ATTRIBUTE = re.compile(r"@(\w+)\s*\[\s*microsoft\.authorization/roleassignments\s*:\s*(\w+)\s*\]")
GUIDS = {"roledefinitionid", "principalid"}
STRINGS = {"principaltype"}
JOINS = {"&&": "and", "||": "or"}
# The first word counts the values of the attribute, the second the constants [LEARN conditions-format].
QUANTIFIERS = {
    "foranyofanyvalues": (any, any),
    "foranyofallvalues": (any, all),
    "forallofanyvalues": (all, any),
    "forallofallvalues": (all, all),
}


def parse(text: str) -> Test:
    """The condition as a test."""
    if len(text) > LONGEST:
        raise BadCondition("the condition is too long")
    parser = _Parser(_tokens(text))
    test = parser.either(0)
    if parser.ahead != ("", ""):
        raise BadCondition(f"nothing may follow, but '{parser.ahead[1]}' does")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kind and value of each token; text keeps its case, words lose theirs."""
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadCondition(f"cannot read '{text[at : at + 20]}'")
        kind = match.lastgroup
        value = match[kind]
        found.append((kind, value if kind == "text" else fold(value)))
        at = match.end()
    return found


class _Parser:
    """One walk over the tokens; every method returns the test of what it has read."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at = [*tokens, ("", "")], 0

    @property
    def ahead(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _next(self) -> tuple[str, str]:
        token = self.ahead
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _need(self, sign: str) -> None:
        if self._next() != ("sign", sign):
            raise BadCondition(f"'{sign}' is missing")

    def _joined(self, word: str) -> bool:
        """Take an AND or an OR, in letters or in signs."""
        if JOINS.get(self.ahead[1], self.ahead[1]) != word or self.ahead[0] not in {"sign", "word"}:
            return False
        self._next()
        return True

    def either(self, depth: int) -> Test:
        tests = [self._both(depth)]
        while self._joined("or"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda facts: _any(test(facts) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._single(depth)]
        while self._joined("and"):
            tests.append(self._single(depth))
        return tests[0] if len(tests) == 1 else lambda facts: _all(test(facts) for test in tests)

    def _single(self, depth: int) -> Test:
        if depth > DEEPEST:
            raise BadCondition("it is nested too deeply")
        kind, value = self._next()
        if (kind, value) == ("sign", "!"):
            inner = self._single(depth + 1)
            return lambda facts: None if (value := inner(facts)) is None else not value
        if (kind, value) == ("sign", "("):
            inner = self.either(depth + 1)
            self._need(")")
            return inner
        if (kind, value) == ("word", "actionmatches"):
            return _action_test(self._texts())
        if kind == "attribute":
            return self._comparison(value)
        raise BadCondition(f"'{value}' is not imitated here" if value else "it ends too early")

    def _comparison(self, attribute: str) -> Test:
        kind, value = self._next()
        if kind != "word":
            raise BadCondition(f"an operator must follow {attribute}")
        quantifier, _, name = value.rpartition(":")
        compare = _operator(name, attribute)
        constants = self._constants()
        if quantifier and quantifier not in QUANTIFIERS:
            raise BadCondition(f"'{quantifier}' is no quantifier")
        if not quantifier and len(constants) != 1:
            raise BadCondition("a set needs a quantifier")
        left, right = QUANTIFIERS[quantifier or "foranyofanyvalues"]
        source, key = _attribute(attribute)

        def test(facts: Facts) -> bool | None:
            """An attribute that is not there fulfils nothing, not even a negation: the careful reading."""
            held = (facts.request if source == "request" else facts.resource).get(key)
            if held is None:
                return None
            return left(right(compare(one, each) for each in constants) for one in [held])

        return test

    def _constants(self) -> list[str]:
        """One constant, or several in braces: quoted text or a bare GUID."""
        if self.ahead != ("sign", "{"):
            return [self._constant()]
        self._next()
        found = [self._constant()]
        while self.ahead == ("sign", ","):
            self._next()
            found.append(self._constant())
        self._need("}")
        return found

    def _constant(self) -> str:
        kind, value = self._next()
        if kind not in {"text", "word"}:
            raise BadCondition("a constant is missing")
        return value

    def _texts(self) -> list[str]:
        if self.ahead != ("sign", "{"):
            raise BadCondition("'{' is missing")
        return self._constants()


def _any(values: Iterable[bool | None]) -> bool | None:
    known = list(values)
    return True if True in known else None if None in known else False


def _all(values: Iterable[bool | None]) -> bool | None:
    known = list(values)
    return False if False in known else None if None in known else True


def _attribute(text: str) -> tuple[str, str]:
    match = ATTRIBUTE.fullmatch(text)
    if match is None or match[1] not in {"request", "resource"} or match[2] not in GUIDS | STRINGS:
        raise BadCondition(f"the attribute {text} is not imitated here")
    return match[1], match[2]


def _operator(name: str, attribute: str) -> Compare:
    """GUIDs are compared as GUIDs and types as text; Azure refuses the rest as well."""
    table = GUID_OPERATORS if _attribute(attribute)[1] in GUIDS else STRING_OPERATORS
    if name not in table:
        raise BadCondition(f"the operator '{name}' does not fit {attribute}")
    return table[name]


def _action_test(patterns: list[str]) -> Test:
    wanted = re.compile("|".join(re.escape(fold(each)).replace(r"\*", ".*") for each in patterns))
    return lambda facts: wanted.fullmatch(fold(facts.action)) is not None


def _same_guid(left: str, right: str) -> bool:
    """With and without hyphens: recorded conditions have both."""
    return fold(left).replace("-", "") == fold(right).replace("-", "")


def _like(left: str, right: str) -> bool:
    pattern = re.escape(right).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, left) is not None


def _same(left: str, right: str) -> bool:
    return left == right


def _all_forms(kind: str, name: str, compare: Compare) -> dict[str, Compare]:
    """An operator with its negation and, for text, both of them without regard to case."""

    def relaxed(left: str, right: str) -> bool:
        return compare(fold(left), fold(right))

    return {
        f"{kind}{name}": compare,
        f"{kind}not{name}": lambda left, right: not compare(left, right),
        f"{kind}{name}ignorecase": relaxed,
        f"{kind}not{name}ignorecase": lambda left, right: not relaxed(left, right),
    }


GUID_OPERATORS: dict[str, Compare] = {
    "guidequals": _same_guid,
    "guidnotequals": lambda left, right: not _same_guid(left, right),
}
STRING_OPERATORS: dict[str, Compare] = {
    **_all_forms("string", "equals", _same),
    **_all_forms("string", "like", _like),
    **_all_forms("string", "startswith", str.startswith),
}
