"""A copy of the repository in which the product believes something else: every constant changed, every parser broken.

The simulator must not notice: it is not to know what the product expects of Azure.
"""

import ast
import shutil
from pathlib import Path

PRODUCT = ("shared", "remediators", "function_app.py")
COPIED = (*PRODUCT, "simulator", "infra", "tests/simulator", "tests/__init__.py", "tests/reference.py")
PARSERS = ("parse", "read", "from_")


class Mutation(ast.NodeTransformer):
    """Changes every string (patterns are strings), number and byte string, and empties every parser."""

    def __init__(self) -> None:
        self.constants = 0
        self.parsers = 0

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """A value that is no name of Python's own."""
        value = node.value
        if isinstance(value, bool) or value is None or value is Ellipsis:
            return node
        self.constants += 1
        if isinstance(value, str):
            return ast.copy_location(ast.Constant(f"{value}~"), node)
        if isinstance(value, bytes):
            return ast.copy_location(ast.Constant(value + b"~"), node)
        return ast.copy_location(ast.Constant(value + 1), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """A parser answers nothing; any other function keeps its shape."""
        if self._parses(node):
            self.parsers += 1
            node.body = [ast.Return(ast.Constant(None))]
            node.decorator_list = []
            return node
        self.generic_visit(node)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        """The constant parts of an f-string."""
        for at, part in enumerate(node.values):
            if isinstance(part, ast.Constant):
                node.values[at] = self.visit_Constant(part)
            else:
                self.generic_visit(part)
        return node

    def _parses(self, node: ast.FunctionDef) -> bool:
        return self._is_parser_module or node.name.lstrip("_").startswith(PARSERS)

    _is_parser_module = False

    def of(self, path: Path) -> None:
        """Change one file."""
        self._is_parser_module = any(part.startswith("parse") for part in path.parts[-3:])
        tree = self.visit(ast.parse(path.read_text()))
        path.write_text(ast.unparse(ast.fix_missing_locations(tree)))


def copied(root: Path, folder: Path) -> Path:
    """The parts of the repository that matter here, in a folder of their own."""
    for name in COPIED:
        source, target = root / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "storage"))
        else:
            shutil.copy(source, target)
    return folder


def mutated(root: Path, folder: Path) -> Mutation:
    """A copy with the product changed; says how much was."""
    copied(root, folder)
    mutation = Mutation()
    for name in PRODUCT:
        for path in [folder / name] if name.endswith(".py") else sorted((folder / name).rglob("*.py")):
            mutation.of(path)
    return mutation
