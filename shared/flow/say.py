r"""One log line for each thing that is done: `verb=... key=value`, with the keys that docs/operations.md lists for the verb.

KQL takes it apart again: `parse-kv message as (verb: string, target: string, ...) with (quote='"', escape='\\')`. Values come
from outside, so whatever could end a line or forge a key is quoted and escaped. Never claims, tokens or names of people.
"""

import json
import logging
import re

_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)


def say(log: logging.Logger, verb: str, level: int = logging.INFO, **facts: object) -> None:
    """Write one line. The keys and their order are the caller's."""
    if log.isEnabledFor(level):
        log.log(level, "%s", line(verb, **facts))


def line(verb: str, **facts: object) -> str:
    """Return the text of one line."""
    return " ".join([f"verb={verb}", *(f"{key}={_quoted(str(value))}" for key, value in facts.items())])


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)
