"""Plays one recorded sequence against a fresh simulator and notes every difference.

Before each request the world is made what it must have been: what Azure showed and no request of the sequence had made
is seeded, pages are as long as the recorded ones, and time has passed where Azure had taken it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.simulator.arm.stage import IDENTITIES, TENANT
from tests.simulator.truth import shape
from tests.simulator.truth.fleet import PLAYER, Fleet, Simulator
from tests.simulator.truth.names import LINKS, NOBODY, Names, identity, plain
from tests.simulator.truth.recordings import VAULT_SUFFIX, Interaction
from tests.simulator.truth.scene import Scene, is_next_page, listed

LATER = 3600.0
# What takes time takes long, so that only the player moves it on.
SLOW = {"workspace_seconds": 600, "dns_seconds": 600, "purge_seconds": 600}
# Azure Databricks' own principal in the tenant of the recordings, and here.
DATABRICKS = {"fe597bb2-377c-44f1-8515-82c8a1a62e3d": IDENTITIES["azure_databricks"]["principal_id"]}
PENDING = {"accepted", "updating", "creating", "registeringdns", "notstarted", "inprogress", "running", "deleting"}


@dataclass
class Outcome:
    """One request, and in what the simulator differed."""

    request: Interaction
    differences: list[str] = field(default_factory=list)


class Player:
    """One sequence on one simulator."""

    def __init__(self, simulator: Simulator, rows: list[Interaction]) -> None:
        self._simulator = simulator
        self._rows = rows
        self._names = Names({**dict.fromkeys(callers(rows), PLAYER), **DATABRICKS})
        self._scene = Scene(simulator, rows, self._names, tenant(rows))
        self._begun = begun(rows)
        self._is_busy = False  # whether something was begun since time has passed
        self._seen: dict[int, set[str]] = {}  # ids that have come so far, for each list

    def play(self) -> list[Outcome]:
        """Every request of an imitated provider, in order."""
        outcomes = []
        self._scene.empower()
        known = self._simulator.tell("GET", "/knobs")
        self._simulator.tell("POST", "/knobs", {name: value for name, value in SLOW.items() if name in known})
        for row in self._rows:
            if row.provider and not self._is_torn(row):
                self._scene.prepare(row)
                self._pass_time(row)
                outcomes.append(Outcome(row, self._request(row)))
            else:
                self._scene.show(row)
        return outcomes

    def _is_torn(self, row: Interaction) -> bool:
        """Whether an operation is polled whose beginning was a foreign provider's, or was not recorded."""
        return is_poll(row) and plain(row.url) not in self._begun

    def _request(self, row: Interaction) -> list[str]:
        url = self._address(row)
        if url is None:
            return ["no operation or page to ask for"]
        sent = self._names.apply(row.sent) if row.sent is not None else None
        host = row.host if row.is_data_plane else ""
        try:
            reply = self._simulator.call(row.method, url, sent, host=host, signed=row.status != 401, who=author(row))
        except requests.ConnectionError:
            return ["the connection was cut"]
        actual, headers = content(reply), {name.lower(): value for name, value in reply.headers.items()}
        aligned = self._aligned(row, actual)
        found = compare(aligned, reply.status_code, headers, actual)
        self._names.learn_links(row.headers, headers)
        self._names.learn(aligned.body, actual)
        self._scene.happened(row)
        return found

    def _address(self, row: Interaction) -> str | None:
        """The simulator's URL for a recorded one; None for an operation that it never began."""
        known = self._names.link(row.url)
        if known is not None:
            parts = urlsplit(known)
            is_vault = parts.netloc.split(":")[0].endswith(VAULT_SUFFIX)
            return f"{self._simulator.arm}{parts.path}?{parts.query}" if is_vault else known
        if (is_poll(row) or is_next_page(row)) and row.status != 401:
            return None
        parts = urlsplit(self._names.apply(row.url))
        return f"{self._simulator.arm}{parts.path}?{parts.query}"

    def _aligned(self, row: Interaction, actual: Any) -> Interaction:
        """A recorded page with the rows that the simulator has on it: no order of rows is promised by Azure.

        All rows of all pages must have come by the last one.
        """
        if listed(row) is None or not isinstance(actual, dict) or not isinstance(actual.get("value"), list):
            return row
        whole = self._scene.chains[row.source, row.index]
        if row.is_data_plane:  # versions of keys have other names here
            whole = {self._names.apply(each): self._names.apply(item) for each, item in whole.items()}
        seen = self._seen.setdefault(id(self._scene.chains[row.source, row.index]), set())
        came = {identity(item): item for item in actual["value"]}
        seen.update(came)
        rows = [whole[each] for each in came if each in whole]
        if "nextLink" not in row.body:
            rows += [item for each, item in whole.items() if each not in seen]
        actual["value"] = [item for each, item in came.items() if each in whole or not self._scene.is_ghost(each)]
        if came and not actual["value"] and "nextLink" not in row.body:
            actual.pop("nextLink", None)  # it leads past rows that are left from another list
        return replace(row, body={**row.body, "value": rows})

    def _pass_time(self, row: Interaction) -> None:
        """Long operations are over before a change, and where Azure's answer says so."""
        body = row.body if isinstance(row.body, dict) else {}
        state = (body.get("properties") or {}).get("provisioningState") or body.get("status")
        is_over = row.method != "GET" or (state and str(state).lower() not in PENDING)
        if self._is_busy and is_over and str(state).lower() != "registeringdns":
            self._simulator.tell("POST", "/clock", {"advance": LATER})
            self._is_busy = False
        self._is_busy = self._is_busy or row.method != "GET"


def is_poll(row: Interaction) -> bool:
    """Whether a request asks how an operation is going."""
    return "operation" in row.path.rsplit("/", 2)[-2].lower()


def begun(rows: Iterable[Interaction]) -> set[str]:
    """The operations that requests of imitated providers have begun."""
    own = [row for row in rows if row.provider]
    return {plain(row.headers[name]) for row in own for name in LINKS if name in row.headers and not is_poll(row)}


def author(row: Interaction) -> str:
    """Who plays a request: an application where the recording was made by one, and one without rights for a 403."""
    if row.status == 403:
        return "reader"
    system = row.body.get("systemData") if isinstance(row.body, dict) else None
    return "writer" if row.method != "GET" and (system or {}).get("lastModifiedByType") == "Application" else "owner"


def compare(row: Interaction, status: int, headers: dict[str, str], body: Any) -> list[str]:
    """All differences of an answer; of one with another status only that."""
    if status != row.status:
        error = body.get("error", body) if isinstance(body, dict) else {}
        code = error.get("code", "") if isinstance(error, dict) else ""
        return [f"status: {row.status} != {status} {code}".rstrip()]
    found = sorted(shape.headers(row.headers, headers, has_body=row.body is not None))
    return found + sorted(shape.bodies(row.body, body))


def content(reply: requests.Response) -> Any:
    """The body; None for an empty one."""
    if not reply.content:
        return None
    try:
        return reply.json() or None
    except ValueError:
        return reply.text


def callers(rows: Iterable[Interaction]) -> list[str]:
    """The object ids under which the recording was made: the author named most often, and who may create keys."""
    authors: Counter[str] = Counter()
    makers = set()
    for properties in [body["properties"] for body in resources(rows)]:
        for name in ("createdBy", "updatedBy"):
            value = properties.get(name)
            authors[str(value.get("oid") if isinstance(value, dict) else value)] += 1
        for policy in properties.get("accessPolicies") or []:
            if {word.lower() for word in (policy.get("permissions") or {}).get("keys") or []} & {"create", "all"}:
                makers.add(str(policy["objectId"]))
    first = [oid for oid, _ in authors.most_common() if "-" in oid and oid != NOBODY][:1]
    return [*first, *sorted(makers - {NOBODY})]


def resources(rows: Iterable[Interaction]) -> Iterable[dict[str, Any]]:
    """Every body with properties that was sent or answered, alone or in a list."""
    for row in rows:
        for each in [row.sent, row.body, *(listed(row) or [])]:
            if isinstance(each, dict) and isinstance(each.get("properties"), dict):
                yield each


def tenant(rows: Iterable[Interaction]) -> str:
    """The tenant that the recording was made in."""
    named = (body["properties"].get("tenantId") for body in resources(rows))
    found = Counter(str(each) for each in named if each)
    return found.most_common(1)[0][0] if found else TENANT


def play(fleet: Fleet, rows: list[Interaction]) -> list[Outcome]:
    """One sequence on a simulator of its own."""
    subscriptions = {row.path.split("/")[2] for row in rows if row.path.startswith("/subscriptions/")}
    listed = [{"id": each, "name": f"recorded {each[:8]}"} for each in sorted(subscriptions)]
    with fleet.simulator(tenant=tenant(rows), subscriptions=listed) as simulator:
        return Player(simulator, rows).play()
