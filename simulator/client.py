"""A person in front of the local Azure: small calls over HTTP, as curl would make them."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import requests

_VAULTS = "2023-07-01"
_GROUPS = "2022-09-01"
_LOCKS = "2016-09-01"


class Client:
    """Speaks to a running stack by what its `stack.json` says."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no CA bundle of the machine may come between
        self._session.verify = str(facts["ca"])

    def arm(self, method: str, path: str, version: str, body: Any = None, token: str = "") -> requests.Response:
        """Call Resource Manager as the owner of the subscriptions, or with another token."""
        return self._session.request(
            method,
            f"{self.facts['arm']}{path}",
            params={"api-version": version},
            headers={"Authorization": f"Bearer {token or self.facts['owner_token']}"},
            json=body,
            timeout=30,
        )

    def vault(self, vault_id: str) -> dict[str, Any]:
        """Return a vault as it stands."""
        answer: dict[str, Any] = self.arm("GET", vault_id, _VAULTS).json()
        return answer

    def put_vault(self, vault_id: str, tags: Mapping[str, str], **properties: Any) -> requests.Response:
        """Write a vault whole."""
        body = {
            "location": "westeurope",
            "tags": dict(tags),
            "properties": {
                "tenantId": self.facts["tenant"],
                "sku": {"family": "A", "name": "standard"},
                "accessPolicies": [],
                "enableRbacAuthorization": True,
                **properties,
            },
        }
        return self.arm("PUT", vault_id, _VAULTS, body)

    def put_group(self, subscription: str, group: str) -> requests.Response:
        """Write a resource group."""
        path = f"/subscriptions/{subscription}/resourceGroups/{group}"
        return self.arm("PUT", path, _GROUPS, {"location": "westeurope"})

    def lock(self, scope: str, name: str, level: str) -> requests.Response:
        """Lock a resource: `ReadOnly` or `CanNotDelete`."""
        path = f"{scope}/providers/Microsoft.Authorization/locks/{name}"
        return self.arm("PUT", path, _LOCKS, {"properties": {"level": level, "notes": "frozen for the audit"}})

    def call(
        self, method: str, path: str, person: int = 0, token: str | None = None, body: Any = None, **headers: str
    ) -> requests.Response:
        """Call the app's API as one of the invented people, or with any other token; '' sends none."""
        bearer = self.facts["people"][person]["token"] if token is None else token
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self._session.request(method, f"{self.facts['functions']}{path}", headers=named, json=body, timeout=30)

    def app(self, path: str, **query: str) -> Any:
        """Ask the app's API as the reader."""
        answer = self.call("GET", f"{path}?{urlencode(query)}" if query else path)
        answer.raise_for_status()
        return answer.json()

    def admin(self, method: str, path: str, body: Any) -> requests.Response:
        """Call the host's admin pages with the master key."""
        headers = {"x-functions-key": self.facts["master_key"]}
        return self._session.request(method, f"{self.facts['functions']}{path}", headers=headers, json=body, timeout=30)

    def get(self, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> requests.Response:
        """Get any address."""
        return self._session.get(url, params=dict(query), headers=dict(headers), timeout=30)

    def row(self, vault_id: str, control: str = "KV-RECOVERY", subject: str = "") -> dict[str, Any] | None:
        """Return the remediation record of a vault for a control and a subject, or None."""
        items = self.app("/api/remediations", target=vault_id, control=control)["items"]
        return next((item for item in items if item["subject"] == subject), None)

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management port."""
        answer = self._session.request(method, f"{self.facts['manage']}{path}", json=body, timeout=60)
        answer.raise_for_status()
        return json.loads(answer.content or b"null")

    def send_events(self, function: str, events: list[Any]) -> requests.Response:
        """Deliver a batch of events to a function, as Event Grid does."""
        return self._session.post(
            f"{self.facts['functions']}/runtime/webhooks/EventGrid",
            params={"functionName": function, "code": self.facts["system_key"]},
            headers={"aeg-event-type": "Notification"},
            json=events,
            timeout=60,
        )

    def writes(self, path: str) -> list[dict[str, Any]]:
        """Return the writes to a resource that Azure has seen from anybody but the owner, oldest first."""
        items = self.manage("GET", "/journal")["items"]
        return [
            item
            for item in items
            if item["method"] in {"PUT", "PATCH", "DELETE"}
            and item["path"].lower() == path.lower()
            and item["caller"] != "owner"
        ]


def until[T](ask: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """Ask again until there is an answer. Raises TimeoutError, saying what did not happen."""
    end = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"within {seconds:.0f} s there was no sign of: {what}")
        time.sleep(0.1)
