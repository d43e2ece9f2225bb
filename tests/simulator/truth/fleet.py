"""Fresh simulators in quick succession, each a process of its own, reached over its TLS port like any other."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.simulator.arm.stage import HEADER, IDENTITIES, ROOT, configuration

PLAYER = IDENTITIES["writer"]["principal_id"]  # calls vaults, and plays what an application had recorded


class Simulator:
    """One running simulator, and the calls that a player makes."""

    def __init__(self, ready: dict[str, Any], ca: str) -> None:
        self.arm: str = ready["arm"]
        self._manage: str = ready["manage"]
        self._token_url: str = ready["token_url"]
        self._owner: str = ready["owner_token"]
        self._tokens: dict[str, str] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca

    def call(
        self, method: str, url: str, body: Any, *, host: str = "", signed: bool = True, who: str = "owner"
    ) -> requests.Response:
        """One request; `host` is what the client believes to speak to."""
        headers = {"Authorization": f"Bearer {self._token(who, host)}"} if signed else {}
        if host:
            headers["Host"] = host
        return self._session.request(method, url, json=body, headers=headers, allow_redirects=False)

    def tell(self, method: str, path: str, body: Any = None) -> Any:
        """One call to the management port."""
        reply = self._session.request(method, self._manage + path, json=body)
        reply.raise_for_status()
        return reply.json()

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _token(self, who: str, host: str) -> str:
        """The owner's token for Resource Manager; an application's for whatever is called."""
        if who == "owner" and not host:
            return self._owner
        resource = "https://vault.azure.net" if host else self.arm
        identity = IDENTITIES["writer" if who == "owner" else who]
        key = f"{identity['client_id']} {resource}"
        if key not in self._tokens:
            reply = self._session.get(
                self._token_url,
                params={"resource": resource, "client_id": identity["client_id"], "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": HEADER},
            )
            self._tokens[key] = reply.json()["access_token"]
        return self._tokens[key]


class Fleet:
    """Starts simulators from one warm process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = configuration(folder, 9)  # nobody listens for events
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.simulator.truth.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._started = 0

    @contextlib.contextmanager
    def simulator(self, **changes: Any) -> Iterator[Simulator]:
        """One more, gone at the end of the block."""
        self._started += 1
        path = self._folder / f"{self._started}.json"
        path.write_text(json.dumps({**self._config, "event_subscriptions": [], **changes}))
        assert self._nursery.stdin
        assert self._nursery.stdout
        self._nursery.stdin.write(f"{path}\n")
        self._nursery.stdin.flush()
        process = int(self._nursery.stdout.readline())
        simulator = Simulator(json.loads(self._nursery.stdout.readline()), str(self._folder / "ca.pem"))
        try:
            yield simulator
        finally:
            simulator.close()
            os.kill(process, signal.SIGTERM)

    def close(self) -> None:
        """End the warm process."""
        assert self._nursery.stdin
        self._nursery.stdin.close()
        self._nursery.wait(5)
