"""What the host is told when it starts: one JSON file, read once and checked.

It knows nothing of the app's host.json (`hostjson.py`). Every mistake is a `Refusal`, a reason not to start
that a person can read.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Refusal(Exception):  # noqa: N818 - it is a reason, told on one line, not a fault of the code
    """A reason not to start."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be picked at the sign-in."""

    object_id: str
    name: str
    roles: list[str]


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in in front of the app: for which application, by whom, and where id tokens are to be had."""

    client_id: str
    id_tokens: str
    people: list[Person]


@dataclass(frozen=True, slots=True)
class Config:
    """The host's own settings; `settings` are the app's."""

    app: Path
    python: Path
    host: str
    port: int
    settings: dict[str, str]
    master_key: str
    system_key: str
    hold_seconds: float = 600
    function_keys: dict[str, str] = field(default_factory=dict)
    sign_in: SignIn | None = None  # nobody signs in: App Service's authentication is off

    def setting(self, name: str) -> str | None:
        """Look an app setting up: names are not case-sensitive, as in Azure."""
        if name in self.settings:
            return self.settings[name]
        return next((value for key, value in self.settings.items() if key.lower() == name.lower()), None)

    def resolve(self, text: str, where: str) -> str:
        """Replace every %SETTING% by its value."""

        def value(match: re.Match[str]) -> str:
            found = self.setting(match[1])
            if found is None:
                raise Refusal(f"{where}: '%{match[1]}%' does not resolve to a value (no such setting)")
            return found

        return re.sub(r"%([^%]+)%", value, text)


KINDS: dict[str, tuple[type, ...]] = {
    "app": (str,),
    "python": (str,),
    "host": (str,),
    "port": (int,),
    "settings": (dict,),
    "master_key": (str,),
    "system_key": (str,),
    "hold_seconds": (int, float),
    "function_keys": (dict,),
    "sign_in": (dict,),
}
OPTIONAL = {"hold_seconds", "function_keys", "sign_in"}


def load(path: Path) -> Config:
    """Read and check the file."""
    try:
        raw = json.loads(path.read_text())
    except (OSError, ValueError) as wrong:
        raise Refusal(f"{path}: {wrong}") from wrong
    if not isinstance(raw, dict):
        raise Refusal(f"{path}: must be a JSON object")
    _check(path, raw)
    app, python = Path(raw.pop("app")).absolute(), Path(raw.pop("python")).absolute()
    if not app.is_dir():
        raise Refusal(f"{path}: app folder {app} does not exist")
    if not python.is_file():
        raise Refusal(f"{path}: python {python} does not exist")
    sign_in = _sign_in(path, raw.pop("sign_in")) if "sign_in" in raw else None
    return Config(app=app, python=python, sign_in=sign_in, **raw)


def _sign_in(path: Path, raw: dict[str, Any]) -> SignIn:
    try:
        return SignIn(**{**raw, "people": [Person(**each) for each in raw["people"]]})
    except (KeyError, TypeError) as wrong:
        raise Refusal(f"{path}: 'sign_in' is not complete or says too much: {wrong}") from wrong


def _check(path: Path, raw: dict[str, Any]) -> None:
    for name in raw.keys() - KINDS.keys():
        raise Refusal(f"{path}: unknown key '{name}'")
    for name in KINDS.keys() - OPTIONAL - raw.keys():
        raise Refusal(f"{path}: '{name}' is missing")
    for name, value in raw.items():
        if not isinstance(value, KINDS[name]) or isinstance(value, bool):
            raise Refusal(f"{path}: '{name}' must be {' or '.join(kind.__name__ for kind in KINDS[name])}")
    for name, value in raw["settings"].items():
        if not isinstance(value, str):
            raise Refusal(f"{path}: setting '{name}' must be text, as every environment variable is")
