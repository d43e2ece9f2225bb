"""What must have existed before a recorded request, made so in the simulator's world.

It seeds through the management port.
"""

import json
from typing import Any

from tests.simulator.truth.fleet import PLAYER, Simulator
from tests.simulator.truth.keys import fullest, handle, seeded, shown_keys, stand_in, vault_of, with_policy
from tests.simulator.truth.names import Names, identity
from tests.simulator.truth.recordings import Interaction
from tests.simulator.truth.singles import circumstances, principals, taken_name, unregistered

EVERYTHING = 100_000
MANY_EMPTY_PAGES = 1000
# Types whose state is moved from the other end, by requests to the network's provider.
MOVED = {
    "Microsoft.Databricks/workspaces/virtualNetworkPeerings",
    "Microsoft.Databricks/workspaces/privateEndpointConnections",
}
# Owner and Key Vault Crypto Officer
EVERYTHING_ALLOWED = ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603")
ROLES_API = "2022-04-01"


class Scene:
    """The world as far as the recording shows it."""

    def __init__(self, simulator: Simulator, rows: list[Interaction], names: Names, tenant: str) -> None:
        self._simulator, self._names, self._tenant = simulator, names, tenant
        self._known: set[str] = set()  # ids, in lower case, of what is there already
        self._graves: set[str] = set()  # names of deleted vaults
        self._ghosts: set[str] = set()
        self._waiting: list[dict[str, Any]] = []
        self._people: list[dict[str, str]] = []
        self._pages: dict[str, int] = {}
        self._abroad = False  # whether a foreign provider was asked since the last request of ours
        self._hosts: set[str] = set()  # vaults that have been called
        self._full = _fullest(rows)
        self._keys = fullest(rows)
        self.chains = chains(rows)
        self._torn = torn(rows)

    def prepare(self, row: Interaction) -> None:
        """Make the world fit for a request of an imitated provider."""
        self._group(row)
        self._people += [self._names.apply(each) for each in principals(row)]
        for body in [*(circumstances(row) if row.is_single else []), *unregistered(row), *taken_name(row)]:
            self._seed(body)
        self._role(row)
        items = listed(row)
        if row.is_data_plane:
            self._vault(row)
        if row.kind in MOVED and row.method == "GET" and self._abroad and isinstance(row.body, dict):
            self._seed(row.body)
        self._abroad = False
        if items is not None:
            self._list(row, items)
        elif row.method == "GET" and row.status == 200 and isinstance(row.body, dict) and row.body.get("id"):
            self._appear(row.body)
        elif (row.method in {"PATCH", "DELETE"} or row.kind in MOVED) and row.path.lower() in self._full:
            self._appear(self._full[row.path.lower()])
        self._settle()

    def show(self, row: Interaction) -> None:
        """A foreign provider's answer: what it shows exists."""
        self._abroad = True
        for shown in shown_keys(row) if row.is_data_plane else []:
            self._known.discard(handle(row, shown))  # changed by a request that cannot be played
        if isinstance(row.body, dict) and row.body.get("id") and row.status in {200, 201} and "/providers/" in row.path:
            self._appear(row.body)

    def happened(self, row: Interaction) -> None:
        """Remember what the request itself has made or taken away."""
        name = row.path.rsplit("/", 1)[-1].lower()
        if row.method == "PUT" and row.status < 300:
            self._known.add(row.path.lower())
            self._graves.discard(name)
        elif row.method == "DELETE" and row.status < 300:
            self._known.discard(row.path.lower())
            self._graves.add(name)
        elif row.method == "POST" and name == "purge":
            self._graves.discard(row.path.split("/")[-2].lower())

    def empower(self) -> None:
        """Make the application that plays an owner of everything, and of the keys in vaults that use roles."""
        for number, role in enumerate(EVERYTHING_ALLOWED):
            name = f"00000000-0000-4000-8000-0000000000e{number}"
            properties = {
                "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
                "principalId": PLAYER,
                "principalType": "ServicePrincipal",
                "scope": "/",
            }
            where = f"/providers/Microsoft.Authorization/roleAssignments/{name}"
            kind = "Microsoft.Authorization/roleAssignments"
            self._seed({"id": where, "name": name, "type": kind, "properties": properties})

    def is_ghost(self, identity: str) -> bool:
        """Whether a resource is here only because a list had shown it: the recording does not say when it went."""
        return identity.lower() in self._ghosts

    def _list(self, row: Interaction, items: list[Any]) -> None:
        """Pages as long as the recorded ones; on the first page everything exists that any page shows."""
        has_more = "nextLink" in row.body
        size = (len(items) or 1) if has_more else EVERYTHING
        empty = MANY_EMPTY_PAGES if has_more and not items else 0
        pages = {"page_size": size, "empty_pages": empty, "loose_top": has_more and "$top" in row.query}
        if pages != self._pages:
            self._pages = pages
            self._simulator.tell("POST", "/knobs", pages)
        for item in self.chains.get((row.source, row.index), {}).values():
            if isinstance(item, dict) and item.get("id") and str(item["id"]).lower() not in self._known:
                self._ghosts.add(str(item["id"]).lower())
                self._appear(item)
        if has_more and (row.source, row.index) in self._torn and items and "name" in items[-1]:
            self._appear(_further(items[-1]))
            self._ghosts.add(str(_further(items[-1])["id"]).lower())

    def _appear(self, body: dict[str, Any]) -> None:
        identity = str(body["id"]).lower()
        if identity in self._known:
            return
        self._known.add(identity)
        if "/deletedvaults/" in identity:
            self._bury(body)
        else:
            self._seed(self._full.get(identity, body))

    def _bury(self, body: dict[str, Any]) -> None:
        """A deleted vault, unless the sequence itself has deleted it."""
        if str(body["name"]).lower() in self._graves:
            return
        self._graves.add(str(body["name"]).lower())
        self._known.discard(str(body["properties"]["vaultId"]).lower())
        self._seed(body)

    def _seed(self, body: dict[str, Any]) -> None:
        """To be seeded with everything else before the next request."""
        self._waiting.append(self._names.apply(body))

    def _settle(self) -> None:
        """Seed all that waits."""
        if self._waiting or self._people:
            self._simulator.tell("POST", "/seed", {"resources": self._waiting, "principals": self._people})
            self._waiting, self._people = [], []

    def _vault(self, row: Interaction) -> None:
        """The vault that is called, and the keys that it shows without having been told to make them."""
        vault = vault_of(row, self._full.values()) or stand_in(row, self._tenant, PLAYER, self._keys)
        if str(vault["id"]).lower() not in self._known and row.host not in self._hosts:
            self._appear(vault)
        self._hosts.add(row.host)
        makes = row.method in {"POST", "PUT"} and "rotationpolicy" not in row.path
        for shown in shown_keys(row):
            name = handle(row, shown)
            if name not in self._known and not makes:
                whole = self._keys.get(name, shown)
                for body in seeded(whole["kid"], {**whole, "attributes": shown["attributes"]}, str(vault["id"])):
                    self._seed(body)
            self._known.add(name)
        if row.method == "GET" and row.path.endswith("/rotationpolicy") and row.status == 200:
            for body in with_policy(row, self._keys, str(vault["id"])):
                self._seed(body)

    def _role(self, row: Interaction) -> None:
        """The role that is given, where the simulator does not know it: some are of the recording's own tenant."""
        properties = row.sent.get("properties") if isinstance(row.sent, dict) else None
        role = str((properties or {}).get("roleDefinitionId", "")) if isinstance(properties, dict) else ""
        where = f"/providers/Microsoft.Authorization/roleDefinitions/{role.rsplit('/', 1)[-1]}"
        if not role or where in self._known:
            return
        self._known.add(where)
        if (
            self._simulator.call("GET", f"{self._simulator.arm}{where}?api-version={ROLES_API}", None).status_code
            == 404
        ):
            kind = "Microsoft.Authorization/roleDefinitions"
            rights = {"roleName": role, "type": "CustomRole", "permissions": [], "assignableScopes": ["/"]}
            self._seed({"id": where, "name": where.rsplit("/", 1)[-1], "type": kind, "properties": rights})

    def _group(self, row: Interaction) -> None:
        """The resource group that a request names."""
        parts = row.path.split("/")
        where = "/".join(parts[:5])
        if (
            "ResourceGroupNotFound" in str(row.body)
            or len(parts) < 6
            or parts[3].lower() != "resourcegroups"
            or where.lower() in self._known
        ):
            return
        self._known.add(where.lower())
        properties = {"provisioningState": "Succeeded"}
        self._seed(
            {
                "id": where,
                "name": parts[4],
                "type": "Microsoft.Resources/resourceGroups",
                "location": "westeurope",
                "properties": properties,
            }
        )


def listed(row: Interaction) -> list[Any] | None:
    """The rows of a list; None for any other answer."""
    items = row.body.get("value") if isinstance(row.body, dict) and row.status == 200 else None
    return items if row.method == "GET" and isinstance(items, list) else None


def chains(rows: list[Interaction]) -> dict[tuple[str, int], dict[str, Any]]:
    """For each page of a list, all rows of the whole list by id: the page itself and those that follow or precede."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    open_lists: dict[str, dict[str, Any]] = {}
    for row in rows:
        items = listed(row)
        if items is None:
            continue
        key = f"{row.host}{row.path}".lower()
        whole = open_lists.setdefault(key, {}) if is_next_page(row) else {}
        open_lists[key] = whole
        whole.update({identity(item): item for item in items})
        found[row.source, row.index] = whole
    return found


def torn(rows: list[Interaction]) -> set[tuple[str, int]]:
    """Pages that link to a further one which was not recorded."""
    found: dict[str, Interaction] = {}
    ends = set()
    for row in rows:
        if listed(row) is None:
            continue
        key = f"{row.host}{row.path}".lower()
        if not is_next_page(row) and key in found:
            ends.add((row.source, found[key].index))
        found[key] = row
    ends |= {(row.source, row.index) for row in found.values()}
    return ends


def _further(item: dict[str, Any]) -> dict[str, Any]:
    """A row that stands for the unrecorded ones."""
    body: dict[str, Any] = json.loads(json.dumps(item).replace(str(item["name"]), "zz-further"))
    return body


def is_next_page(row: Interaction) -> bool:
    """Whether it asks for a page that an earlier one had linked to."""
    return any("skiptoken" in name or name == "$skip" for name in row.query)


def _fullest(rows: list[Interaction]) -> dict[str, dict[str, Any]]:
    """The first complete body that the recording holds of each resource, by id."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        body = row.body if isinstance(row.body, dict) else {}
        for each in [body, *(listed(row) or [])]:
            if isinstance(each, dict) and each.get("id") and "properties" in each:
                found.setdefault(str(each["id"]).lower(), each)
    return found
