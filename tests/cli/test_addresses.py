"""Where a token may go: to the address that was typed, and nowhere else; and no word of ~/.netrc takes its place."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import app_client
from cli.app_client import AppClient, BadAddress, base
from cli.safe import cell
from cli.scan.settings import scan_settings
from shared.settings import SettingsError


@pytest.fixture
def seen() -> Iterator[tuple[str, list[str]]]:
    """A server that writes down what it is told about who asks."""
    told: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.headers.get("Authorization", ""))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", told
        server.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        r"http://evil.example\@127.0.0.1", r"http://127.0.0.2:9\@127.0.0.1:8", "http://user:pw@127.0.0.1", "https://a b",
        "http://evil.example", "https://a\tb", "https://a\x00b", "ftp://127.0.0.1", "https://x.example/?q=1",
    ],
)  # fmt: skip
def test_an_address_that_two_readers_read_in_two_ways_is_none(url: str) -> None:
    """Refused before anything is sent."""
    with pytest.raises(BadAddress):
        base(url)


def test_the_token_is_sent_whatever_netrc_says(
    seen: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for an address elsewhere, where proxies and other words of the environment count; and none where none is meant."""
    url, told = seen
    (tmp_path / "netrc").write_text("default login corp password hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = AppClient(url, lambda: "SECRET")
    monkeypatch.setattr(app_client, "is_here", lambda _url: False)
    client.get("/api/findings")
    client.raw("GET", "/api/findings", {}, bearer=False)

    assert told == ["Bearer SECRET", ""]


def test_a_file_of_settings_does_not_say_where_the_token_goes(tmp_path: Path) -> None:
    """It may have come with what is scanned; whoever starts the scan says where to ask."""
    file = tmp_path / "own.env"
    file.write_text("CMK_ARM_URL=https://evil.example")
    with pytest.raises(SettingsError, match="--arm-url"):
        scan_settings({}, (), file=file)

    assert scan_settings({}, (), file=file, arm_url="https://arm.example").arm_url == "https://arm.example"


@pytest.mark.parametrize("text", ["\uff1d1+1", "\uff0b1", "\uff201", "=1", "@x"])
def test_no_width_of_a_sign_makes_a_formula(text: str) -> None:
    """What is typed full-width is a formula to some spreadsheets, too."""
    assert cell(text).startswith("'")
