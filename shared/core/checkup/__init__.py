"""What the doctor says: one line for each thing that must be so, with what to do where it is not. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a check went."""

    PASS = "pass"
    WARN = "warn"  # it works as it was told to, and somebody may have forgotten what they told it
    UNKNOWN = "unknown"  # it could not be done: nothing is known
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `message` says what was seen, `todo` what to do; '' where there is nothing to do."""

    name: str
    area: str
    result: Result
    message: str
    todo: str = ""
