"""The settings of a scan: those of the app, from the environment or a file, less what only a deployed app needs."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.settings import Settings, SettingsError, read

# A scan has no storage, no writer and no telemetry; the app's settings for them are neither asked for nor believed.
_NOT_OURS = {
    "CMK_PART": "front",
    "CMK_TELEMETRY": "off",
    "AzureWebJobsStorage__accountName": "none",
    "AzureWebJobsStorage__queueServiceUri": "",
    "AzureWebJobsStorage__tableServiceUri": "",
}


def scan_settings(
    environ: Mapping[str, str], controls: Iterable[str], *, file: Path | None = None, arm_url: str = ""
) -> Settings:
    """Read the settings; the environment outweighs the file. Raises SettingsError, which lists all problems."""
    named = _from_file(file) if file else {}
    if (
        named.get("CMK_ARM_URL") and not arm_url
    ):  # a file may come with what is scanned, and the sign-in's token goes there
        raise SettingsError(
            f"{file} names CMK_ARM_URL: where to ask is said with --arm-url or in the environment alone"
        )
    given = {**named, **environ, **_NOT_OURS}
    if arm_url:
        given["CMK_ARM_URL"] = arm_url
    return read(given, tuple(controls))


def _from_file(path: Path) -> dict[str, str]:
    """Read a file of settings: `local.settings.json`, or lines of NAME=value."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _from_json(json.loads(text)) if text.lstrip().startswith("{") else _from_lines(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be read as settings: {error}") from error


def _from_json(whole: Any) -> dict[str, str]:
    values = whole.get("Values", whole)
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise ValueError("expected an object of texts, or one under `Values`")
    return values


def _from_lines(text: str) -> dict[str, str]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip().removeprefix("export ")
        if not words or words.startswith("#"):
            continue
        name, sign, value = words.partition("=")
        if not sign:
            raise ValueError(f"line {number} is not NAME=value")
        quote = value[:1] if value[:1] in {"'", '"'} and value[:1] == value[-1:] and len(value) > 1 else ""
        found[name.strip()] = value[1:-1] if quote else value.strip()
    return found
