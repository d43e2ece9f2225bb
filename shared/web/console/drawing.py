"""Who uses the keys of a vault, as a drawing: layers on the left, keys in the middle, the identities that ask on the right."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.graph import Identity, Use
from shared.core.ticket.escape import line

_MOST = 40  # uses that are drawn; the table beside has all of them
_ROW, _TOP, _WIDTH = 34, 44, 290  # pixels
_COLUMNS = (0, 330, 660)
_LETTERS = 36  # of a name


@dataclass(frozen=True, slots=True)
class Node:
    """A box with a text. `kind` is layer, key or identity."""

    x: int
    y: int
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two boxes. `is_broken`: the layer cannot use its key as things stand."""

    x1: int
    y1: int
    x2: int
    y2: int
    is_broken: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and lines; `left_out` counts the uses for which there was no room."""

    width: int
    height: int
    box: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int


def drawn(graph: Mapping[str, Any]) -> Drawing | None:
    """Return the drawing of a vault's graph; None where nobody uses its keys."""
    uses: Sequence[Use] = graph["uses"]
    if not uses:
        return None
    kinds = {it.principal: it.kind for it in graph["identities"] if isinstance(it, Identity)}
    broken = set(graph["broken"])
    columns: tuple[dict[str, Node], ...] = ({}, {}, {})
    edges = list[Edge]()
    for use in uses[:_MOST]:
        names = (f"{_last(use.workspace)} · {use.layer}", use.key or "(no key named)", _identity(use, kinds))
        marks = (f"{use.workspace}/{use.layer}", use.key, use.principal)
        nodes = [
            _node(column, mark, name, number)
            for number, (column, mark, name) in enumerate(zip(columns, marks, names, strict=True))
        ]
        edges += [_edge(a, b, use in broken) for a, b in itertools.pairwise(nodes)]
    height = _TOP + _ROW * max(len(column) for column in columns)
    found = tuple(node for column in columns for node in column.values())
    return Drawing(_COLUMNS[-1] + _WIDTH, height, _WIDTH, found, tuple(dict.fromkeys(edges)), max(0, len(uses) - _MOST))


def _node(column: dict[str, Node], mark: str, text: str, number: int) -> Node:
    kind = ("layer", "key", "identity")[number]
    fresh = Node(_COLUMNS[number], _TOP + _ROW * len(column), line(text, _LETTERS), kind)
    return column.setdefault(mark.lower(), fresh)


def _edge(left: Node, right: Node, is_broken: bool) -> Edge:
    half = (_ROW - 8) // 2
    return Edge(left.x + _WIDTH, left.y + half, right.x, right.y + half, is_broken)


def _identity(use: Use, kinds: Mapping[str, Any]) -> str:
    if not use.principal:
        return "(identity not known)"
    return f"{kinds.get(use.principal, 'identity')} {use.principal[:8]}"


def _last(target: str) -> str:
    return target.rsplit("/", 1)[-1]
