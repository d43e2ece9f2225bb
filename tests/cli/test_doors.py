"""The doctor from outside: which doors are shut by whom. A strange server plays App Service, the host and the hand."""

import json
import socket
from collections.abc import Iterator

import pytest

from cli import doors
from cli.app_client import AppClient, BadAddress
from tests.cli.keyboard import Keyboard
from tests.cli.strange import Say, Server, wire

EMPTY: Say = (401, {}, b"")
ASKS_TO_SIGN_IN: Say = (401, {"WWW-Authenticate": 'Bearer realm="warden.azurewebsites.net"'}, b"")
SENDS_AWAY: Say = (302, {"Location": "https://login.example/authorize"}, b"")
OURS: Say = (200, {}, wire({"status": "ok", "version": "0.1.0"}))


def _found(server: Server, **said: Say) -> dict[str, tuple[str, str]]:
    """Look at the doors of a server that answers so; return result and message by name."""

    def answer() -> Say:
        method, path, _ = server.seen[-1]
        return said["grid"] if (method, path) == ("POST", doors.WEBHOOK) else said["console"]

    server.next = answer  # type: ignore[method-assign]
    return {it.name: (it.result, f"{it.message} {it.todo}") for it in doors.checks(AppClient(server.url, lambda: ""))}


@pytest.mark.parametrize(
    ("said", "result", "text"),
    [
        (EMPTY, "pass", "its own key"),
        (ASKS_TO_SIGN_IN, "fail", "excludedPaths"),
        (SENDS_AWAY, "fail", "excludedPaths"),
        ((403, {}, b""), "warn", "AzureEventGrid"),
        ((404, {}, b""), "warn", "on_vault_write"),
        ((202, {}, b""), "fail", "anybody may send events"),
        ((400, {}, b""), "fail", "without a key"),
        ((503, {}, b""), "unknown", "ask again"),
    ],
)
def test_the_door_for_event_grid(server: Server, said: Say, result: str, text: str) -> None:
    """Its own key is asked for, by nobody but the host; a sign-in there would refuse every event."""
    found = _found(server, grid=said, console=EMPTY)["event-grid-door"]

    assert (found[0], text in found[1]) == (result, True), found
    assert all("authorization" not in headers for _, _, headers in server.seen)


@pytest.mark.parametrize(
    ("said", "result", "text"),
    [
        (EMPTY, "pass", "401"),
        (SENDS_AWAY, "pass", "302"),
        ((403, {}, b""), "pass", "403"),
        ((200, {}, b"<html>"), "fail", "off the network"),
        ((404, {}, b""), "unknown", "no console"),
        ((500, {}, b""), "unknown", "ask again"),
    ],
)
def test_the_console(server: Server, said: Say, result: str, text: str) -> None:
    """Nobody sees a page without a sign-in."""
    found = _found(server, grid=EMPTY, console=said)["console"]

    assert (found[0], text in found[1]) == (result, True), found


def test_a_server_that_breaks_off_is_unknown(server: Server) -> None:
    """No answer at all."""
    server.says((200, {"Content-Length": "10"}, b"x"))
    found = {it.name: it.result for it in doors.checks(AppClient(server.url, lambda: ""))}

    assert found == {"console": "unknown", "event-grid-door": "unknown"}


@pytest.mark.parametrize(
    ("said", "result", "text"),
    [
        (OURS, "fail", "CMK_PART"),
        ((403, {}, b""), "pass", "lets nobody in"),
        ((404, {}, b""), "warn", "public network access"),
        (ASKS_TO_SIGN_IN, "warn", "public network access"),
    ],
)
def test_the_hand_that_can_be_reached(server: Server, said: Say, result: str, text: str) -> None:
    """Whoever gets in there gets at the writer."""
    server.script = [said]
    found = doors.hand(server.url)

    assert (found.result, text in f"{found.message} {found.todo}") == (result, True), found


@pytest.fixture
def closed() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{free.getsockname()[1]}"


def test_the_hand_that_cannot_be_reached(closed: str) -> None:
    """Nobody answers: well. A name that nobody knows proves nothing, and what is no address is refused."""
    assert doors.hand(closed).result == "pass"
    assert doors.hand("https://no-such-app.invalid").result == "unknown"
    with pytest.raises(BadAddress):
        doors.hand("http://hand.example")


def test_the_hand_is_looked_at_where_somebody_says_where_it_is(server: Server, closed: str, keyboard: Keyboard) -> None:
    """With --hand there is a line for it, without it none."""
    server.script = [OURS]
    lines = [json.loads(keyboard.quick("doctor", "--url", server.url, "-o", "json", *more).stdout) for more in ((), ("--hand", closed))]  # fmt: skip

    assert [[it["result"] for it in found if it["name"] == "hand"] for found in lines] == [[], ["pass"]]


@pytest.fixture
def keyboard(tmp_path_factory: pytest.TempPathFactory) -> Keyboard:
    """Somebody with a token and no local Azure."""
    found = Keyboard(tmp_path_factory.mktemp("doors"))
    found.environ["CMKWARDEN_TOKEN"] = "a.eyJyb2xlcyI6WyJSZW1lZGlhdGlvbi5SZWFkZXIiXX0.c"
    return found
