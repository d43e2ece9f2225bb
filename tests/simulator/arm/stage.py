"""A running ARM simulator and a fake Functions host, for tests: start it, speak to it, wait for something.

It knows how to reach the simulator and nothing of what is right: expected values stand in the tests.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import trustme
from azure.core.credentials import AccessToken
from azure.identity import ManagedIdentityCredential

from simulator.stack import roles
from tests.simulator.answers import answers_file

ROOT = Path(__file__).parents[3]
TENANT = "11111111-0000-4000-8000-000000000001"
SUB = "22222222-0000-4000-8000-000000000001"
OTHER_SUB = "22222222-0000-4000-8000-000000000002"
HEADER = "s3cret"
VAULTS_API = "2026-05-15"
IDENTITIES = {
    "reader": {
        "client_id": "33333333-0000-4000-8000-000000000001",
        "principal_id": "33333333-0000-4000-8000-00000000000a",
    },
    "writer": {
        "client_id": "33333333-0000-4000-8000-000000000002",
        "principal_id": "33333333-0000-4000-8000-00000000000b",
    },
    "azure_databricks": {
        "client_id": "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        "principal_id": "33333333-0000-4000-8000-00000000000c",
    },
}
ADA = {
    "name": "Ada Approver",
    "object_id": "44444444-0000-4000-8000-000000000001",
    "roles": ["CmkWarden.Approver"],
}


@dataclass
class Posted:
    """One delivery that the fake host received."""

    function: str
    code: str
    headers: dict[str, str]
    body: Any


@dataclass
class Host:
    """A Functions host that only receives events, and answers as it is told."""

    posts: list[Posted] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # the next statuses; 202 when there are none

    def start(self) -> ThreadingHTTPServer:
        """Listen on a free port, in threads."""
        host = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the base class calls it so
                content = self.rfile.read(int(self.headers["Content-Length"]))
                query = parse_qs(urlsplit(self.path).query)
                host.posts.append(
                    Posted(
                        query["functionName"][0],
                        query["code"][0],
                        {name.lower(): value for name, value in self.headers.items()},
                        json.loads(content),
                    )
                )
                self.send_response(host.answers.pop(0) if host.answers else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def about(self, resource: str) -> list[dict[str, Any]]:
        """Events whose subject is this resource, in any case, from single and batched posts."""
        events = [
            event for post in list(self.posts) for event in (post.body if isinstance(post.body, list) else [post.body])
        ]
        return [event for event in events if event["subject"].lower() == resource.lower()]


class Owner:
    """The owner's token as a credential."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        """The same one every time."""
        return AccessToken(self._token, 4102444800)


class Stage:
    """The simulator as a process, with the calls that tests make."""

    def __init__(self, folder: Path) -> None:
        self.host = Host()
        self._server = self.host.start()
        self.ca = str(folder / "ca.pem")
        config = folder / "arm.json"
        config.write_text(json.dumps(configuration(folder, self._server.server_address[1])))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator.arm", "--config", str(config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.arm: str = self.ready["arm"]
        self.manage: str = self.ready["manage"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._tokens: dict[str, str] = {"owner": self.ready["owner_token"]}

    def stop(self) -> None:
        """End the process and the fake host."""
        self._session.close()
        self.process.terminate()
        self.process.wait(5)
        self._server.shutdown()

    def token(self, who: str, resource: str = "") -> str:
        """A token from the managed-identity endpoint; the owner's comes with the ready line."""
        key = who + resource
        if key not in self._tokens:
            reply = self._session.get(
                self.ready["token_url"],
                params={
                    "api-version": "2019-08-01",
                    "resource": resource or self.arm,
                    "client_id": IDENTITIES[who]["client_id"],
                },
                headers={"X-IDENTITY-HEADER": HEADER},
            )
            self._tokens[key] = reply.json()["access_token"]
        return self._tokens[key]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: str = "owner",
        version: str | None = VAULTS_API,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> requests.Response:
        """One call to ARM."""
        query = {**({"api-version": version} if version else {}), **(params or {})}
        bearer = {"Authorization": f"Bearer {self.token(who)}"} if who else {}
        return self._session.request(
            method,
            path if path.startswith("http") else self.arm + path,
            params=None if "api-version=" in path else query,
            json=body,
            headers={**bearer, **(headers or {})},
            verify=self.ca,
        )

    def tell(self, method: str, path: str, body: Any = None) -> Any:
        """One call to the management port."""
        reply = self._session.request(method, self.manage + path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def group(self, name: str, subscription: str = SUB) -> str:
        """Make a resource group; returns its id."""
        where = f"/subscriptions/{subscription}/resourceGroups/{name}"
        assert self.call("PUT", where, {"location": "westeurope"}).status_code in {200, 201}
        return where

    def credential(self, who: str) -> ManagedIdentityCredential:
        """What the product uses; needs IDENTITY_ENDPOINT and IDENTITY_HEADER in the environment."""
        return ManagedIdentityCredential(client_id=IDENTITIES[who]["client_id"])

    def owner(self) -> Any:
        """A credential that hands out the owner's token for ARM."""
        return Owner(self.token("owner"))

    def sdk(self) -> dict[str, Any]:
        """What the management clients must be told to come here."""
        return {
            "base_url": self.arm,
            "credential_scopes": [f"{self.arm}/.default"],
            "connection_verify": self.ca,
            "polling_interval": 0.02,
            "retry_total": 0,
        }


def vault(location: str = "westeurope", **properties: Any) -> dict[str, Any]:
    """The body of a vault PUT."""
    needed = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}}
    return {"location": location, "properties": {**needed, **properties}}


def until[T](found: Callable[[], T], seconds: float = 5.0) -> T:
    """Wait until something is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it did not come")


def configuration(folder: Path, functions_port: int) -> dict[str, Any]:
    """What the simulator is started with; certificates are made in the folder."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost", "*.vault.azure.net")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    return {
        "tenant": TENANT,
        "port": 0,
        "manage_port": 0,
        "host": "127.0.0.1",
        "cert": str(folder / "cert.pem"),
        "key": str(folder / "key.pem"),
        "identity_header": HEADER,
        "subscriptions": [{"id": SUB, "name": "main"}, {"id": OTHER_SUB, "name": "other"}],
        "identities": IDENTITIES,
        **roles(),
        "audience": "api://cmkwarden",
        "people": [ADA],
        "event_subscriptions": json.loads((ROOT / "infra/event_subscriptions.json").read_text()),
        "functions_url": f"http://127.0.0.1:{functions_port}",
        "system_key": "system-key",
        "storage_audience": "https://storage.azure.com",
        "knobs": {"workspace_seconds": 0.05},
        "answers": answers_file(),
    }
