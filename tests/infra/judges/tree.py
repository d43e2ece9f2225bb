"""Prints the syntax tree of a Bicep file as JSON. Run by the Python of .infra, which has the grammar."""

import json
import sys
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep


def told(node: Any) -> dict[str, Any]:
    """Return a node as JSON: its type, its line, its text, whether the grammar had to invent it, and its children."""
    return {
        "type": node.type,
        "line": node.start_point[0] + 1,
        "text": node.text.decode(),
        "wrong": node.is_error or node.is_missing,
        "children": [told(child) for child in node.children if child.is_named or child.is_missing or child.is_error],
    }


if __name__ == "__main__":
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    sys.stdout.write(json.dumps(told(parser.parse(Path(sys.argv[1]).read_bytes()).root_node)))
