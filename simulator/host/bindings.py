"""What the app's functions are bound to, read from the index, and values on their way in and out.

Anything this host cannot play (an unknown binding, a retry policy, a bad schedule) is a `Refusal` at the
start, so that nobody believes a function is tested when it never runs. No I/O here.
"""

import base64
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from simulator.host import ncrontab
from simulator.host.config import Config, Refusal
from simulator.host.hostjson import HostJson

type Datum = dict[str, Any]  # one kind and its value: string, json, bytes (base64), http; or empty

TRIGGERS = {
    "httpTrigger": "http",
    "queueTrigger": "queue",
    "eventGridTrigger": "event",
    "timerTrigger": "timer",
}
OUTPUTS = {"http", "queue"}
BUNDLED = {
    "queueTrigger",
    "queue",
    "eventGridTrigger",
}  # found in the extension bundle, not in the host itself
QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])+")
# QUERY is in the list that the library's own ASGI app registers (azure-functions 2.3.0).
METHODS = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "QUERY"}


@dataclass(frozen=True, slots=True)
class Output:
    """Where a value that a function leaves behind goes to."""

    name: str
    kind: str
    queue: str = ""
    connection: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what starts it, and where its outputs go."""

    name: str
    kind: str
    param: str
    trigger: dict[str, Any]
    outputs: tuple[Output, ...]

    @property
    def queue(self) -> str:
        """The queue that starts it."""
        return str(self.trigger["queueName"])

    @property
    def connection(self) -> str:
        """The prefix of the settings that tell where its queue is."""
        return str(self.trigger.get("connection") or "AzureWebJobsStorage")


def read(index: list[dict[str, Any]], config: Config, host: HostJson) -> list[Function]:
    """Check the index and shape it; disabled functions are left out, as if they did not exist."""
    functions = []
    for one in index:
        name = one["name"]
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,127}", name):
            raise Refusal(f"function '{name}': not a valid name")
        if one["retry"]:
            raise Refusal(f"function '{name}': retry policies are not simulated")
        function = _function(name, [_resolved(name, raw, config) for raw in one["bindings"]], host)
        if (config.setting(f"AzureWebJobs.{name}.Disabled") or "").lower() not in {"true", "1"}:
            functions.append(function)
    return functions


def _resolved(name: str, raw: dict[str, Any], config: Config) -> dict[str, Any]:
    return {
        key: config.resolve(value, f"function '{name}', {key}") if isinstance(value, str) else value
        for key, value in raw.items()
    }


def _function(name: str, raws: list[dict[str, Any]], host: HostJson) -> Function:
    for raw in raws:
        kind = raw["type"]
        if kind not in TRIGGERS and kind not in OUTPUTS:
            raise Refusal(f"function '{name}': unknown binding type '{kind}'")
        if kind in BUNDLED and not host.bundle:
            raise Refusal(f"function '{name}': binding '{kind}' needs extensionBundle in host.json")
    triggers = [raw for raw in raws if raw["type"] in TRIGGERS]
    if len(triggers) != 1:
        raise Refusal(f"function '{name}': needs exactly one trigger, has {len(triggers)}")
    trigger = triggers[0]
    _check(name, trigger)
    outputs = tuple(_output(name, raw) for raw in raws if raw["type"] in OUTPUTS)
    return Function(name, TRIGGERS[trigger["type"]], trigger["name"], trigger, outputs)


def _check(name: str, trigger: dict[str, Any]) -> None:
    if trigger["type"] == "queueTrigger":
        _queue(name, trigger["queueName"])
    elif trigger["type"] == "timerTrigger":
        try:
            ncrontab.Schedule.parse(trigger["schedule"])
        except ValueError as wrong:
            raise Refusal(f"function '{name}': invalid schedule: {wrong}") from wrong
    elif trigger["type"] == "httpTrigger":
        unknown = {str(method).upper() for method in trigger.get("methods") or ()} - METHODS
        if unknown:
            raise Refusal(f"function '{name}': unknown HTTP method {min(unknown)!r}")


def _output(name: str, raw: dict[str, Any]) -> Output:
    if raw["type"] == "http":
        return Output(raw["name"], "http")
    return Output(raw["name"], "queue", _queue(name, raw["queueName"]), raw.get("connection") or "AzureWebJobsStorage")


def _queue(name: str, queue: str) -> str:
    if not QUEUE_NAME.fullmatch(queue):
        raise Refusal(f"function '{name}': '{queue}' is not a valid queue name")
    return queue


def fan_out(datum: Datum) -> list[bytes]:
    """Split what a function left for a queue into messages: a JSON array is several of them."""
    if "bytes" in datum:
        return [base64.b64decode(datum["bytes"])]
    text = datum.get("string", datum.get("json"))
    if text is None:
        return []
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, list):
        return [text.encode()]
    return [(one if isinstance(one, str) else json.dumps(one)).encode() for one in parsed]


def as_json(value: Any) -> Datum:
    """Wrap a value as the JSON text that the worker decodes."""
    return {"json": json.dumps(value)}


def trace(parent: str | None) -> str:
    """Carry the caller's trace on, or begin one."""
    if parent is not None and re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", parent):
        return parent
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"
