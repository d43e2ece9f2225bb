"""One run of a function: the call to the worker, its time limit, and its outputs.

A run succeeds only when its outputs are written, and they are written only after the function succeeded. What
a failure means for the trigger is the trigger's affair.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError

from simulator.host import bindings, storage
from simulator.host.bindings import Datum, Function, Output
from simulator.host.hostjson import HostJson
from simulator.host.link import Link, WorkerDied

LOG = logging.getLogger("host")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `died` when nobody can tell how far it got."""

    ok: bool
    error: str = ""
    died: bool = False
    left: dict[str, Datum] = field(default_factory=dict)


class Invoker:
    """Runs functions for all triggers."""

    def __init__(self, link: Link, stores: storage.Storage, host: HostJson, wake: Callable[[Output], None]) -> None:
        self._link = link
        self._storage = stores
        self._host = host
        self._wake = wake

    async def run(
        self,
        function: Function,
        value: Datum,
        reason: str,
        metadata: dict[str, Datum] | None = None,
        parent: str | None = None,
    ) -> Outcome:
        """Run a function to its end."""
        call = str(uuid.uuid4())
        began = time.monotonic()
        LOG.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, reason, call)
        frame = {
            "invocation": call,
            "inputs": {function.param: value},
            "metadata": metadata or {},
            "trace": bindings.trace(parent),
        }
        outcome = await self._outcome(function, frame)
        took = round((time.monotonic() - began) * 1000)
        if outcome.ok:
            LOG.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%dms)", function.name, call, took)
        else:
            LOG.error(
                "Executed 'Functions.%s' (Failed, Id=%s, Duration=%dms) %s",
                function.name,
                call,
                took,
                outcome.error,
            )
        return outcome

    async def _outcome(self, function: Function, frame: Datum) -> Outcome:
        try:
            reply = await self._link.call(function.name, frame, self._host.timeout)
        except TimeoutError:
            return Outcome(ok=False, error=f"Timeout value of {self._host.timeout} s was exceeded", died=True)
        except WorkerDied:
            return Outcome(ok=False, error="the worker died", died=True)
        if "error" in reply:
            error = reply["error"]
            return Outcome(ok=False, error=f"{error['message']}\n{error['stack']}".rstrip())
        left: dict[str, Datum] = reply["outputs"] | {"$return": reply["return"]}
        try:
            await self._write(function, left)
        except (AzureError, ValueError, TypeError) as wrong:
            return Outcome(ok=False, error=f"output not written: {wrong}")
        return Outcome(ok=True, left=left)

    async def _write(self, function: Function, left: dict[str, Datum]) -> None:
        for output in function.outputs:
            if output.kind != "queue":
                continue
            for body in bindings.fan_out(left.get(output.name, {})):
                queue = self._storage.queue(output.connection, output.queue)
                await storage.send(queue, storage.encode(body, as_base64=self._host.queues.base64))
                self._wake(output)


def manual(function: Function, text: str) -> tuple[Datum, dict[str, Datum]]:
    """Shape the text of a manual run as the value that the function's trigger would bring."""
    if function.kind == "timer":
        info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
        return bindings.as_json(info), {}
    if function.kind == "queue":
        return {"string": text}, {"QueueTrigger": {"string": text}, "DequeueCount": {"json": "0"}}
    if function.kind == "event":
        return {"json": text or "null"}, {}
    return {"http": _request(function, text)}, {}


def _request(function: Function, text: str) -> Datum:
    body: Datum = {"string": text} if text else {}
    headers = {"content-type": "application/json" if _is_json(text) else "text/plain"}
    url = f"http://localhost/admin/functions/{function.name}"
    return {"method": "POST", "url": url, "headers": headers, "params": {}, "query": {}, "body": body}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
