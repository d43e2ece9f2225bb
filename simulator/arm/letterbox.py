"""The storage account that dead letters go to: one blob each, written to the storage emulator as Event Grid writes it.

Without an address nothing is written; `GET /deadletters` on the management port lists them all the same.
"""

import asyncio
import json
import ssl
from collections.abc import Callable

import aiohttp

from simulator.arm.answer import Json

VERSION = "2023-11-03"


class Letterbox:
    """The containers of one account. `token` gives a bearer token for storage, `ca` is who vouches for its certificate."""

    def __init__(self, url: str, ca: str, token: Callable[[], str]) -> None:
        self._url, self._ca, self._token = url.rstrip("/"), ca, token
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, letter: Json) -> None:
        """Begin to write a letter, if there is an account."""
        if self._url:
            task = asyncio.get_running_loop().create_task(self._write(letter))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _write(self, letter: Json) -> None:
        container = letter["path"].partition("/")[0]
        headers = {"Authorization": f"Bearer {self._token()}", "x-ms-version": VERSION}
        trust = ssl.create_default_context(cafile=self._ca)
        async with aiohttp.ClientSession(headers=headers) as session:
            where = f"{self._url}/{container}?restype=container"
            async with session.put(where, ssl=trust) as made:  # 409 where it is there
                await made.read()
            blob = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
            content = json.dumps(letter["content"]).encode()
            async with session.put(f"{self._url}/{letter['path']}", data=content, headers=blob, ssl=trust) as written:
                written.raise_for_status()
