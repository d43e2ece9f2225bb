"""ARM through the management SDKs' own operations, raw JSON in and out: their models lose fields (DESIGN 2).

The reader reads single resources; the hand sends single writes. Each has its own identity.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.mgmt.databricks import AzureDatabricksManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient

from shared.adapters.credentials import principal
from shared.adapters.pipeline import Pipeline
from shared.adapters.rest import Rest
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
        self._identities: dict[str, ManagedServiceIdentityClient] = {}

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

    def identities(self, subscription: str) -> Any:
        """Return the operations on user-assigned identities of a subscription."""
        if subscription not in self._identities:
            self._identities[subscription] = ManagedServiceIdentityClient(
                subscription_id=subscription, **self._pipeline.options()
            )
        return self._identities[subscription].user_assigned_identities


class ArmReader:
    """Reads under the reader identity."""

    def __init__(self, pipeline: Pipeline) -> None:
        clients = _Clients(pipeline)
        self._operations: dict[str, Callable[[str], Any]] = {
            ids.VAULT: clients.vaults,
            ids.WORKSPACE: clients.workspaces,
            ids.IDENTITY: clients.identities,
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


_GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# What follows a vault's id in a write of ours.
_POLICIES = re.compile("/accessPolicies/(add|replace|remove)")
_ROLE = re.compile(f"(/keys/[0-9A-Za-z-]{{1,127}})?/providers/Microsoft.Authorization/roleAssignments/{_GUID}")
_AUTHORIZATION = "2022-04-01"


class ArmHand:
    """Writes under the writer identity. A closed set: what is not in `_send` cannot be sent."""

    def __init__(self, pipeline: Pipeline, client_id: str) -> None:
        self._pipeline = pipeline
        self._client_id = client_id
        self._clients, self._rest = _Clients(pipeline), Rest(pipeline)

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
        with translated(f"{request.method} {target}{request.below}"):
            self._send(request, target, {"x-ms-correlation-request-id": correlation})

    def _send(self, request: Request, target: ResourceId, headers: Mapping[str, str]) -> None:
        vaults = self._clients.vaults(target.subscription)
        kind = request.method, target.kind
        policies = _POLICIES.fullmatch(request.below)
        if kind == ("PATCH", ids.VAULT) and not request.below:
            vaults.update(target.group, target.name, request.body, headers=headers)
        elif kind == ("PUT", ids.VAULT) and policies:
            vaults.update_access_policy(target.group, target.name, policies[1], request.body, headers=headers)
        elif kind in {("PUT", ids.VAULT), ("DELETE", ids.VAULT)} and _ROLE.fullmatch(request.below):
            self._assign(request, f"{target}{request.below}", headers)
        else:
            what = f"{request.method} on {target.kind}{request.below[:80]}"
            raise BadInput("UnknownWrite", f"{what} is not something cmkwarden does")

    def _assign(self, request: Request, path: str, headers: Mapping[str, str]) -> None:
        body = request.body if request.method == "PUT" else None
        try:
            self._rest.send(request.method, path, _AUTHORIZATION, body, headers)
        except HttpResponseError as error:
            # The same role for the same principal at the same place, under another name: as good as ours (AZURE 3.2).
            if error.error is None or error.error.code != "RoleAssignmentExists":
                raise
