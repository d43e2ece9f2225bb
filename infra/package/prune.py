"""What of others' packages stays behind, and why: the list, and its application.

Licences, metadata and entry points stay. What a rule takes is not missed: the journeys pass on what is left.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Rule:
    """Files that stay behind. Patterns as in `PurePath.full_match`, from the folder of the packages."""

    why: str
    patterns: tuple[str, ...]
    but: tuple[str, ...] = ()

    def takes(self, path: PurePosixPath) -> bool:
        """Whether this file stays behind."""
        return any(map(path.full_match, self.patterns)) and not any(map(path.full_match, self.but))


_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "uv_cache.json", "top_level.txt")
RULES = (
    Rule(
        "asynchronous clients: every call of ours waits (azure.data.tables cannot be imported without its own)",
        ("azure/**/aio/**",),
        but=("azure/data/tables/**",),
    ),
    Rule(
        "older versions of an interface: the client of identities asks for that of 2024",
        ("azure/mgmt/msi/v2018*/**", "azure/mgmt/msi/v2021*/**", "azure/mgmt/msi/v2022*/**"),
    ),
    Rule(
        "cffi builds extensions; of it cryptography runs the one file _cffi_backend",
        ("cffi/**", "pycparser/**", "pycparser-*.dist-info/**"),
    ),
    Rule(
        "installer's notes: they tell times and folders of the build, and files that are gone",
        (".lock", *(f"*.dist-info/{name}" for name in _NOTES)),
    ),
    Rule("starters of commands: nobody types one there", ("bin/**",)),
    Rule("types, for checkers", ("**/*.pyi", "**/py.typed")),
    Rule("sources of what is compiled", ("**/*.c", "**/*.h", "**/*.pyx", "**/*.pxd")),
    Rule("tests of others", ("**/tests/**", "multidict/_testcapi.*")),
)


def prune(packages: Path) -> dict[str, int]:
    """Remove what the rules name; returns how many bytes each has taken."""
    taken = {rule.why: 0 for rule in RULES}
    for path in sorted(path for path in packages.rglob("*") if path.is_file()):
        inside = PurePosixPath(path.relative_to(packages))
        rule = next((rule for rule in RULES if rule.takes(inside)), None)
        if rule:
            taken[rule.why] += path.stat().st_size
            path.unlink()
    for folder, folders, files in packages.walk(top_down=False):
        if not files and not any((folder / name).exists() for name in folders):
            folder.rmdir()  # an empty folder is still a package to Python
    return taken
