"""The whole local Azure: Azurite, Resource Manager with Event Grid, and the Functions host with the app on it.

    certificates -> Azurite -> simulator.arm -> simulator.host (worker in .app, the app's own environment, unless told)

Each part is a process. `Stack` starts them in this order, says where everything is, and ends them in reverse.
"""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from simulator import certificates, estate
from simulator.children import Child, NotReadyError
from simulator.ports import HOST, Ports, is_open

ROOT = Path(__file__).resolve().parent.parent
_AZURITE = ROOT / "simulator/storage/node_modules/azurite/dist/src/azurite.js"
_DEAD_LETTERS = "dead-letters"  # the container that infra/event_subscriptions.json names
_ACCOUNT = "devstoreaccount1"  # Azurite's only account


class Stack:
    """The local Azure as a context manager. `facts` is what `.local/stack.json` holds.

    `hosts` is how many instances of the app share the storage: Event Grid knows the first, the queues feed all of
    them. With none, Azure and storage are there and nobody works on what arrives.
    """

    def __init__(
        self, ports: Ports, folder: Path, settings: Mapping[str, str] | None = None, *, on_disk: bool = False,
        app: Path = ROOT, python: Path = ROOT / ".app/bin/python", hold_seconds: float = 600, hosts: int = 1,
        storage_log: bool = False, answers: str = "",
        nasty: Mapping[str, Any] | None = None, subscriptions: Sequence[Mapping[str, str]] = estate.SUBSCRIPTIONS,
    ) -> None:  # fmt: skip
        self._ports, self._folder, self._app, self._python = ports, folder, app, python
        self._subscriptions = [dict(it) for it in subscriptions]
        self._own_settings = dict(settings or {})
        self._nasty = dict(nasty or {"profile": "off"})
        self._on_disk, self._hold, self._answers = on_disk, hold_seconds, answers
        self._children: list[Child] = []
        self._hosts: list[Child] = []
        self._count, self._storage_log = hosts, storage_log
        self._keys = {name: secrets.token_urlsafe(24) for name in ("identity_header", "system_key", "master_key")}
        self.facts: dict[str, Any] = {}
        self.started: dict[str, float] = {}  # seconds that each part took from its start to ready

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every part, the last one first."""
        while self._children:
            self._children.pop().stop()

    def dead(self) -> str:
        """Return what is known of a part that has ended by itself; '' while all is well."""
        for child in self._children:
            if not child.is_alive():
                return child.obituary("has ended")
        return ""

    def _start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._certificates = certificates.issue(self._folder / "tls")
        self._start_azurite()
        arm = self._start_part("arm", self._arm_config())
        self.facts = self._facts(arm)
        for number in range(self._count):
            self._start_host(number)
        (self._folder / "stack.json").write_text(json.dumps(self.facts, indent=1))

    def replace_host(self, number: int = 0) -> None:
        """End an instance of the app, dead or alive, and start it again, as the platform does."""
        child = self._hosts[number]
        child.stop()
        self._children.remove(child)
        self._start_host(number)

    def is_host_alive(self, number: int = 0) -> bool:
        """Whether an instance of the app still runs."""
        return self._hosts[number].is_alive()

    def _start_host(self, number: int) -> None:
        name = f"host{number or ''}"
        port = self._ports.functions if number == 0 else 0
        line = self._start_part("host", {**self._host_config(), "port": port}, seconds=60, name=name)
        self._hosts[number:] = [self._children[-1], *self._hosts[number + 1 :]]
        self.facts["pids"] |= {name: self._children[-1].pid, f"worker{number or ''}": line["worker_pid"]}

    def _start_azurite(self) -> None:
        if not _AZURITE.exists():
            raise NotReadyError("Azurite is not installed here:  make setup")
        ports = self._ports
        flags = ["--disableTelemetry", "--skipApiVersionCheck", "--oauth", "basic"]
        flags += [] if self._storage_log else ["--silent"]
        flags += ["--cert", str(self._certificates.cert), "--key", str(self._certificates.key)]
        flags += ["--location", str(self._folder / "azurite")] if self._on_disk else ["--inMemoryPersistence"]
        for service in ("blob", "queue", "table"):
            flags += [f"--{service}Host", HOST, f"--{service}Port", str(getattr(ports, service))]
        command = [_node(), str(_AZURITE), *flags]
        child = Child("Azurite", command, self._folder / "logs/azurite.log", says_ready=False)
        self._children.append(child)
        child.wait_for(lambda: all(is_open(port) for port in (ports.blob, ports.queue, ports.table)), seconds=30)

    def _start_part(
        self, module: str, config: Mapping[str, Any], seconds: float = 20, name: str = ""
    ) -> dict[str, Any]:
        name = name or module
        path = self._folder / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        began = time.monotonic()
        command = [str(ROOT / ".venv/bin/python"), "-m", f"simulator.{module}", "--config", str(path)]
        child = Child(f"simulator.{name}", command, self._folder / f"logs/{name}.log", _clean_environment())
        self._children.append(child)
        line = child.ready_line(seconds)
        self.started[name] = time.monotonic() - began
        return line

    def _arm_config(self) -> dict[str, Any]:
        return {
            "tenant": estate.TENANT,
            "nasty": self._nasty,
            "host": HOST,
            "port": self._ports.arm,
            "manage_port": self._ports.manage,
            "cert": str(self._certificates.cert),
            "key": str(self._certificates.key),
            "identity_header": self._keys["identity_header"],
            "subscriptions": self._subscriptions,
            "identities": estate.IDENTITIES,
            **roles(),
            "audience": estate.AUDIENCE,
            "people": estate.PEOPLE,
            "event_subscriptions": json.loads((ROOT / "infra/event_subscriptions.json").read_text()),
            "functions_url": f"http://{HOST}:{self._ports.functions}",
            "site": estate.SITE,
            "account": estate.ACCOUNT,
            "system_key": self._keys["system_key"],
            "storage_audience": "https://storage.azure.com",
            "dead_letters_url": self._storage()["blob"],
            "dead_letters_ca": str(self._certificates.ca),
            "answers": self._answers,
        }

    def _host_config(self) -> dict[str, Any]:
        return {
            "app": str(self._app),
            "python": str(self._python),
            "host": HOST,
            "port": self._ports.functions,
            "settings": self.app_settings(),
            "master_key": self._keys["master_key"],
            "system_key": self._keys["system_key"],
            "hold_seconds": self._hold,
            "sign_in": {
                "client_id": estate.CLIENT_ID,
                "id_tokens": f"http://{HOST}:{self._ports.manage}/id-tokens",
                "people": [person for person in estate.PEOPLE if "client_id" not in person],
            },
        }

    def app_settings(self) -> dict[str, str]:
        """Return the settings the app runs with: short waits, and its own subscriptions as the scope."""
        arm, ca = f"https://{HOST}:{self._ports.arm}", str(self._certificates.ca)
        storage = {f"AzureWebJobsStorage__{name}ServiceUri": url.rstrip("/") for name, url in self._storage().items()}
        return {
            **storage,
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": estate.IDENTITIES["reader"]["client_id"],
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "IDENTITY_ENDPOINT": f"http://{HOST}:{self._ports.manage}/msi/token",
            "IDENTITY_HEADER": self._keys["identity_header"],
            "REQUESTS_CA_BUNDLE": ca,
            "SSL_CERT_FILE": ca,
            "CMK_READER_CLIENT_ID": estate.IDENTITIES["reader"]["client_id"],
            "CMK_WRITER_CLIENT_ID": estate.IDENTITIES["writer"]["client_id"],
            "CMK_ARM_URL": arm,
            "CMK_AUTHORITY_URL": arm,
            "CMK_TENANT_ID": estate.TENANT,
            # Access tokens are for the one, id tokens of a browser's sign-in for the other.
            "CMK_API_AUDIENCE": f"{estate.AUDIENCE},{estate.CLIENT_ID}",
            "CMK_AUTO_SCOPE": ",".join(subscription["id"] for subscription in self._subscriptions),
            # Journeys ask ten times a second, all from one address.
            "CMK_API_REQUESTS": "0",
            "CMK_API_WRITES": "0",
            "CMK_API_FAILED_SIGN_INS": "0",
            "CMK_RETRY_DELAY": "1",
            "CMK_GAP": "10",
            # In a world that starts empty each new vault is a large share of all: the rail would trip at the fifth.
            "CMK_SHARE": "100",
            "CMK_DATABRICKS_PRINCIPAL_ID": estate.IDENTITIES["azure_databricks"]["principal_id"],
            "CMK_KEY_VAULTS": ",".join(f"{at}={vault}" if at else vault for at, vault in estate.KEY_VAULTS.items()),
            "CMK_LOG_WORKSPACE": estate.LOGS,
            "CMK_RBAC_SETTLE": "2",
            "CMK_POLL": "1",
            "CMK_DEAD_LETTERS": f"{self._storage()['blob']}/{_DEAD_LETTERS}",
            "CMK_KEY_GRACE": "5",
            "CMK_SWEEP_SCHEDULE": "0 0 2 * * *",
            "CMK_FIGURES_SCHEDULE": "0 30 4 * * *",
            "WEBSITE_SITE_NAME": estate.SITE.rpartition("/")[2],
            "WEBSITE_AUTH_ENABLED": "True",
            "CMK_GOALS": "compliance=95,remediation=86400,approval=172800",
            **self._own_settings,
        }

    def _storage(self) -> dict[str, str]:
        names = ("blob", "queue", "table")
        return {name: f"https://{HOST}:{getattr(self._ports, name)}/{_ACCOUNT}" for name in names}

    def _facts(self, arm: Mapping[str, Any]) -> dict[str, Any]:
        pids = {child.name.removeprefix("simulator.").lower(): child.pid for child in self._children}
        return {
            "arm": arm["arm"],
            "nasty": arm["nasty"],
            "manage": arm["manage"],
            "functions": f"http://{HOST}:{self._ports.functions}",
            "storage": self._storage(),
            "ca": str(self._certificates.ca),
            "system_key": self._keys["system_key"],
            "master_key": self._keys["master_key"],
            "tenant": estate.TENANT,
            "subscriptions": [subscription["id"] for subscription in self._subscriptions],
            "identities": estate.IDENTITIES,
            "people": arm["people"],
            "token_url": arm["token_url"],
            "owner_token": arm["owner_token"],
            "pids": {**pids, "stack": os.getpid()},
        }


def roles() -> dict[str, Any]:
    """Return the roles as they are to be deployed: who holds which, under which condition, and those nobody holds yet."""
    folder = ROOT / "infra/roles"
    condition = {"condition": str(folder / "grants.condition")}
    return {
        "roles": {name: str(folder / f"{name}.json") for name in ("reader", "writer")},
        "grants": [
            {"holder": "writer", "role": str(folder / "grants.json"), **condition},
            {"holder": "writer", "role": str(folder / "linked.json")},
        ],
        "definitions": [str(folder / "key_user.json")],
    }


def _clean_environment() -> dict[str, str]:
    """Return the environment of our own parts: no proxy and no CA bundle of the machine may come between."""
    unwanted = ("_PROXY", "_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith(unwanted)}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _node() -> str:
    """Return a Node of at least version 20: the machine's own, else the one that `make setup` has put aside."""
    for candidate in (shutil.which("node"), str(ROOT / ".tools/bin/real-node")):
        if candidate and Path(candidate).exists():
            version = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
            if version.startswith("v") and int(version[1:].split(".")[0]) >= 20:
                return candidate
    raise NotReadyError("there is no Node 20 or newer here:  make setup")
