"""Evaluates template expressions: with parameters, variables and loop counters, in the scope of one deployment.

What only Azure knows at run time (`reference`, `list...`) stays an expression, a Later; so does what is made from it.
"""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

from tests.infra.judges.complaint import Complaint, Fault, step
from tests.infra.judges.functions import DEFAULTS, FUNCTIONS
from tests.infra.judges.ids import IDS
from tests.infra.judges.scope import ENVIRONMENT, Scope
from tests.infra.judges.syntax import Call, Literal, Member, Node, is_expression, parse, shown

PLACES = {"resourcegroup", "subscription", "managementgroup", "deployment", "tenant"}
LISTS = re.compile(r"list\w+")
KEEPS = {"createobject", "createarray", "array", "coalesce"}  # a Later stays itself inside what these make


class Later(str):  # noqa: SLOT000 (a text that carries what it asks for)
    """An expression whose value Azure knows after the deployment; `target` is the resource it asks, `asks` what of it."""

    node: Node
    target: str = ""
    versioned: bool = False
    asks: tuple[Any, ...] = ()

    @classmethod
    def of(cls, node: Node, target: str = "", asks: tuple[Any, ...] = (), versioned: bool = False) -> "Later":
        """Return the expression that a tree would be written as."""
        later = cls(f"[{shown(node)}]")
        later.node, later.target, later.asks, later.versioned = node, target, asks, versioned
        return later

    @classmethod
    def call(cls, name: str, values: list[Any]) -> "Later":
        """Return the call of a function with what its arguments have become."""
        return cls.of(Call(name, tuple(map(_written, values))))


def _written(value: Any) -> Node:
    if isinstance(value, Later):
        return value.node
    return Literal(value if isinstance(value, (str, int)) else json.dumps(value))


class Evaluator:
    """The names that an expression may use, and what they stand for."""

    def __init__(self, scope: Scope, parameters: dict[str, Any], variables: dict[str, Any], base: str) -> None:
        self.scope = scope
        self.parameters = parameters
        self.variables = variables
        self.base = base
        self.complaints: list[Complaint] = []
        self.laters: list[Later] = []
        self.defaults = False  # newGuid and utcNow are known only there
        self.outputs: dict[
            str, dict[str, Any]
        ] = {}  # of nested deployments that are through, by id and by name in lower case
        self._known: dict[str, Any] = {}
        self._names: dict[str, Any] = {}  # of lambdas
        self._loops: dict[str, int] = {}

    def inside(self, loop: str, index: int) -> "Evaluator":
        """Return the same evaluator at one turn of a copy loop."""
        turn = copy.copy(self)
        turn._loops = {**self._loops, loop: index, "": index}  # noqa: SLF001 (a copy of itself)
        return turn

    def tree(self, value: Any, path: str) -> Any:
        """Return JSON with its expressions evaluated. What cannot be is a complaint and becomes null."""
        if isinstance(value, str):
            try:
                return self.leaf(value)
            except Fault as fault:
                self.complaints.append(Complaint(path, str(fault)))
                return None
        if isinstance(value, list):
            return [self.tree(item, step(path, at)) for at, item in enumerate(value)]
        if isinstance(value, dict):
            return self._object(value, path)
        return value

    def leaf(self, text: str) -> Any:
        """Return the value of a text: evaluated, or as it stands. Raises Fault."""
        if is_expression(text):
            return self.value(parse(text))
        return text[1:] if text.startswith("[[") else text

    def value(self, node: Node) -> Any:
        """Return the value of a tree. Raises Fault."""
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Member):
            return self._member(node)
        name = node.name.lower()
        special = SPECIAL.get(name)
        if special:
            return special(self, node)
        values = [self.value(argument) for argument in node.arguments]
        if name == "reference" or LISTS.fullmatch(name):
            return self._later(node, values)
        return self._applied(node, name, values)

    def _applied(self, node: Call, name: str, values: list[Any]) -> Any:
        if name in PLACES:
            return self.scope.facts(name)
        if name == "environment":
            return ENVIRONMENT
        function = FUNCTIONS.get(name) or (DEFAULTS.get(name) if self.defaults else None)
        if name in IDS:
            function = lambda *args: IDS[name](self.scope, *args)  # noqa: E731
        if not function:
            raise Fault(f"unknown function {node.name}")
        if name not in KEEPS and any(isinstance(value, Later) for value in values):
            return Later.call(node.name, values)
        try:
            return function(*values)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError) as error:
            raise Fault(f"{shown(node)}: {error}") from error

    def _later(self, node: Call, values: list[Any]) -> Later:
        later = Later.call(node.name, values)
        later.target, later.versioned = str(values[0]) if values else "", len(values) > 1
        self.laters.append(later)
        return later

    def _member(self, node: Member) -> Any:
        whole, key = self.value(node.of), self.value(node.key)
        if isinstance(whole, Later):
            return self._asked(
                Later.of(
                    Member(whole.node, Literal(key), node.optional), whole.target, (*whole.asks, key), whole.versioned
                )
            )
        if isinstance(whole, dict):
            found = {name.lower(): value for name, value in whole.items()}
            if str(key).lower() in found:
                return found[str(key).lower()]
        if isinstance(whole, list) and isinstance(key, int) and -1 < key < len(whole):
            return whole[key]
        if node.optional:
            return None
        raise Fault(f"{shown(node.of)} has no {key!r}")

    def _asked(self, later: Later) -> Any:
        """Return what a nested deployment has put out, where that is what an expression asks for."""
        self.laters.append(later)
        outputs = self.outputs.get(later.target.lower())
        if outputs is None or later.asks[:1] != ("outputs",) or len(later.asks) != 3:
            return later
        if later.asks[1] not in outputs or later.asks[2] != "value":
            raise Fault(f"{later}: that deployment's outputs are {', '.join(outputs) or 'none'}")
        return outputs[str(later.asks[1])]

    def _object(self, value: dict[str, Any], path: str) -> dict[str, Any]:
        whole: dict[str, Any] = {}
        for key, item in value.items():
            if key == "copy" and isinstance(item, list):
                for at, loop in enumerate(item):
                    whole[loop["name"]] = self.repeated(loop, step(step(path, "copy"), at))
            else:
                whole[str(self.tree(key, path))] = self.tree(item, step(path, key))
        return whole

    def repeated(self, loop: dict[str, Any], path: str) -> list[Any]:
        """Return what each turn of a property's copy loop makes."""
        return [
            self.inside(loop["name"], index).tree(loop["input"], step(path, "input"))
            for index in range(self.count(loop, path))
        ]

    def count(self, loop: dict[str, Any], path: str) -> int:
        """Return how often a copy loop turns; a complaint and 0 where that is no number."""
        count = self.tree(loop.get("count"), step(path, "count"))
        if isinstance(count, int) and not isinstance(count, bool):
            return count
        self.complaints.append(Complaint(step(path, "count"), f"{count!r} is no number of turns"))
        return 0

    def variable(self, name: str) -> Any:
        """Return a variable's value, evaluated once. Raises Fault for one that is not there, or needs itself."""
        loops = {loop["name"]: loop for loop in self.variables.get("copy", [])}
        if name not in self.variables and name not in loops:
            raise Fault(f"undefined variable {name!r}")
        if name not in self._known:
            self._known[name] = Fault(f"variable {name!r} needs itself")
            path = step(step(self.base, "variables"), name)
            loop = loops.get(name)
            top = self._top()
            self._known[name] = top.repeated(loop, path) if loop else top.tree(self.variables[name], path)
        if isinstance(self._known[name], Fault):
            raise self._known[name]
        return self._known[name]

    def _top(self) -> "Evaluator":
        """Return the same evaluator outside of every loop and lambda: there variables are evaluated."""
        top = copy.copy(self)
        top._loops, top._names = {}, {}  # noqa: SLF001 (a copy of itself)
        return top

    def named(self, names: dict[str, Any]) -> "Evaluator":
        """Return the same evaluator inside a lambda, whose arguments have these values."""
        inner = copy.copy(self)
        inner._names = {**self._names, **names}  # noqa: SLF001 (a copy of itself)
        return inner

    def argument(self, name: str) -> Any:
        """Return the value of a lambda's argument. Raises Fault."""
        if name not in self._names:
            raise Fault(f"undefined lambda variable {name!r}")
        return self._names[name]

    def turn(self, loop: str) -> int:
        """Return the counter of a copy loop, of the innermost by default. Raises Fault outside of it."""
        if loop not in self._loops:
            raise Fault(f"copyIndex({loop!r}) outside of that loop")
        return self._loops[loop]


def _parameter(self: Evaluator, node: Call) -> Any:
    name = self.value(node.arguments[0])
    if name not in self.parameters:
        raise Fault(f"undefined parameter {name!r}")
    return self.parameters[name]


def _variable(self: Evaluator, node: Call) -> Any:
    return self.variable(str(self.value(node.arguments[0])))


def _if(self: Evaluator, node: Call) -> Any:
    if len(node.arguments) != 3:
        raise Fault("if takes three arguments")
    condition = self.value(node.arguments[0])
    if isinstance(condition, Later):
        return Later.of(node)
    if not isinstance(condition, bool):
        raise Fault(f"if({condition!r}, ...) needs true or false")
    return self.value(node.arguments[1 if condition else 2])


def _junction(stop: bool) -> Callable[[Evaluator, Call], Any]:
    def evaluated(self: Evaluator, node: Call) -> Any:
        for argument in node.arguments:
            value = self.value(argument)
            if isinstance(value, Later):
                return Later.of(node)
            if not isinstance(value, bool):
                raise Fault(f"{node.name} takes true and false, not {value!r}")
            if value is stop:
                return stop
        return not stop

    return evaluated


def _coalesce(self: Evaluator, node: Call) -> Any:
    return next((value for argument in node.arguments if (value := self.value(argument)) is not None), None)


def _copy_index(self: Evaluator, node: Call) -> int:
    values = [self.value(argument) for argument in node.arguments]
    loop = next((value for value in values if isinstance(value, str)), "")
    return self.turn(loop) + next((value for value in values if isinstance(value, int)), 0)


def _turns(self: Evaluator, node: Call) -> list[tuple[Any, Any]]:
    """Return each item of a list with what the lambda makes of it."""
    items, inner = self.value(node.arguments[0]), node.arguments[1]
    if not isinstance(items, list) or not isinstance(inner, Call) or inner.name.lower() != "lambda":
        raise Fault(f"{node.name} takes a list and a lambda")
    name = str(self.value(inner.arguments[0]))
    return [(item, self.named({name: item}).value(inner.arguments[-1])) for item in items]


def _map(self: Evaluator, node: Call) -> list[Any]:
    return [made for _, made in _turns(self, node)]


def _filter(self: Evaluator, node: Call) -> list[Any]:
    return [item for item, wanted in _turns(self, node) if wanted is True]


def _lambda_variable(self: Evaluator, node: Call) -> Any:
    return self.argument(str(self.value(node.arguments[0])))


# Functions that look at names, or do not evaluate all of their arguments.
SPECIAL: dict[str, Callable[[Evaluator, Call], Any]] = {
    "parameters": _parameter,
    "variables": _variable,
    "if": _if,
    "and": _junction(stop=False),
    "or": _junction(stop=True),
    "coalesce": _coalesce,
    "copyindex": _copy_index,
    "map": _map,
    "filter": _filter,
    "lambdavariables": _lambda_variable,
}
NAMES = {*SPECIAL, *FUNCTIONS, *IDS, *PLACES, "environment", "reference", "lambda"}
