"""The command line in front of strange servers: never a traceback, never a token where it does not belong."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from simulator.client import until
from tests.cli.keyboard import COMMAND, Done, Keyboard
from tests.cli.strange import Say, Server, wire

TOKEN = "a.eyJyb2xlcyI6WyJSZW1lZGlhdGlvbi5SZWFkZXIiXX0.c"  # says that it is a reader's
EVIL = "\x1b]0;owned\x07 [red]x[/red] $(reboot)\n@channel =cmd()"


def _refusal(status: int, reason: str, **more: Any) -> Say:
    told = {"type": f"/problems/{reason}", "title": f"No {EVIL}", "status": status, "detail": EVIL, "reason": reason}
    return status, {"Content-Type": "application/problem+json"}, json.dumps({**told, **more}).encode()


@pytest.fixture
def keyboard(tmp_path: Path) -> Keyboard:
    """Somebody with a token and no local Azure."""
    found = Keyboard(tmp_path)
    found.environ["CMKWARDEN_TOKEN"] = TOKEN
    return found


def _clean(done: Done) -> bool:
    """Whether nothing of a program's insides and nothing that a terminal obeys came out."""
    both = done.stdout + done.stderr
    return "Traceback" not in both and "\x1b" not in both and "\x07" not in both


def _record(**changes: Any) -> dict[str, Any]:
    step = {
        "id": "s", "kind": EVIL, "resource": EVIL, "before": {"a": EVIL}, "after": {"a": [EVIL], EVIL: 1}, "permission": "",
        "irreversible": True, "done": None, "grants": True, "sent": None, "note": EVIL, "by_hand": True,
    }  # fmt: skip
    checks = [{"check": EVIL, "result": EVIL, "message": EVIL, "todo": EVIL}]
    evidence = {
        "layers": [{"layer": EVIL, "verdict": EVIL}], "preflight": checks, "eligible": [EVIL],
        "stands_in_the_way": {"reason": EVIL, "message": EVIL},
    }  # fmt: skip
    entry = {
        "n": 1, "time": EVIL, "event": EVIL, "state": EVIL, "actor": EVIL, "reason": EVIL, "detail": {"comment": EVIL},
        "previous": EVIL, "hash": EVIL,
    }  # fmt: skip
    yes = {"person": EVIL, "given": EVIL, "expires": EVIL, "comment": EVIL}
    return {
        "id": "a" * 16, "control": EVIL, "target": f"/x/{EVIL}", "subject": EVIL, "state": "observed", "verdict": EVIL,
        "decision": {"kind": EVIL, "reason": EVIL, "message": EVIL, "due": EVIL, "owner": EVIL},
        "finding": {"reason": EVIL, "message": EVIL, "evidence": evidence},
        "plan": {"fingerprint": EVIL, "steps": [step]}, "approvals": [yes], "undoes": EVIL, "exempts": EVIL,
        "exemption": {"owner": EVIL, "expires": EVIL, "reason": EVIL}, "requester": EVIL, "occurrence": 2,
        "opened": EVIL, "updated": EVIL, "history": [entry], "history_intact": False, "history_problem": EVIL, **changes,
    }  # fmt: skip


TICKET = {"state": "open", "reason": EVIL, "markdown": EVIL}


def test_a_hostile_record_comes_out_harmless(server: Server, keyboard: Keyboard) -> None:
    """Every field at its worst: shown as it is, obeyed by nothing; what can be typed next is quoted."""
    server.says(_record(), TICKET)
    done = keyboard.type("show", "a" * 16, "--url", server.url)

    assert (done.returncode, _clean(done)) == (0, True)
    assert "[red]x[/red]" in done.stdout
    assert r"\x1b]0;owned\x07" in done.stdout
    typed = next(line for line in done.stdout.splitlines() if line.startswith("  cmkwarden explain"))
    assert r"""'/x/\x1b]0;owned\x07 [red]x[/red] $(reboot)\n@channel =cmd()'""" in typed


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_hostile_list_comes_out_harmless(server: Server, keyboard: Keyboard, form: str) -> None:
    """In each form."""
    row = {"remediation": "=cmd()", "severity": EVIL, "control": EVIL, "state": EVIL, "target": EVIL, "reason": EVIL}
    server.says({"items": [row], "next": None})
    done = keyboard.quick("findings", "--url", server.url, "-o", form)

    assert (done.returncode, _clean(done)) == (0, True)
    assert form != "csv" or done.stdout.splitlines()[1].startswith("'=cmd(),")


REFUSALS: dict[str, tuple[Say, str]] = {
    "401": (_refusal(401, "NotSignedIn"), "az login"),
    "403": (_refusal(403, "NotAllowed"), "app role"),
    "404": (_refusal(404, "NotFound"), "cmkwarden remediations"),
    "409": (_refusal(409, "BeingWorkedOn"), "cancel it first"),
    "unknown": (_refusal(409, "Whatever\x1b"), "docs/problems.md"),
    "html": ((200, {}, b"<html>sign in</html>"), "right address"),
    "a login page": ((302, {"Location": "https://login.example"}, b""), "sign-in page"),
    "another service": ((200, {}, b'{"ok": true}'), "right address"),
    "no object": ((200, {}, b"[]"), "right address"),
    "a bug": ((500, {}, b"oops"), "right address"),
    "a deep one": ((200, {}, b'{"items": 3, "next": null}'), "right address"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_what_to_do(server: Server, keyboard: Keyboard, name: str) -> None:
    """Title, detail and a next step, on standard error; 1 for the shell."""
    say, todo = REFUSALS[name]
    server.script = [say]
    done = keyboard.quick("findings", "--url", server.url)

    assert (done.returncode, done.stdout, _clean(done)) == (1, "", True)
    assert todo in done.stderr


@pytest.mark.parametrize("words", [("show", "a" * 16), ("explain", "/x"), ("tickets", "a" * 16), ("retry", "a" * 16), ("history", "verify", "a" * 16)])  # fmt: skip
def test_an_app_of_another_kind_is_told_by_its_answer(server: Server, keyboard: Keyboard, words: Sequence[str]) -> None:
    """It says 200 and JSON, and none of what was asked for."""
    done = keyboard.quick(*words, "--url", server.url)

    assert (done.returncode, done.stdout, _clean(done)) == (1, "", True)
    assert "right address" in done.stderr


def test_another_plan_says_what_has_changed(server: Server, keyboard: Keyboard) -> None:
    """The refusal of an approval tells which steps came and which went."""
    steps = {"came": [{"kind": "vault.protect", "resource": "/x"}], "went": None}
    difference = {"seen": "aaaa", "now": "bbbb", **steps}
    waiting = _record(state="awaiting_approval", plan={"fingerprint": "aaaa", "steps": []})
    server.says(waiting, _refusal(409, "AnotherPlan", difference=difference))
    done = keyboard.type("approve", "a" * 16, "--url", server.url, "--comment", "x", "--fingerprint", "aaaa", "--yes")

    assert done.returncode == 1
    assert "you saw aaaa, now it is bbbb\n  came: vault.protect /x\n" in done.stderr


def test_a_write_whose_answer_is_lost_is_sent_again_with_the_same_key(server: Server, keyboard: Keyboard) -> None:
    """Three tries, one key: the app does it once. The version that was seen goes along."""
    headers = {"ETag": '"v1"', "Content-Type": "application/json"}
    busy: Say = (503, {"Retry-After": "0"}, _refusal(503, "Busy")[2])
    server.script = [(200, headers, wire(_record())), busy, busy, (200, {}, wire(_record(state="rejected")))]
    done = keyboard.type("reject", "a" * 16, "--url", server.url, "--comment", "no")
    posts = [headers for method, _, headers in server.seen if method == "POST"]

    assert (done.returncode, len(posts)) == (0, 3)
    assert len({it["idempotency-key"] for it in posts}) == 1
    assert {it["if-match"] for it in posts} == {'"v1"'}


def test_all_pages_are_fetched_or_as_many_as_asked_for(server: Server, keyboard: Keyboard) -> None:
    """--all follows the cursor to its end; a limit stops, and says that there is more."""
    pages = [{"items": [{"remediation": f"{page}-{n}"} for n in range(2)], "next": following} for page, following in ((1, "c"), (2, None))]  # fmt: skip
    server.says(*pages)
    everything = keyboard.quick("findings", "--all", "-o", "json", "--url", server.url)
    asked = [path for _, path, _ in server.seen]
    server.says(pages[0])
    some = keyboard.quick("findings", "--limit", "1", "-o", "json", "--url", server.url)

    assert [it["remediation"] for it in json.loads(everything.stdout)] == ["1-0", "1-1", "2-0", "2-1"]
    assert ("cursor=c" in asked[0], "cursor=c" in asked[1]) == (False, True)
    assert (len(json.loads(some.stdout)), "there are more: --all" in some.stderr) == (1, True)


def test_nobody_there(keyboard: Keyboard) -> None:
    """A closed port, and a name that is none: a sentence and 1; an address that cannot be: 2."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        closed = keyboard.type("doctor", "--url", url)
    plain_http = keyboard.type("findings", "--url", "http://warden.example")
    nowhere = keyboard.type("findings")

    assert (closed.returncode, "does a firewall" in closed.stdout, _clean(closed)) == (3, True, True)
    assert (plain_http.returncode, "https:// only" in plain_http.stderr) == (2, True)
    assert (nowhere.returncode, "--url" in nowhere.stderr) == (2, True)


def test_nobody_is_signed_in(server: Server, keyboard: Keyboard) -> None:
    """Neither a token nor Azure CLI nor anything else: what to do, and nothing was sent."""
    done = keyboard.type("findings", "--url", server.url, CMKWARDEN_TOKEN="", AZURE_IDENTITY_DISABLE_MULTITENANTAUTH="1", AZURE_TOKEN_CREDENTIALS="dev")  # fmt: skip

    assert (done.returncode, "az login" in done.stderr, _clean(done), server.seen) == (1, True, True, [])


def test_a_token_that_is_none(server: Server, keyboard: Keyboard) -> None:
    """Line breaks in a token are no header, and no traceback."""
    done = keyboard.type("findings", "--url", server.url, CMKWARDEN_TOKEN="a\nX-Evil: 1")

    assert (done.returncode, _clean(done), server.seen) == (1, True, [])


def test_interrupted(server: Server, keyboard: Keyboard) -> None:
    """Ctrl-C while the app thinks: 130, and not a word too much."""
    server.stall = 5
    with subprocess.Popen(
        [*COMMAND, "findings", "--url", server.url], env=keyboard.environ, cwd=keyboard.folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        until(lambda: server.seen, "the request")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=10)
    server.stall = 0

    assert (running.returncode, out, "Traceback" in err) == (130, "", False)


def test_a_reader_of_our_words_who_goes_away(server: Server, keyboard: Keyboard) -> None:
    """`| head -1` ends us without a word."""
    server.says({"items": [{"remediation": "x" * 60_000}] * 50, "next": None})
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "findings", "-o", "csv", "--url", server.url], env=keyboard.environ, cwd=keyboard.folder, stdout=write,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write)

    assert (done.returncode, done.stderr) == (1, "")


def _gate(open_to: Callable[[Mapping[str, str]], bool]) -> Callable[[Server], None]:
    """Return a server that lets some in who have no token."""

    def plant(server: Server) -> None:
        def answer() -> Say:
            _, path, headers = server.seen[-1]
            if path == "/api/health":
                return 200, {}, wire({"status": "ok", "version": "0.0.9"})
            has_token = "authorization" in headers
            return (200, {}, b"{}") if has_token or open_to(headers) else _refusal(401, "NotSignedIn")

        server.next = answer  # type: ignore[method-assign]

    return plant


@pytest.mark.parametrize(
    ("open_to", "failed"),
    [
        (lambda _: False, set()),
        (lambda _: True, {"no-token", "forged-principal", "console", "event-grid-door"}),
        (lambda headers: "x-ms-client-principal" in headers, {"forged-principal"}),
    ],
)
def test_the_doctor_tries_to_get_in(
    server: Server, keyboard: Keyboard, open_to: Callable[[Mapping[str, str]], bool], failed: set[str]
) -> None:
    """A gate that is open to all, or to whoever says that they are an admin, is a fault; another version is a warning."""
    _gate(open_to)(server)
    done = keyboard.quick("doctor", "--url", server.url, "-o", "json")
    found = {it["name"]: it["result"] for it in json.loads(done.stdout)}

    assert {name for name, result in found.items() if result == "fail"} - {"inside"} == failed
    assert (found["version"], found["token"], done.returncode) == ("warn", "pass", 3)


def test_the_doctor_knows_an_app_that_cannot_check_tokens(server: Server, keyboard: Keyboard) -> None:
    """The sign-in keys cannot be had: every call is 503."""
    server.says({"status": "ok", "version": "0.1.0"}, (503, {}, _refusal(503, "ConnectionLost")[2]))
    done = keyboard.quick("doctor", "--url", server.url, "-o", "json")
    found = {it["name"]: it for it in json.loads(done.stdout)}

    assert done.returncode == 3
    assert found["token"]["result"] == "fail"
    assert "CMK_AUTHORITY_URL" in found["token"]["todo"]
    assert found["inside"]["result"] == "unknown"


def test_the_doctor_sees_a_clock_that_is_off(server: Server, keyboard: Keyboard) -> None:
    """By the header Date of the app."""
    late: Say = (200, {"Date": "Mon, 02 Nov 2026 00:00:00 GMT"}, wire({"status": "ok", "version": "0.1.0"}))
    server.script = [late, _refusal(401, "NotSignedIn")]
    done = keyboard.quick("doctor", "--url", server.url, "-o", "json")
    found = {it["name"]: it["result"] for it in json.loads(done.stdout)}

    assert (found["clock"], found["token"], found["no-token"]) == ("fail", "fail", "pass")
