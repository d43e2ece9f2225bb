"""The audit takes pip-audit's word only for what it has judged: a hole fails, silence is not soundness."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra.audit import LIST, verdict
from simulator.stack import ROOT

HOLE = {"id": "GHSA-test-0001", "aliases": ["CVE-2026-1"], "summary": "an invented hole", "affected": [{
    "package": {"ecosystem": "PyPI", "name": "jinja2"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.9.9"}]}],
}]}  # fmt: skip


class Holes(BaseHTTPRequestHandler):
    """Answers as OSV does: every package it is asked for has the one hole."""

    def do_POST(self) -> None:
        """Answer a query."""
        body = json.dumps({"vulns": [HOLE]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def holes() -> Iterator[str]:
    """The address of a database that knows a hole."""
    server = HTTPServer(("127.0.0.1", 0), Holes)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def _audited(tmp_path: Path, url: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "list.txt").write_text(f"jinja2==3.1.6 --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip_audit", "-r", str(tmp_path / "list.txt"), "--disable-pip", "--require-hashes"]
    command += ["--format", "json", "--progress-spinner", "off", "-s", "osv", "--osv-url", url]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_hole_is_named_and_fails(tmp_path: Path, holes: str) -> None:
    """What the real tool reports of a database that knows one."""
    done = _audited(tmp_path, holes)
    expected = "jinja2 3.1.6: CVE-2026-1 (GHSA-test-0001), fixed in 3.9.9"

    assert verdict(done.stdout, done.stderr) == (1, [expected, "FAILED: 1 known holes in what is deployed"])


def test_a_database_out_of_reach_is_skipped_and_said_so(tmp_path: Path) -> None:
    """What the real tool says when nobody answers."""
    done = _audited(tmp_path, "http://127.0.0.1:9/")
    code, lines = verdict(done.stdout, done.stderr)

    assert (code, len(lines)) == (0, 1)
    assert lines[0].startswith("skipped: cannot reach the data: ")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], (0, ["no known hole in 1 packages"])),
        ([{"name": "a", "skip_reason": "not found"}], (0, ["skipped: cannot reach the data: it knows none of 1 packages"])),
        (
            [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}],
            (1, ["FAILED: the data does not know b"]),
        ),
    ],
)  # fmt: skip
def test_what_was_not_judged_is_not_sound(parts: list[object], expected: tuple[int, list[str]]) -> None:
    """A database that knows nothing is as good as none; one that knows some leaves the others open."""
    assert verdict(json.dumps({"dependencies": parts}), "No known vulnerabilities found") == expected


def test_a_tool_that_breaks_fails() -> None:
    """Neither a hole nor the network: nobody has judged anything, and nobody knows why."""
    assert verdict("", "Traceback\nKeyError: 'x'") == (1, ["FAILED: pip-audit: KeyError: 'x'"])


def test_the_list_holds_all_that_may_be_deployed() -> None:
    """The versions of requirements.txt are those of the longer list."""
    long, short = (
        {line.split(" \\")[0] for line in path.read_text().splitlines() if "==" in line}
        for path in (LIST, ROOT / "requirements.txt")
    )

    assert len(short) > 30
    assert short <= long
