"""The proxy: Azure's names end on one address, all others are refused, and no connection outlives its two ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simulator.proxy import LARGEST_HEAD, Proxy, is_azure

ROOT = Path(__file__).parents[2]
ASK = b"CONNECT management.azure.com:443 HTTP/1.1\r\nHost: management.azure.com:443\r\n\r\n"
YES = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class Far:
    """What stands behind the proxy: answers with what it got, in capitals, once the other side has ended."""

    got: list[bytes] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    echo: bool = False  # answer at once instead
    stay: bool = False  # say nothing and never end

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while data := await reader.read(1000):
                self.got.append(data)
                if self.echo:
                    writer.write(data.upper())
                    await writer.drain()
            self.ended.set()
            if self.stay:
                await asyncio.sleep(3600)
            if not self.echo:
                writer.write(b"".join(self.got).upper())
        except OSError:
            self.ended.set()
        finally:
            writer.close()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def play(far: Far, talk: Talk, *, head_within: float = 5, linger: float = 5, listen: bool = True) -> None:
    """One client against a proxy in front of `far`; afterwards nothing may be left."""

    async def scene() -> None:
        server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if not listen:
            server.close()
        proxy = Proxy("127.0.0.1", port, head_within=head_within, linger=linger)
        front = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=LARGEST_HEAD)
        reader, writer = await asyncio.open_connection(*front.sockets[0].getsockname())
        async with asyncio.timeout(10):
            await talk(reader, writer)
        writer.close()
        if not far.stay:
            await alone()
        for each in (front, server):
            each.close()
            each.abort_clients()

    asyncio.run(scene())


async def alone() -> None:
    """Wait until no task but this one runs: every connection has been carried to its end."""
    async with asyncio.timeout(5):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


async def status(reader: asyncio.StreamReader) -> int:
    """The status of the proxy's own answer."""
    return int((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])


def asks(head: bytes, wanted: int, **proxy: float | bool) -> None:
    """Send a head; the answer has this status, and the connection ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)

        assert await status(reader) == wanted
        assert await reader.read() == b""

    play(Far(), talk, **proxy)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target",
    [
        "management.azure.com:443",
        "login.microsoftonline.com:443",
        "graph.microsoft.com:443",
        "graph.windows.net:443",
        "kv-one.vault.azure.net:443",
    ],
)
def test_azures_names_are_let_through(target: str) -> None:
    """The four hosts, and any vault."""
    assert is_azure(target)


@pytest.mark.parametrize(
    "target",
    [
        "management.azure.com:80",
        "management.azure.com",
        "management.azure.com.example.com:443",
        "evilmanagement.azure.com:443",
        "a.b.vault.azure.net:443",
        ".vault.azure.net:443",
        "vault.azure.net:443",
        "127.0.0.1:443",
        "example.com:443",
        ":443",
        "",
    ],
)
def test_other_names_are_not(target: str) -> None:
    """Nor other ports, nor names that only look alike."""
    assert not is_azure(target)


def test_bytes_go_both_ways_whatever_the_case_of_the_name() -> None:
    """A tunnel carries what is said, while it is said."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ASK.replace(b"management", b"MANAGEMENT"))
        assert await reader.readexactly(len(YES)) == YES
        for word in (b"one", b"two"):
            writer.write(word)

            assert await reader.readexactly(3) == word.upper()

    play(Far(echo=True), talk)


def test_an_end_is_passed_on_as_an_end() -> None:
    """A client that has said everything still hears the answer."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ASK + b"all there is")
        writer.write_eof()

        assert await reader.read() == YES + b"ALL THERE IS"

    play(Far(), talk)


def test_a_client_that_vanishes_takes_its_tunnel_along() -> None:
    """A cut on this side is an end on the other."""
    far = Far(echo=True)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ASK)
        await reader.readexactly(len(YES))
        writer.transport.abort()
        await far.ended.wait()

    play(far, talk)

    assert far.ended.is_set()


def test_a_half_open_connection_is_cut_after_a_while() -> None:
    """The other side never ends: it is not waited for."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ASK)
        await reader.readexactly(len(YES))
        writer.write_eof()

        assert await reader.read() == b""

    play(Far(stay=True), talk, linger=0.1)


def test_another_name_is_refused_and_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    """403, and a line for whoever wants to know what a client is after."""
    asks(ASK.replace(b"management.azure.com", b"Telemetry.example.com"), 403)

    assert capsys.readouterr().err == "refused telemetry.example.com:443\n"


def test_only_connect_is_served() -> None:
    """Plain HTTP would have to be read; this only carries."""
    asks(b"GET http://management.azure.com/ HTTP/1.1\r\n\r\n", 405)
    asks(b"nonsense\r\n\r\n", 400)


def test_a_head_that_is_too_long_or_too_late_is_refused() -> None:
    """Nobody can keep the proxy busy with half a question."""
    asks(b"CONNECT " + b"x" * (LARGEST_HEAD * 2), 431)
    asks(ASK[:-2], 408, head_within=0.1)


def test_a_client_that_leaves_before_it_has_asked_is_forgotten() -> None:
    """Half a head and an end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ASK[:20])
        writer.write_eof()

        assert await status(reader) == 400

    play(Far(), talk)


def test_nobody_behind_it_is_a_bad_gateway() -> None:
    """502, as a client expects."""
    asks(ASK, 502, listen=False)


def test_the_process_says_where_it_listens_and_ends_with_a_connection_open() -> None:
    """One JSON line; SIGTERM cuts who is there; exit code 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.proxy", "--to", "127.0.0.1:9"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    ready = json.loads(process.stdout.readline())

    async def hold() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", int(ready["proxy"].rpartition(":")[2]))
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 10)
        writer.close()

    asyncio.run(hold())

    assert process.returncode == 0
    process.stdout.close()
