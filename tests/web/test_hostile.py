"""Names from outside come out harmless: in answers, in log lines, in commands that people copy."""

import json
import logging
import re
import shlex
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.core import render
from shared.core.moves import grant, vault
from shared.flow import say as said
from tests.fakes import vault_id
from tests.web.entry import Entry, token

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "@channel",
    "$(reboot)",
    "`reboot`",
    "; rm -rf /",
    "'; DROP TABLE rows; --",
    '" onload="alert(1)',
    "line\r\nverb=wrote state=resolved",
    "\x1b[2J\x1b]0;gone\x07",
    "\u202egnp.exe",
    "\u2028\x00",
    "${jndi:ldap://x}",
    "{{7*7}}",
]
ADA = token("Admin", oid="ada-oid")


@dataclass(frozen=True)
class Shown:
    """A step with words of a stranger."""

    kind: str
    resource: str
    after: dict[str, Any]
    before: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize("name", HOSTILE)
def test_answers_are_json_and_nothing_else(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Tags and comments come back as data, in answers that no browser takes for a page; each log line stays one line."""
    caplog.set_level(logging.DEBUG)
    entry = Entry()
    stored = entry.waiting(owner=name)
    path = f"/api/remediations/{stored.row.id}"
    answers = [
        entry.call("POST", f"{path}/reject", ADA, {"comment": f"no {name}"}),
        entry.call("GET", path, ADA),
        entry.call("GET", "/api/findings", ADA),
        entry.call("GET", "/api/remediations", ADA),
        entry.call("POST", f"{path}/reject", ADA, {"comment": f"no {name}"}),
        entry.call("POST", f"{path}/reject", ADA, {"comment": "x", name: 1}),
    ]

    assert [it.status for it in answers] == [200, 200, 200, 200, 409, 400]
    for answer in answers:
        assert answer.headers["content-type"] in {"application/json", "application/problem+json"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert not any(control in answer.body for control in (b"\n", b"\r", b"\x1b", b"\x00"))
    assert answers[1].json()["history"][-1]["detail"]["comment"] == f"no {name}".strip()
    for record in caplog.records:
        if record.name.startswith("cmkwarden"):
            assert record.getMessage().isprintable()
            assert record.getMessage().isascii()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_path_and_a_query_of_a_stranger_come_back_as_data(name: str) -> None:
    """What is quoted in a problem stands inside JSON, whatever it is."""
    entry = Entry()
    answer = entry.call("GET", f"/api/findings?{json.dumps(name)[1:-1].replace('&', '')}=1", ADA)

    assert (answer.status, answer.headers["x-content-type-options"]) == (400, "nosniff")
    assert answer.reason == "UnknownParameter"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_log_line_stays_one_line_with_its_own_keys(name: str) -> None:
    """Nothing in a value ends the line, moves a cursor, or looks like another key."""
    line = said.line("noted", target=name, state="failed")

    assert line.isprintable()
    assert line.isascii()
    shown = line.removeprefix("verb=noted target=").removesuffix(" state=failed")
    assert name in (shown, json.loads(shown) if shown.startswith('"') else "")


@pytest.mark.parametrize("name", HOSTILE)
def test_commands_hold_a_stranger_s_words_as_single_words(name: str) -> None:
    """A shell that reads the hint sees the name as one word, and never a command, a variable or a second line."""
    policy = {"objectId": name, "keys": ["get", name]}
    role = {"principalId": name, "roleDefinitionId": f"/x/{name.replace('/', '')}", "scope": name}
    steps = [
        Shown(vault.PROTECT, vault_id(name.replace("/", "")), {}),
        Shown(vault.RECOVER, vault_id(), {"location": name}),
        Shown(grant.POLICY_SET, vault_id(), policy),
        Shown(grant.POLICY_REMOVE, vault_id(), policy),
        Shown(grant.ROLE_ASSIGN, name, role),
        Shown(grant.ROLE_DELETE, name, {}, role),
    ]
    lines = [*render.hints(steps)["az"], *render.undo_commands(steps)]

    assert len(lines) == 7
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "az"
        assert any(name.replace("/", "") in word.replace("/", "") for word in words)
        # punctuation_chars: what a shell would take for an operator stands apart
        parsed = list(shlex.shlex(line, posix=True, punctuation_chars=True))
        assert not {";", "|", "&", "&&", "||", "(", ")", "<", ">"} & set(parsed)


@pytest.mark.parametrize("name", HOSTILE)
def test_templates_hold_them_as_literals(name: str) -> None:
    """Neither Terraform nor Bicep evaluates what stands in a name, and no name ends its literal or its line."""
    found = render.hints(
        [Shown(grant.ROLE_DELETE, name, {}), Shown(grant.POLICY_REMOVE, vault_id(), {"objectId": name})]
    )

    for line in (*found["terraform"], *found["bicep"]):
        assert line.isprintable() or "\u202e" in name
        assert not re.search(r"(?<![$\\])\$\{", line)
    assert all(line.count('"') - line.count('\\"') == 2 for line in found["terraform"])
    assert all(line.count("'") - line.count("\\'") == 2 for line in found["bicep"])
