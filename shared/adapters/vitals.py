"""What the doctor measures: tokens asked for anew, storage asked once, the clocks of others. Nothing here is tried twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from shared.adapters.credentials import principal
from shared.adapters.rest import Rest
from shared.adapters.translate import translated
from shared.core import ids
from shared.core.errors import BadInput, RemediationError, Temporary
from shared.core.ids import ResourceId
from shared.core.ports.vitals import Backlog, Home, Seen

Json = Mapping[str, Any]

_AUTHORIZATION, _ACTIVITY, _SUBSCRIPTIONS, _GRAPH = "2022-04-01", "2015-04-01", "2022-12-01", "2022-10-01"
_EVENTS = "2025-02-15"
_ONCE: Mapping[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 10}
_MOST_PEEKED = 32  # Queue Storage's own limit
_MOST_WRITES = 500  # rows of the Activity Log that are looked at for one provider
_WRITES = frozenset({
    "microsoft.keyvault/vaults/write", "microsoft.keyvault/vaults/delete",
    "microsoft.keyvault/vaults/accesspolicies/write", "microsoft.databricks/workspaces/write",
    "microsoft.databricks/workspaces/delete",
})  # fmt: skip
_IDENTITY = (
    "resources | where type =~ 'microsoft.managedidentity/userassignedidentities' "
    "| where tostring(properties.clientId) =~ '{client}' | project id, principal = tostring(properties.principalId)"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where everything is, and as whom it is asked. `asks` are the identities that this app may ask a token for."""

    clients: Mapping[str, str]  # client ids by `reader` and `writer`
    asks: frozenset[str]
    arm_url: str
    table_url: str
    queue_url: str
    home: Home


class AzureVitals:
    """The measurements. `credential` makes a new one for a client id: an old one would show the token it has kept."""

    def __init__(
        self, rest: Rest, reach: Reach, storage: TokenCredential, credential: Callable[[str], TokenCredential],
        signers: Callable[[], int],
    ) -> None:  # fmt: skip
        self._rest, self._reach, self._storage = rest, reach, storage
        self._credential, self._signers = credential, signers

    def identity(self, who: str) -> str:
        """Return an object id: by a new token, or, where this app does not hold the identity, as Resource Graph shows it."""
        client = self._reach.clients[who]
        if who in self._reach.asks:
            with translated(f"asking for a token of the {who}"):
                return principal(self._credential(client), f"{self._reach.arm_url}/.default").lower()
        return self._looked_up(client) if ids.GUID.fullmatch(client) else ""

    def _looked_up(self, client: str) -> str:
        body = {"query": _IDENTITY.format(client=client), "options": {"resultFormat": "objectArray"}}
        with translated("asking Resource Graph for an identity"):
            answer = self._rest.send("POST", "/providers/Microsoft.ResourceGraph/resources", _GRAPH, body)
        rows = answer.get("data")
        found = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        return str(found.get("principal") or "").lower()

    def held(self, subscription: str, principal: str) -> Sequence[Json]:
        """Return the role assignments of a principal that reach a subscription or lie in it."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignments"
        return list(self._rest.pages(path, _AUTHORIZATION, **{"$filter": f"assignedTo('{principal}')"}))

    def definition(self, subscription: str, role: str) -> Json:
        """Return the definition of a role."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        with translated(f"reading the definition of the role {role}"):
            return self._rest.send("GET", path, _AUTHORIZATION)

    def time(self, where: str) -> datetime:
        """Return what the header Date of an answer says."""
        heard: list[str] = []

        def hear(response: Any) -> None:
            heard.append(str(response.http_response.headers.get("Date", "")))

        if where == "storage":
            with translated("asking storage for the time"):
                self._read_tables(raw_response_hook=hear)
        else:
            with translated("asking Resource Manager for the time"):
                heard.append(self._rest.date("/subscriptions", _SUBSCRIPTIONS))
        return _moment(heard[-1] if heard else "")

    def tables(self) -> None:
        """Read one row of the records."""
        with translated("reading the records"):
            self._read_tables()

    def _read_tables(self, **options: Any) -> None:
        client = self._tables.get_table_client("remediations")
        with suppress(ResourceNotFoundError):  # the table is created with the first record
            next(iter(client.list_entities(results_per_page=1, **options)), None)

    def backlog(self, queue: str) -> Backlog | None:
        """Return what waits on a queue."""
        client = self._queues.get_queue_client(queue)
        with translated(f"looking at the queue {queue}"):
            try:
                waiting = client.get_queue_properties().approximate_message_count or 0
                first = client.peek_messages(_MOST_PEEKED)
            except ResourceNotFoundError:
                return None
        return Backlog(waiting, {str(it.id): it.inserted_on for it in first if it.inserted_on})

    @property
    def home(self) -> Home:
        """Where this app is."""
        return self._reach.home

    def topics(self, subscription: str) -> Sequence[Json]:
        """Return the system topics that lie in a subscription."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics"
        return list(self._rest.pages(path, _EVENTS))

    def subscribed(self, topic: str) -> Sequence[Json]:
        """Return the event subscriptions of a system topic."""
        return list(self._rest.pages(f"{ids.parse(topic)}/eventSubscriptions", _EVENTS))

    def signing_keys(self) -> int:
        """Ask Entra for the keys that sign tokens, anew; return how many there are."""
        return self._signers()

    def written(self, subscription: str, since: datetime) -> Sequence[Seen]:
        """Return what the Activity Log tells of writes to vaults and workspaces."""
        return [
            seen
            for provider in ("Microsoft.KeyVault", "Microsoft.Databricks")
            for seen in self._written(subscription, since, provider)
        ]

    def _written(self, subscription: str, since: datetime, provider: str) -> Iterator[Seen]:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
        wanted = f"eventTimestamp ge '{since:%Y-%m-%dT%H:%M:%SZ}' and resourceProvider eq '{provider}'"
        for number, row in enumerate(self._rest.pages(path, _ACTIVITY, **{"$filter": wanted})):
            if number == _MOST_WRITES:
                raise BadInput("TooMuchActivity", f"{provider} has more than {_MOST_WRITES} rows in the Activity Log")
            if _value(row, "operationName") in _WRITES and _value(row, "status") == "succeeded":
                with suppress(
                    RemediationError, ValueError
                ):  # neither a vault nor a workspace, or no time: not ours to judge
                    yield Seen(_target(row), datetime.fromisoformat(str(row.get("eventTimestamp"))).astimezone(UTC))

    @cached_property
    def _tables(self) -> TableServiceClient:
        return TableServiceClient(self._reach.table_url, credential=self._storage, **_ONCE)

    @cached_property
    def _queues(self) -> QueueServiceClient:
        return QueueServiceClient(self._reach.queue_url, self._storage, **_ONCE)


def account(url: str) -> str:
    """Return the storage account that an endpoint is of: the first label of Azure's names, the first part of the path elsewhere."""
    parts = urlsplit(url)
    label, _, rest = (parts.hostname or "").partition(".")
    is_azures = rest.startswith(("blob.", "queue.", "table."))
    return label if is_azures else parts.path.strip("/").partition("/")[0]


def letterbox(url: str) -> str:
    """Return a container of blobs as account/container; '' where there is none."""
    return f"{account(url)}/{url.rstrip('/').rpartition('/')[2]}" if url else ""


def _target(row: Json) -> ResourceId:
    return ids.parse(row.get("resourceId") or row.get("resourceUri"))


def _value(row: Json, field: str) -> str:
    found = row.get(field)
    return str(found.get("value") or "").lower() if isinstance(found, dict) else str(found or "").lower()


def _moment(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError):
        raise Temporary("NoDate", "the answer has no header Date") from None
