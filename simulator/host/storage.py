"""The host's own clients of Azure Storage: queues by connection name, one blob container for its locks.

Tokens come from the managed-identity endpoint named in the app's settings, and TLS trusts the bundle named
there: nothing is read from the host's own environment. It decides nothing about messages.
"""

import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueClient

from simulator.host.config import Config, Refusal

CONTAINER = "azure-webjobs-hosts"
# One second between tries. The SDK's own pauses start at 15 s, and even shorter ones jitter by three.
RETRIES: dict[str, Any] = {
    "retry_total": 3,
    "initial_backoff": 0,
    "increment_base": 1,
    "random_jitter_range": 0,
}


class Identity:
    """A token credential over the App Service managed-identity endpoint."""

    def __init__(self, config: Config, session: aiohttp.ClientSession, client_id: str | None) -> None:
        self._url = config.setting("IDENTITY_ENDPOINT") or ""
        self._header = config.setting("IDENTITY_HEADER") or ""
        self._client_id = client_id
        self._session = session
        self._tokens: dict[str, AccessToken] = {}

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        """Ask for a token, or give the one that is good for five minutes more."""
        resource = scopes[0].removesuffix("/.default")
        known = self._tokens.get(resource)
        if known is not None and known.expires_on - time.time() > 300:
            return known
        query = {"api-version": "2019-08-01", "resource": resource}
        if self._client_id:
            query["client_id"] = self._client_id
        headers = {"X-IDENTITY-HEADER": self._header}
        try:
            async with self._session.get(self._url, params=query, headers=headers) as answer:
                status, text = answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError) as wrong:
            raise ServiceRequestError(f"the identity endpoint cannot be reached: {wrong}") from wrong
        self._tokens[resource] = token = _token(status, text)
        return token

    async def close(self) -> None:
        """Do nothing: the session is shared."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_wrong: object) -> None:
        await self.close()


def _token(status: int, text: str) -> AccessToken:
    told = "" if "access_token" in text else f": {text[:300]}"  # a token has no business in a log
    refused = f"the identity endpoint answered {status}{told}"
    if status != 200:
        raise ClientAuthenticationError(refused)
    try:
        body = json.loads(text)
        return AccessToken(body["access_token"], int(body["expires_on"]))
    except (ValueError, KeyError, TypeError) as wrong:
        raise ClientAuthenticationError(refused) from wrong


class Storage:
    """Clients over one HTTP session, made once per queue."""

    def __init__(self, config: Config, session: aiohttp.ClientSession) -> None:
        self._config = config
        self._session = session
        self._queues: dict[tuple[str, str], QueueClient] = {}
        self._identities: dict[str | None, Identity] = {}

    def queue(self, connection: str, name: str) -> QueueClient:
        """Give the client of a queue; texts travel as they are, encoding is the caller's."""
        if (connection, name) not in self._queues:
            url, identity = self._connect(connection, "queue")
            self._queues[connection, name] = QueueClient(
                url, name, credential=identity, transport=self._transport(), **RETRIES
            )
        return self._queues[connection, name]

    def locks(self) -> ContainerClient:
        """Give the container in which hosts keep their leases and the state of timers."""
        url, identity = self._connect("AzureWebJobsStorage", "blob")
        service = BlobServiceClient(url, credential=identity, transport=self._transport(), **RETRIES)
        return service.get_container_client(CONTAINER)

    async def prove(self) -> None:
        """Get a token for each identity: the SDK would retry a refusal for seconds before telling it."""
        for identity in self._identities.values():
            await identity.get_token("https://storage.azure.com/.default")

    def _transport(self) -> Any:
        return AioHttpTransport(session=self._session, session_owner=False)

    def _connect(self, connection: str, service: str) -> tuple[str, Identity]:
        get = self._config.setting
        url = get(f"{connection}__{service}ServiceUri")
        account = get(f"{connection}__accountName")
        if url is None and account is not None:
            url = f"https://{account}.{service}.core.windows.net"
        if url is None:
            raise Refusal(f"setting '{connection}__{service}ServiceUri' (or __accountName) is missing")
        if not url.startswith("https://"):
            raise Refusal(f"'{url}' of connection '{connection}' must be https: tokens never travel in clear")
        if get(f"{connection}__credential") != "managedidentity":
            raise Refusal(f"setting '{connection}__credential' must be 'managedidentity'")
        if not get("IDENTITY_ENDPOINT") or not get("IDENTITY_HEADER"):
            raise Refusal("settings 'IDENTITY_ENDPOINT' and 'IDENTITY_HEADER' are needed for a managed identity")
        client_id = get(f"{connection}__clientId")
        if client_id not in self._identities:
            self._identities[client_id] = Identity(self._config, self._session, client_id)
        return url, self._identities[client_id]


@asynccontextmanager
async def connect(config: Config) -> AsyncIterator[Storage]:
    """Open the session that all clients share."""
    bundle = config.setting("SSL_CERT_FILE")
    try:
        context = ssl.create_default_context(cafile=bundle)
    except OSError as wrong:
        raise Refusal(f"setting 'SSL_CERT_FILE': {bundle}: {wrong}") from wrong
    # The context sits in the connector: given per request, the SDK would build one anew each time.
    connector = aiohttp.TCPConnector(ssl=context, limit=100)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        yield Storage(config, session)


async def create(queue: QueueClient) -> None:
    """Create a queue unless it is there."""
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return


async def send(queue: QueueClient, text: str) -> None:
    """Send a text as it is; create the queue when it is missing."""
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        await create(queue)
        await queue.send_message(text)


def encode(body: bytes, *, as_base64: bool) -> str:
    """Encode a message for the wire, as host.json tells."""
    return base64.b64encode(body).decode() if as_base64 else body.decode("utf-8", "replace")


def decode(text: str, *, as_base64: bool) -> str:
    """Decode a message; raise ValueError when it is not what host.json promises."""
    if not as_base64:
        return text
    return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
