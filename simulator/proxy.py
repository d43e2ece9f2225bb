"""A CONNECT proxy that ends Azure's names, and no others, on the simulator: clients reach it unmodified, by HTTPS_PROXY.

It only carries bytes: TLS is between the client and the simulator, whose certificate bears the names. A name that is not
on the list is refused and written down, so nothing that a client does can leave this machine.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import dataclass

# What Azure CLI, Cloud Custodian and Prowler ask for when they speak to Azure (LOCAL 8).
NAMES = frozenset({"management.azure.com", "login.microsoftonline.com", "graph.microsoft.com", "graph.windows.net"})
DATA_PLANE = ".vault.azure.net"  # one label before it: the vault
HEAD_WITHIN = 10.0  # seconds for a client to say where it wants to go
LINGER = 5.0  # seconds for one side to end once the other has
LARGEST_HEAD = 8192
CHUNK = 65_536


class Unacceptable(Exception):  # noqa: N818 - the proxy refuses; nothing went wrong
    """The client gets this status line and no tunnel."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Carries connections to one address."""

    host: str
    port: int
    head_within: float = HEAD_WITHIN
    linger: float = LINGER

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its CONNECT until both sides are closed."""
        try:
            await self._tunnel(reader, writer)
        except Unacceptable as refusal:
            with contextlib.suppress(OSError):
                writer.write(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        except OSError:
            pass  # either side hung up: that is how most connections end
        finally:
            await _close(writer)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = destination(await self._head(reader))
        if not is_azure(target):
            print(f"refused {target}", file=sys.stderr, flush=True)
            raise Unacceptable("403 Forbidden")
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            raise Unacceptable("502 Bad Gateway") from None
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await self._both_ways(_carry(reader, far_writer), _carry(far_reader, writer))
        finally:
            await _close(far_writer)

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self.head_within):
                return await reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            raise Unacceptable("408 Request Timeout") from None
        except asyncio.LimitOverrunError:
            raise Unacceptable("431 Request Header Fields Too Large") from None
        except asyncio.IncompleteReadError:
            raise Unacceptable("400 Bad Request") from None

    async def _both_ways(self, *ways: "asyncio._CoroutineLike[None]") -> None:
        """Carry until one direction ends; the other gets a moment to end as well, and no more."""
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(tasks, timeout=self.linger)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def destination(head: bytes) -> str:
    """`name:port` of a CONNECT request, in lower case."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        raise Unacceptable("400 Bad Request")
    if words[0] != b"CONNECT":
        raise Unacceptable("405 Method Not Allowed")
    return words[1].decode("ascii", "replace").lower()


def is_azure(target: str) -> bool:
    """Whether the target is one of the names, on the port of HTTPS."""
    name, _, port = target.rpartition(":")
    if port != "443":
        return False
    if name in NAMES:
        return True
    vault = name.removesuffix(DATA_PLANE)
    return name.endswith(DATA_PLANE) and bool(vault) and "." not in vault


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one side to the other; an end is passed on as an end, not as a cut."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def run(proxy: Proxy, host: str, port: int) -> None:
    """Listen until SIGTERM or SIGINT, then cut what is still open."""
    server = await asyncio.start_server(proxy.serve, host, port, limit=LARGEST_HEAD, backlog=1024)
    over = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    address: tuple[str, int] = server.sockets[0].getsockname()
    print(json.dumps({"ready": True, "proxy": f"http://{address[0]}:{address[1]}"}), flush=True)
    await over.wait()
    server.close()
    server.abort_clients()
    await server.wait_closed()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m simulator.proxy", description=__doc__)
    parser.add_argument("--to", required=True, help="host:port of the simulator's TLS port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    chosen = parser.parse_args()
    host, _, port = chosen.to.rpartition(":")
    asyncio.run(run(Proxy(host, int(port)), chosen.host, chosen.port))


if __name__ == "__main__":
    main()
