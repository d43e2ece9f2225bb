"""The part of OData that clients send to ARM's own lists: `a eq 'x' and b eq 'y'`."""

import re

from simulator.arm.answer import Json, Refused
from simulator.arm.router import fold

CONDITION = re.compile(r"\s*([\w/.]+)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
AND = re.compile(r"\s+and\s+(?=[\w/.]+\s+eq\s)", re.IGNORECASE)


def conditions(text: str) -> dict[str, str]:
    """Names in lower case, and the values as they are; a 400 for anything else."""
    wanted: dict[str, str] = {}
    for part in AND.split(text) if text.strip() else []:
        match = CONDITION.fullmatch(part)
        if match is None or match[1].lower() in wanted:
            raise bad_filter(text)
        wanted[match[1].lower()] = match[2].replace("''", "'")
    return wanted


def named(text: str, known: re.Pattern[str], hint: str = "") -> dict[str, str]:
    """The parts of a filter of Microsoft.Authorization, folded, by the group of `known` that each one meets; 400 for others."""
    wanted: dict[str, str] = {}
    for part in re.split(r"\band\b", text, flags=re.IGNORECASE) if text.strip() else []:
        match = known.fullmatch(part)
        if match is None or match.lastgroup is None:
            raise Refused(400, "UnsupportedQuery", f"The filter '{text}' is not supported.{hint}")
        wanted[match.lastgroup] = fold(match[match.lastgroup])
    return wanted


def has_tag(body: Json, wanted: dict[str, str]) -> bool:
    """Whether the body has the tag that is asked for: its name in any case, its value exactly."""
    name = wanted.get("tagname")
    if name is None:
        return True
    tags = {fold(key): value for key, value in (body.get("tags") or {}).items()}
    return fold(name) in tags and wanted.get("tagvalue", tags[fold(name)]) == tags[fold(name)]


def bad_filter(text: str) -> Refused:
    """A filter that ARM does not take."""
    return Refused(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")
