"""The simulator, the proxy in front of it and an environment for clients: everything a client needs, in one folder.

A client is a process of its own, unmodified. It finds Azure's names through HTTPS_PROXY, trusts our authority through the
variables that Python clients read, signs in with a managed identity, and writes into this folder only.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from simulator import certificates
from simulator.arm.answer import Json
from simulator.children import Child, die_with_parent
from simulator.clients.vaults import SUBSCRIPTION, TENANT

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".clients"
CLIENT_ID = "0be4a700-58f1-4a6b-b0c4-1f7d2e9a0101"
PRINCIPAL_ID = "0be4a700-58f1-4a6b-b0c4-1f7d2e9a0102"
SECRET = "not-a-secret"
# Subscriptions in which a client's own defect shows: kept apart, because there it sees nothing else.
NEWEST_KEY = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0002"
MANY = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0003"
OPEN_VAULTS = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0004"
SUBSCRIPTIONS = {SUBSCRIPTION: "Planted", NEWEST_KEY: "Newest key", MANY: "Many", OPEN_VAULTS: "Open vaults"}
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a client's process. Code None: it was ended because its time was over."""

    code: int | None
    out: str
    err: str
    seconds: float
    journal: list[Json]

    @property
    def requests(self) -> int:
        """How many requests reached ARM or a vault."""
        return len(self.journal)

    def again(self) -> "Ran":
        """The same run, looked at once more: what it cost has been counted."""
        return Ran(self.code, self.out, self.err, 0, [])

    def json(self) -> Any:
        """Standard output as JSON; None when it is none."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None


class Stage:
    """Starts and ends with a `with` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[Child] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self.arm = self.manage = ""
        self._env: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def client(self, name: str, *program: str) -> list[str]:
        """The command of an installed client, by its interpreter: the first line of a script may be too long."""
        return [str(INSTALLED / name / "bin/python"), "-W", "ignore", *program]

    def run(
        self, command: Sequence[str], extra: Mapping[str, str] | None = None, seconds: float = 120, quiet: float = 0
    ) -> Ran:
        """Run a client to its end. `quiet`: end it once it has asked nothing for so long; it hangs."""
        self.tell("DELETE", "/journal")
        started = time.monotonic()
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self._env, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread of ours exists
            )
            try:
                code = self._await(process, seconds, quiet)
            finally:
                _end(process)
        took = time.monotonic() - started
        journal: list[Json] = self.tell("GET", "/journal")["items"]
        return Ran(code, out.read_text(errors="replace"), err.read_text(errors="replace"), took, journal)

    def tell(self, method: str, path: str, body: Any = None) -> Any:
        """One call to the management port."""
        reply = self._session.request(method, self.manage + path, json=body, timeout=30)
        reply.raise_for_status()
        return reply.json()

    def seed(self, bodies: Sequence[Json]) -> None:
        """Put resources into the world."""
        answer = self.tell("POST", "/seed", {"resources": list(bodies)})
        if answer["refused"]:
            raise ValueError(f"not seeded: {answer['refused']}")

    def stored(self, identity: str) -> Any:
        """What the simulator has under an id, or None."""
        reply = self._session.get(f"{self.manage}/resource", params={"id": identity}, timeout=30)
        return reply.json() if reply.content else None

    def wait_for(self, is_so: Callable[[], bool], seconds: float = 5) -> None:
        """Wait until something holds, or for so long: whoever asks next says what is wrong."""
        end = time.monotonic() + seconds
        while not is_so() and time.monotonic() < end:
            time.sleep(0.05)

    def refused(self) -> list[str]:
        """The names that clients asked the proxy for and did not get."""
        log = self.folder / "logs/proxy.log"
        return sorted({line.removeprefix("refused ") for line in log.read_text().splitlines()})

    def _await(self, process: subprocess.Popen[bytes], seconds: float, quiet: float) -> int | None:
        end = time.monotonic() + seconds
        seen, since = -1, time.monotonic()
        while time.monotonic() < end:
            try:
                return process.wait(1 if quiet else end - time.monotonic())
            except subprocess.TimeoutExpired:
                count = len(self.tell("GET", "/journal")["items"]) if quiet else -1
                if count != seen:
                    seen, since = count, time.monotonic()
                elif seen > 0 and time.monotonic() - since > quiet:
                    break
        return None

    def _start(self) -> None:
        issued = certificates.issue(self.folder / "tls")
        header = uuid.uuid4().hex
        config = self.folder / "arm.json"
        config.write_text(json.dumps(_config(issued, header)))
        arm = self._start_part("arm", ["--config", str(config)])
        proxy = self._start_part("proxy", ["--to", arm["arm"].removeprefix("https://")])
        self.arm, self.manage = arm["arm"], arm["manage"]
        self._env = self._environment(issued.ca, header, arm["token_url"], proxy["proxy"])
        self.seed([owner(TENANT, PRINCIPAL_ID)])

    def _start_part(self, name: str, arguments: list[str]) -> dict[str, Any]:
        command = [sys.executable, "-m", f"simulator.{name}", *arguments]
        env = {**_passed_on(), "PYTHONPATH": str(ROOT)}
        child = Child(f"simulator.{name}", command, self.folder / f"logs/{name}.log", env)
        self._children.append(child)
        return child.ready_line(20)

    def _stop(self) -> None:
        while self._children:
            self._children.pop().stop()
        self._session.close()

    def _environment(self, ca: Path, header: str, token_url: str, proxy: str) -> dict[str, str]:
        home = self.folder / "home"
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        here = "127.0.0.1,localhost"
        return {
            **_passed_on(),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "HTTP_PROXY": proxy,
            "http_proxy": proxy,
            "NO_PROXY": here,
            "no_proxy": here,
            "REQUESTS_CA_BUNDLE": str(ca),
            "CURL_CA_BUNDLE": str(ca),
            "SSL_CERT_FILE": str(ca),
            "IDENTITY_ENDPOINT": token_url,
            "IDENTITY_HEADER": header,
        }


def _config(issued: certificates.Certificates, header: str) -> Json:
    return {
        "tenant": TENANT,
        "cert": str(issued.cert),
        "key": str(issued.key),
        "identity_header": header,
        "subscriptions": [{"id": each, "name": name} for each, name in SUBSCRIPTIONS.items()],
        "identities": {"operator": {"client_id": CLIENT_ID, "principal_id": PRINCIPAL_ID}},
        "knobs": {"workspace_seconds": 0.2},
    }


def owner(tenant: str, principal: str) -> Json:
    """The clients' identity owns the tenant: what somebody may do is tested elsewhere."""
    root = f"/providers/Microsoft.Management/managementGroups/{tenant}"
    return {
        "id": f"{root}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid5(uuid.NAMESPACE_URL, principal)}",
        "properties": {
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER}",
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "scope": root,
        },
    }


def _passed_on() -> dict[str, str]:
    """Of our own environment only what a process cannot do without: no settings and no credentials of the user."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and everything it has started, whatever state it is in."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
