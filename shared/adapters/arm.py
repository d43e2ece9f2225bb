"""ARM through the management SDKs' own operations, raw JSON in and out: their models lose fields (DESIGN 2).

The reader reads single resources; the hand sends single writes. Each has its own identity.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.mgmt.databricks import AzureDatabricksManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient

from shared.adapters.credentials import principal
from shared.adapters.pipeline import Pipeline
from shared.adapters.translate import missing, translated
from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.steps import Request

Json = Mapping[str, Any]


def _raw(response: Any, _model: Any, _headers: Any) -> Json:
    """Return the body as it came over the wire, for the `cls` argument of an operation."""
    body: Json = response.http_response.json()
    return body


class _Clients:
    """Management clients, one for each subscription and provider, built on first use."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._vaults: dict[str, KeyVaultManagementClient] = {}
        self._workspaces: dict[str, AzureDatabricksManagementClient] = {}

    def vaults(self, subscription: str) -> Any:
        """Return the vault operations of a subscription."""
        if subscription not in self._vaults:
            self._vaults[subscription] = KeyVaultManagementClient(
                subscription_id=subscription, **self._pipeline.options()
            )
        return self._vaults[subscription].vaults

    def workspaces(self, subscription: str) -> Any:
        """Return the workspace operations of a subscription."""
        if subscription not in self._workspaces:
            self._workspaces[subscription] = AzureDatabricksManagementClient(
                subscription_id=subscription, **self._pipeline.options()
            )
        return self._workspaces[subscription].workspaces


class ArmReader:
    """Reads under the reader identity."""

    def __init__(self, pipeline: Pipeline) -> None:
        clients = _Clients(pipeline)
        self._operations: dict[str, Callable[[str], Any]] = {
            ids.VAULT: clients.vaults,
            ids.WORKSPACE: clients.workspaces,
        }

    def read(self, target: ResourceId) -> Json | None:
        """Return the raw body, or None where Azure says there is none."""
        operations = self._operations.get(target.kind)
        if operations is None:
            raise BadInput("NotOurs", f"{target.kind} is neither a key vault nor a Databricks workspace")
        with translated(f"reading {target}"):
            try:
                body: Json = operations(target.subscription).get(target.group, target.name, cls=_raw)
            except HttpResponseError as error:
                if missing(error):
                    return None
                raise
        return body


class ArmHand:
    """Writes under the writer identity. A closed set: what is not in the table cannot be sent."""

    def __init__(self, pipeline: Pipeline, client_id: str) -> None:
        self._pipeline = pipeline
        self._client_id = client_id
        clients = _Clients(pipeline)
        self._writes: dict[tuple[str, str], Callable[..., Any]] = {
            ("PATCH", ids.VAULT): lambda at, body, **kw: clients.vaults(at.subscription).update(
                at.group, at.name, body, **kw
            ),
        }

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Who writes: the client id that was configured and the object id that Azure knows it by."""
        with translated("asking who the writer is"):
            return {
                "client_id": self._client_id,
                "principal_id": principal(self._pipeline.credential, self._pipeline.scope),
            }

    def write(self, request: Request, correlation: str) -> None:
        """Send one write, once. The correlation shows up as such in the Activity Log (AZURE 12)."""
        target = ids.parse(request.path)
        send = self._writes.get((request.method, target.kind))
        if send is None:
            raise BadInput("UnknownWrite", f"{request.method} on {target.kind} is not something cmkwarden does")
        with translated(f"{request.method} {target}"):
            send(target, request.body, headers={"x-ms-correlation-request-id": correlation})
