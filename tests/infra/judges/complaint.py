"""What a judge finds: where in the template, and what is wrong there."""

from typing import NamedTuple


class Complaint(NamedTuple):
    """One finding; `kind` is the type of the resource where it is that of one."""

    path: str
    text: str
    kind: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" + (f" [{self.kind}]" if self.kind else "")


class Fault(Exception):  # noqa: N818 (a fault of the template, not of this code)
    """An expression that Azure would refuse."""


def step(path: str, key: str | int) -> str:
    """Return the path of what lies under a key or a number."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
