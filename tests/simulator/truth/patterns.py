"""Patterns in the lists of known differences."""

from fnmatch import fnmatchcase


def matches(pattern: str, text: str) -> bool:
    """Only `*` is special: brackets stand for lists, and question marks for queries."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
