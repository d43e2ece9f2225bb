"""ARM through the management SDKs' own operations, raw JSON in and out: their models lose fields (DESIGN 2).

The reader reads single resources; the hand sends single writes. Each has its own identity.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.adapters.clients import Clients, raw
from shared.adapters.credentials import principal
from shared.adapters.longrun import Watch, address
from shared.adapters.pipeline import Pipeline
from shared.adapters.rest import Rest
from shared.adapters.translate import missing, translated
from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.moves import logs
from shared.core.steps import Request

Json = Mapping[str, Any]


class ArmReader:
    """Reads under the reader identity."""

    def __init__(self, clients: Clients) -> None:
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
                body: Json = operations(target.subscription).get(target.group, target.name, cls=raw)
            except HttpResponseError as error:
                if missing(error):
                    return None
                raise
        return body


_GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# What follows a vault's id in a write of ours.
_POLICIES = re.compile("/accessPolicies/(add|replace|remove)")
_ROLE = re.compile(f"(/keys/[0-9A-Za-z-]{{1,127}})?/providers/Microsoft.Authorization/roleAssignments/{_GUID}")
_KEY = re.compile(f"/keys/({ids.NAME_OF_A_KEY.pattern})")
_AUTHORIZATION = "2022-04-01"
_SETTINGS = "2021-05-01-preview"
_VAULTS = "2026-02-01"


class ArmHand:
    """Writes under the writer identity. A closed set: what is not in `_send` cannot be sent."""

    def __init__(self, pipeline: Pipeline, clients: Clients, client_id: str, watch: Watch) -> None:
        self._pipeline = pipeline
        self._client_id = client_id
        self._clients, self._rest, self._watch = clients, Rest(pipeline), watch

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Who writes: the client id that was configured and the object id that Azure knows it by."""
        with translated("asking who the writer is"):
            return {
                "client_id": self._client_id,
                "principal_id": principal(self._pipeline.credential, self._pipeline.scope),
            }

    def write(self, request: Request, correlation: str) -> bool:
        """Send one write, once; return whether it has taken effect, as far as Azure says within our patience.

        The correlation shows up as such in the Activity Log (AZURE 12).
        """
        target = ids.parse(request.path)
        what = f"{request.method} {target}{request.below}"
        headers = {"x-ms-correlation-request-id": correlation}
        if (request.method, target.kind, request.below) == ("PUT", ids.WORKSPACE, ""):
            return self._watch.over(self._long(request, target, headers, what), what)
        with translated(what):
            self._send(request, target, headers)
        return True

    def _long(self, request: Request, target: ResourceId, headers: Mapping[str, str], what: str) -> str:
        """Begin what takes long; return the address under which Azure tells of it. It is signed: kept in memory alone."""
        with translated(what):
            poller = self._clients.workspaces(target.subscription).begin_create_or_update(
                target.group, target.name, request.body, headers=headers, polling=False, cls=address
            )
            found: str = poller.result()
        return found

    def _send(self, request: Request, target: ResourceId, headers: Mapping[str, str]) -> None:
        vaults = self._clients.vaults(target.subscription)
        kind = request.method, target.kind
        policies, key = _POLICIES.fullmatch(request.below), _KEY.fullmatch(request.below)
        if kind == ("PATCH", ids.VAULT) and not request.below:
            vaults.update(target.group, target.name, request.body, headers=headers)
        elif kind == ("PUT", ids.VAULT) and not request.below:
            self._recover(request, target, headers)
        elif kind == ("PUT", ids.VAULT) and policies:
            vaults.update_access_policy(target.group, target.name, policies[1], request.body, headers=headers)
        elif kind == ("PUT", ids.VAULT) and key:
            keys = self._clients.keys(target.subscription)
            keys.create_if_not_exist(target.group, target.name, key[1], request.body, headers=headers)
        elif kind == ("PUT", ids.VAULT) and request.below == logs.PATH:
            self._rest.send("PUT", f"{target}{logs.PATH}", _SETTINGS, request.body, headers)
        elif kind in {("PUT", ids.VAULT), ("DELETE", ids.VAULT)} and _ROLE.fullmatch(request.below):
            self._assign(request, f"{target}{request.below}", headers)
        else:
            what = f"{request.method} on {target.kind}{request.below[:80]}"
            raise BadInput("UnknownWrite", f"{what} is not something cmkwarden does")

    def _recover(self, request: Request, target: ResourceId, headers: Mapping[str, str]) -> None:
        """PUT a vault in the one mode that makes nothing new: of a vault that is there a PUT would replace every setting."""
        if request.body.get("properties", {}).get("createMode") != "recover":
            raise BadInput("UnknownWrite", "a PUT of a vault that does not recover it is not something cmkwarden does")
        self._rest.send("PUT", str(target), _VAULTS, request.body, headers)

    def _assign(self, request: Request, path: str, headers: Mapping[str, str]) -> None:
        body = request.body if request.method == "PUT" else None
        try:
            self._rest.send(request.method, path, _AUTHORIZATION, body, headers)
        except HttpResponseError as error:
            # The same role for the same principal at the same place, under another name: as good as ours (AZURE 3.2).
            if error.error is None or error.error.code != "RoleAssignmentExists":
                raise
