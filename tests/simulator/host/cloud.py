"""The world around a host under test: a real Azurite over TLS and a managed-identity endpoint."""

import json
import re
import socket
import subprocess
import threading
import time
import urllib.parse
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import trustme
from azure.core.credentials import AccessToken
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from tests.simulator.host.waiting import until

ROOT = Path(__file__).parents[3]
AZURITE = ROOT / "simulator/storage/node_modules/azurite/dist/src/azurite.js"
APP_PYTHON = ROOT / ".app/bin/python"


def free_ports(count: int) -> list[int]:
    """Find ports that nobody uses."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]


def mint(resource: str) -> str:
    """Make a token that Azurite accepts."""
    now = int(time.time())
    claims = {
        "aud": resource,
        "iss": "https://sts.windows.net/t/",
        "iat": now,
        "nbf": now - 60,
        "exp": now + 3600,
        "oid": "o",
    }
    return jwt.encode(claims, "nobody checks the signature of this token", algorithm="HS256")


class Credential:
    """The tests' own way into Azurite."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Make a token on the spot."""
        return AccessToken(mint("https://storage.azure.com"), int(time.time()) + 3600)


class IdentityPage(BaseHTTPRequestHandler):
    """App Service's managed-identity endpoint."""

    def do_GET(self) -> None:
        """Give a token for the resource asked for, to who knows the header."""
        known = self.headers.get("X-IDENTITY-HEADER") == "identity-header" and "client_id=reader" in self.path
        found = re.search(r"resource=([^&]+)", self.path)
        resource = urllib.parse.unquote(found[1]) if found else ""
        good = {
            "access_token": mint(resource),
            "expires_on": str(int(time.time()) + 3600),
            "resource": resource,
        }
        packed = json.dumps(good | {"token_type": "Bearer"} if known else {"message": "who are you?"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def log_message(self, *_parts: object) -> None:
        """Be quiet."""


class Cloud:
    """Azurite over TLS and the token endpoint."""

    def __init__(self, folder: Path) -> None:
        assert AZURITE.is_file(), "Azurite is not installed: run `make setup`"
        assert APP_PYTHON.is_file(), "the app's environment is missing: run `make setup`"
        self.ca = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca))
        issued = authority.issue_cert("127.0.0.1", "localhost")
        cert, key = folder / "cert.pem", folder / "key.pem"
        issued.cert_chain_pems[0].write_to_path(str(cert))
        issued.private_key_pem.write_to_path(str(key))
        self.blob, self.queue, self.table = free_ports(3)
        flags = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        ports = [f"--blobPort={self.blob}", f"--queuePort={self.queue}", f"--tablePort={self.table}"]
        tls = ["--oauth", "basic", "--cert", str(cert), "--key", str(key)]
        self._azurite = subprocess.Popen(["node", str(AZURITE), *flags, *ports, *tls], stdout=subprocess.DEVNULL)
        self._identity = ThreadingHTTPServer(("127.0.0.1", 0), IdentityPage)
        threading.Thread(target=self._identity.serve_forever, daemon=True).start()
        until(lambda: self._open(self.queue) and self._open(self.blob), "Azurite to listen")

    @staticmethod
    def _open(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def url(self, port: int) -> str:
        """Tell where a service is."""
        return f"https://127.0.0.1:{port}/devstoreaccount1"

    def settings(self) -> dict[str, str]:
        """Give what an app in Azure would be told."""
        return {
            "AzureWebJobsStorage__blobServiceUri": self.url(self.blob),
            "AzureWebJobsStorage__queueServiceUri": self.url(self.queue),
            "AzureWebJobsStorage__tableServiceUri": self.url(self.table),
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": "reader",
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self._identity.server_address[1]}/msi/token",
            "IDENTITY_HEADER": "identity-header",
            "SSL_CERT_FILE": str(self.ca),
            "REQUESTS_CA_BUNDLE": str(self.ca),
        }

    def messages(self, name: str) -> QueueClient:
        """Open a queue; texts as they are on the wire."""
        return QueueClient(self.url(self.queue), name, credential=Credential(), connection_verify=str(self.ca))

    def queues(self) -> list[str]:
        """List all queues."""
        service = QueueServiceClient(self.url(self.queue), credential=Credential(), connection_verify=str(self.ca))
        return [str(queue.name) for queue in service.list_queues()]

    def locks(self) -> ContainerClient:
        """Open the container of the hosts."""
        return ContainerClient(
            self.url(self.blob),
            "azure-webjobs-hosts",
            credential=Credential(),
            connection_verify=str(self.ca),
        )

    def close(self) -> None:
        """End both servers."""
        self._azurite.kill()
        self._azurite.wait()
        self._identity.shutdown()
        self._identity.server_close()
