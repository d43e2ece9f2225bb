"""Microsoft's Bicep types, asked from `azmcp` of msmcp-azure, which carries them: one process, no network.

It speaks JSON-RPC on its standard streams (Model Context Protocol). One start is a second, one type a twentieth of it.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

from tests.reference import ROOT


def need(name: str) -> str:
    """Return the path of a program of .infra. Fails the test where it is missing; skips it where there is no wheel of it."""
    path = ROOT / ".infra/bin" / name
    if path.exists():
        return str(path)
    if sys.platform == "linux" and (
        platform.libc_ver()[0] != "glibc" or platform.machine() not in {"x86_64", "aarch64"}
    ):
        pytest.skip("msmcp-azure has no wheel for this platform: templates are judged elsewhere")
    pytest.fail(f".infra/bin/{name} is not there: make setup", pytrace=False)


def types(kinds: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what the Bicep types say of each resource type, the newest version of it; nothing of one they do not have."""
    command = [need("azmcp"), "server", "start", "--tool", "bicepschema_get"]
    surroundings = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=surroundings,
    ) as server:
        _ask(server, 0, "initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo=CLIENT)
        found = {}
        for number, kind in enumerate(kinds, 1):
            call = {"name": "bicepschema_get", "arguments": {"resource-type": kind}}
            answer = json.loads(_ask(server, number, "tools/call", **call)["content"][0]["text"])
            found[kind] = answer["results"]["BicepSchemaResult"] if answer["status"] == 200 else []
        assert server.stdin
        server.stdin.close()  # tells it to end
    return found


CLIENT = {"name": "cmkwarden", "version": "1"}


def _ask(server: subprocess.Popen[str], number: int, method: str, **parameters: Any) -> dict[str, Any]:
    assert server.stdin
    assert server.stdout
    server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}) + "\n")
    server.stdin.flush()
    for line in server.stdout:
        answer = json.loads(line)
        if answer.get("id") == number:
            result: dict[str, Any] = answer["result"]
            return result
    pytest.fail(f"azmcp ended before it answered {method}", pytrace=False)
