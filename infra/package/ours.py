"""Which files of ours run in production: what `function_app` imports, at whatever depth, and what its pages are made of."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_CODE = ("shared", "remediators")
# Runbooks lie beside the code and are for people; these are what the code itself reads.
_READ = {".html", ".css", ".js", ".svg"}


def files() -> list[Path]:
    """Return them relative to the checkout, sorted. An import inside a function counts: it happens some day."""
    read = {path for folder in _CODE for path in (ROOT / folder).rglob("*") if path.suffix in _READ}
    return sorted({Path("host.json"), *(path.relative_to(ROOT) for path in {*_modules(), *read})})


def copy(to: Path) -> None:
    """Copy them into a folder."""
    for path in files():
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, to / path)


def _modules() -> set[Path]:
    found: set[Path] = set()
    names = ["function_app"]
    while names:
        for path in _files_of(names.pop()):
            if path not in found:
                found.add(path)
                names.extend(_imported(path))
    return found


def _files_of(name: str) -> Iterator[Path]:
    """Yield what Python reads to import this: the packages above, then the module itself. Others' modules: nothing."""
    words = name.split(".")
    for depth in range(1, len(words) + 1):
        place = ROOT.joinpath(*words[:depth])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path


def _imported(path: Path) -> Iterator[str]:
    """Yield every name that may be a module; the code has no relative imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
