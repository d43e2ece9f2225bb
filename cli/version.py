"""The version of the command line. A test keeps it that of pyproject.toml."""

VERSION = "0.1.0"
