"""The configuration file, read once and checked.

A missing or misspelt entry stops the start with its name: a simulator that guesses would hide mistakes.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.arm.abac import parse

CLIENT_ADDRESS = "203.0.113.7"  # a documentation address: where every caller seems to come from


@dataclass(frozen=True, slots=True)
class Identity:
    """A service principal that can ask for tokens."""

    name: str
    client_id: str
    principal_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in; with a client id it is an application."""

    name: str
    object_id: str
    roles: tuple[str, ...]
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """A custom role that an identity holds at the root besides its own, perhaps under a condition (ABAC, version 2.0)."""

    holder: str
    role: dict[str, Any]
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that the simulator is told at its start."""

    tenant: str
    cert: str
    key: str
    identity_header: str
    subscriptions: tuple[tuple[str, str], ...]
    identities: tuple[Identity, ...]
    roles: dict[str, dict[str, Any]]
    people: tuple[Person, ...]
    grants: tuple[Holding, ...] = ()
    definitions: tuple[dict[str, Any], ...] = ()  # custom roles that nobody holds yet
    event_subscriptions: tuple[dict[str, Any], ...] = ()
    audience: str = "api://cmkwarden"
    storage_audience: str = "https://storage.azure.com"
    dead_letters_url: str = ""  # the blob endpoint that dead letters are written to; '': none
    dead_letters_ca: str = ""  # the file that vouches for its certificate
    functions_url: str = "http://127.0.0.1:7071"
    site: str = (
        "/subscriptions/none/resourceGroups/none/providers/Microsoft.Web/sites/none"  # the id of the function app
    )
    account: str = "/subscriptions/none/resourceGroups/none/providers/Microsoft.Storage/storageAccounts/none"
    system_key: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    manage_port: int = 0
    answers: str = ""  # a file to which one example of every form of answer is appended; see samples.py
    knobs: dict[str, Any] = field(default_factory=dict)
    nasty: dict[str, Any] = field(default_factory=dict)  # a profile, as POST /faults takes it

    @property
    def root(self) -> str:
        """The root management group, where the custom roles are assigned; its name is the tenant's id."""
        return f"/providers/Microsoft.Management/managementGroups/{self.tenant}"


def load(path: Path) -> Config:
    """Read the file. Paths of role files are taken relative to the working directory."""
    return build(json.loads(path.read_text()))


def build(raw: dict[str, Any]) -> Config:
    """The parsed file as a Config; an unknown or missing name raises TypeError and says which."""
    plain = dict(raw)
    people = tuple(
        Person(each["name"], each["object_id"], tuple(each["roles"]), each.get("client_id", ""))
        for each in plain.pop("people", [])
    )
    roles = {name: _role(file) for name, file in plain.pop("roles", {}).items()}
    principals = {name: each["principal_id"] for name, each in plain.get("identities", {}).items()}
    return Config(
        subscriptions=tuple((each["id"], each["name"]) for each in plain.pop("subscriptions", [])),
        identities=tuple(
            Identity(name, each["client_id"], each["principal_id"])
            for name, each in plain.pop("identities", {}).items()
        ),
        roles=roles,
        grants=tuple(_holding(each, principals) for each in plain.pop("grants", [])),
        definitions=tuple(_role(file) for file in plain.pop("definitions", [])),
        people=people,
        event_subscriptions=tuple(plain.pop("event_subscriptions", [])),
        **plain,
    )


def _role(file: str) -> dict[str, Any]:
    role: dict[str, Any] = json.loads(Path(file).read_text())
    return role


def _holding(entry: dict[str, str], principals: dict[str, str]) -> Holding:
    """In a condition `{name}` stands for the principal id of an identity; one that cannot be read stops the start."""
    if entry["holder"] not in principals:
        raise ValueError(f"there is no identity '{entry['holder']}'")
    role = _role(entry["role"])
    if "condition" not in entry:
        return Holding(entry["holder"], role)
    condition = Path(entry["condition"]).read_text()
    for name, principal in principals.items():
        condition = condition.replace(f"{{{name}}}", principal)
    parse(condition)
    return Holding(entry["holder"], role, condition)
