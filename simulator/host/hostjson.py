"""The app's host.json: read once, checked against what the Functions host knows, defaults filled in.

Azure ignores a misspelt key in silence; here it is refused, for nobody wants the default instead. It reads
no settings and knows nothing of functions.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.host.config import Refusal

TOP = {
    *("version", "aggregator", "applicationInsights", "concurrency", "customHandler", "extensionBundle"),
    *("extensions", "functions", "functionTimeout", "healthMonitor", "isDefaultHostConfig", "logging"),
    *("managedDependency", "retry", "singleton", "telemetryMode", "watchDirectories", "watchFiles"),
}
HTTP = {
    *("routePrefix", "maxOutstandingRequests", "maxConcurrentRequests", "dynamicThrottlesEnabled"),
    *("hsts", "customHeaders"),
}
EXTENSIONS = {
    *("http", "queues", "blobs", "eventGrid", "eventHubs", "serviceBus", "cosmosDB", "signalR", "tables"),
}
WEEK = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Queues:
    """How queue triggers read; the defaults are Azure's."""

    max_polling: float = 60.0
    visibility: float = 0.0
    batch: int = 16
    threshold: int = 8
    max_dequeue: int = 5
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostJson:
    """What the host follows of the file."""

    timeout: float | None = 600.0
    route_prefix: str = "api"
    headers: dict[str, str] = field(default_factory=dict)
    queues: Queues = field(default_factory=Queues)
    bundle: bool = False
    level: str = "INFO"


LEVELS = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "information": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "none": "CRITICAL",
}


def load(app: Path) -> HostJson:
    """Read and check the app's file."""
    path = app / "host.json"
    try:
        raw = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError as wrong:
        raise Refusal(f"host.json is missing in {app}") from wrong
    except (OSError, ValueError) as wrong:
        raise Refusal(f"host.json cannot be read: {wrong}") from wrong
    _known(raw, TOP, "host.json")
    if raw.get("version") != "2.0":
        raise Refusal(f'host.json: version must be "2.0", not {raw.get("version")!r}')
    extensions = raw.get("extensions", {})
    _known(extensions, EXTENSIONS, "host.json extensions")
    http = extensions.get("http", {})
    _known(http, HTTP, "host.json extensions.http")
    return HostJson(
        timeout=_timeout(raw.get("functionTimeout", "00:10:00")),
        route_prefix=_text(http.get("routePrefix", "api"), "extensions.http.routePrefix").strip("/"),
        headers=_headers(http.get("customHeaders", {})),
        queues=_queues(extensions.get("queues", {})),
        bundle=_bundle(raw.get("extensionBundle")),
        level=_level(raw.get("logging", {})),
    )


def seconds(text: Any, where: str) -> float:
    """Read a .NET time span: [d.]hh:mm:ss[.fff]."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(\.\d{1,7})?", text if isinstance(text, str) else "")
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or int(match[4]) > 59:
        raise Refusal(f'host.json: {where} must be a time span such as "00:00:30", not {text!r}')
    days, hours, minutes, secs = (int(part or 0) for part in match.groups()[:4])
    return days * 86400 + hours * 3600 + minutes * 60 + secs + float(match[5] or 0)


def _known(raw: Any, names: set[str], where: str) -> None:
    if not isinstance(raw, dict):
        raise Refusal(f"{where} must be a JSON object")
    unknown = sorted(raw.keys() - names)
    if unknown:
        raise Refusal(f"{where}: unknown key '{unknown[0]}'")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise Refusal(f"host.json: {where} must be text, not {value!r}")
    return value


def _headers(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise Refusal("host.json: extensions.http.customHeaders must be a JSON object")
    return {name: _text(value, f"customHeaders.{name}") for name, value in raw.items()}


def _timeout(value: Any) -> float | None:
    if value == "-1":
        return None
    limit = seconds(value, "functionTimeout")
    if limit < 1:
        raise Refusal("host.json: functionTimeout must be at least one second")
    return limit


def _bundle(raw: Any) -> bool:
    if raw is None:
        return False
    _known(raw, {"id", "version"}, "host.json extensionBundle")
    name = _text(raw.get("id"), "extensionBundle.id")
    if not re.fullmatch(r"Microsoft\.Azure\.Functions\.ExtensionBundle(\.Preview|\.Experimental)?", name):
        raise Refusal(f"host.json: unknown extensionBundle.id {name!r}")
    version = _text(raw.get("version"), "extensionBundle.version")
    if not re.fullmatch(r"[\[(]\s*[\d.*]+\s*(,\s*[\d.*]+\s*)?[\])]", version):
        raise Refusal(f'host.json: extensionBundle.version must be a range such as "[4.*, 5.0.0)", not {version!r}')
    return True


def _level(raw: Any) -> str:
    name = raw.get("logLevel", {}).get("default", "Information") if isinstance(raw, dict) else None
    if not isinstance(name, str) or name.lower() not in LEVELS:
        raise Refusal(f"host.json: unknown logging.logLevel.default {name!r}")
    return LEVELS[name.lower()]


def _number(low: int, high: int) -> Callable[[Any, str], int]:
    def check(value: Any, where: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Refusal(f"host.json: {where} must be a number from {low} to {high}, not {value!r}")
        return value

    return check


def _span(low: float, high: float) -> Callable[[Any, str], float]:
    def check(value: Any, where: str) -> float:
        span = seconds(value, where)
        if not low <= span <= high:
            raise Refusal(f"host.json: {where} must last from {low:g} to {high:g} seconds, not {value!r}")
        return span

    return check


def _encoding(value: Any, where: str) -> bool:
    if not isinstance(value, str) or value.lower() not in {"base64", "none"}:
        raise Refusal(f'host.json: {where} must be "base64" or "none", not {value!r}')
    return value.lower() == "base64"


QUEUES: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "maxPollingInterval": ("max_polling", _span(0.1, WEEK)),
    "visibilityTimeout": ("visibility", _span(0, WEEK)),
    "batchSize": ("batch", _number(1, 32)),
    "newBatchThreshold": ("threshold", _number(0, 10_000)),
    "maxDequeueCount": ("max_dequeue", _number(1, 10_000)),
    "messageEncoding": ("base64", _encoding),
}


def _queues(raw: Any) -> Queues:
    _known(raw, set(QUEUES), "host.json extensions.queues")
    values: dict[str, Any] = {}
    for name, value in raw.items():
        target, check = QUEUES[name]
        values[target] = check(value, f"extensions.queues.{name}")
    values.setdefault("threshold", values.get("batch", Queues().batch) // 2)
    return Queues(**values)
