"""A small, honest part of the Kusto language, as Azure Resource Graph uses it.

`compile_query` turns a text into a function over rows; what it cannot parse it refuses, it never guesses.
"""

from simulator.arm.kql.lexer import Disallowed, Invalid
from simulator.arm.kql.parser import Query, compile_query

__all__ = ["Disallowed", "Invalid", "Query", "compile_query"]
