"""The version of the app. A test keeps it that of pyproject.toml."""

VERSION = "0.1.0"
