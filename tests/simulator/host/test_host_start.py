"""What a host refuses to start with, each with a reason that names the culprit."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import AzureError

from simulator.host import bindings, hostjson, routes, storage
from simulator.host.config import Config, Refusal
from simulator.host.link import Link
from tests.simulator.host.cloud import APP_PYTHON, Cloud
from tests.simulator.host.hosting import MASTER, SYSTEM, Host, write_app

HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
ROUTE = "@app.route(route='x')\ndef x(req: func.HttpRequest) -> str: return 'x'\n"


TIMER = "@app.timer_trigger('t', schedule='{}')\ndef t(t: func.TimerRequest): ..."
QUEUE = "@app.queue_trigger('m', '{}', '{}')\ndef q(m: func.QueueMessage): ..."
RETRY = "\n@app.retry('fixed_delay', '1', delay_interval='00:00:01')\ndef"
BAD_APPS = {
    "module": ("import not_there\n", "No module named 'not_there'"),
    "syntax": ("def broken(:\n", "SyntaxError"),
    "exit": ("raise SystemExit(5)\n", "the worker ended with code"),
    "no app": ("x = 1\n", "Could not find top level function app instances"),
    "no functions": (HEAD, "no functions found"),
    "twice": (HEAD + ROUTE + ROUTE, "x does not have a unique function name"),
    "schedule": (HEAD + TIMER.format("nonsense"), "function 't': invalid schedule: 'nonsense' has 1 fields"),
    "setting": (HEAD + TIMER.format("%NO%"), "'%NO%' does not resolve to a value"),
    "queue": (HEAD + QUEUE.format("No_Queue", ""), "'No_Queue' is not a valid queue name"),
    "binding": (
        HEAD + "@app.blob_trigger('b', 'p', 'c')\ndef b(b: func.InputStream): ...",
        "unknown binding type 'blobTrigger'",
    ),
    "constraint": (HEAD + ROUTE.replace("'x'", "'{x:odd}'", 1), "unknown constraint 'odd'"),
    "template": (HEAD + ROUTE.replace("'x'", "'{x'", 1), "'{x' cannot be read"),
    "reserved": (HEAD + ROUTE.replace("'x'", "'admin/x'", 1), "conflicts with the host's own routes"),
    "retry": (HEAD + ROUTE.replace("\ndef", RETRY), "retry policies are not simulated"),
}


def told(cloud: Cloud, app: Path, **settings: str) -> Config:
    """Give what a host would read from its file."""
    return Config(app, APP_PYTHON, "127.0.0.1", 0, cloud.settings() | settings, MASTER, SYSTEM)


@pytest.mark.parametrize("case", BAD_APPS)
def test_bad_app(cloud: Cloud, tmp_path: Path, case: str) -> None:
    """An app that Azure could not index, or that cannot be simulated, is refused with a reason."""
    code, expected = BAD_APPS[case]
    app = write_app(tmp_path, code, {"extensions": {"http": {"routePrefix": ""}}})

    async def read() -> None:
        config, link = told(cloud, app), Link(told(cloud, app), "INFO")
        try:
            routes.Table(bindings.read(await link.start(), config, hostjson.load(app)), "")
        finally:
            await link.stop()

    with pytest.raises(Refusal, match=re.escape(expected)):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"AzureWebJobsStorage__clientId": "unknown"}, "the identity endpoint answered 401: "),
        ({"IDENTITY_ENDPOINT": "http://127.0.0.1:1/"}, "the identity endpoint cannot be reached"),
        ({"IDENTITY_ENDPOINT": ""}, "'IDENTITY_ENDPOINT' and 'IDENTITY_HEADER' are needed"),
        ({"AzureWebJobsStorage__queueServiceUri": "http://127.0.0.1:1/a"}, "must be https"),
        ({"AzureWebJobsStorage__credential": ""}, "must be 'managedidentity'"),
        ({"SSL_CERT_FILE": "/not/there"}, "setting 'SSL_CERT_FILE'"),
    ],
)
def test_bad_settings(cloud: Cloud, tmp_path: Path, settings: dict[str, str], expected: str) -> None:
    """Settings with which storage cannot be used are told at once."""

    async def use() -> None:
        async with storage.connect(told(cloud, tmp_path, **settings)) as stores:
            stores.queue("AzureWebJobsStorage", "any")
            await stores.prove()

    with pytest.raises((Refusal, AzureError), match=expected):
        asyncio.run(use())


@pytest.mark.parametrize(
    ("code", "settings", "expected"),
    [
        ("import not_there\n", {}, "not_there.*Traceback.*function_app.py"),
        (HEAD + QUEUE.format("q-q", "Other"), {}, "setting 'Other__queueServiceUri'"),
        (HEAD + QUEUE.format("q-q", ""), {"IDENTITY_HEADER": "wrong"}, "storage cannot be used: .* 401"),
        (HEAD + ROUTE, {"NUMBER": 5}, "setting 'NUMBER' must be text"),
    ],
)
def test_refusal(cloud: Cloud, tmp_path: Path, code: str, settings: dict[str, Any], expected: str) -> None:
    """A host that cannot start says why on the error stream and ends with 1."""
    host = Host(cloud, tmp_path, write_app(tmp_path, code), settings=settings)

    assert re.search(expected, host.refusal(), re.DOTALL)


def test_no_app(cloud: Cloud, tmp_path: Path) -> None:
    """A folder without function_app.py is refused, though the worker library finds that normal."""
    app = write_app(tmp_path, "")
    (app / "function_app.py").unlink()

    assert "no functions found" in Host(cloud, tmp_path, app).refusal()


def test_port_in_use(host: Host, cloud: Cloud, tmp_path: Path) -> None:
    """A port that is taken is named."""
    port = int(host.url.rpartition(":")[2])
    second = Host(cloud, tmp_path, write_app(tmp_path, HEAD + ROUTE), port=port)

    assert f"port {port} cannot be used" in second.refusal()


def test_disabled(cloud: Cloud, tmp_path: Path) -> None:
    """A function that a setting disables is not there."""
    app = write_app(tmp_path, HEAD + ROUTE + ROUTE.replace("x", "y"))
    with Host(cloud, tmp_path, app, settings={"AzureWebJobs.x.Disabled": "true"}) as running:
        assert running.functions == ["y"]
        assert running.ask("GET", "/api/x").status_code == 404


def load(tmp_path: Path, **values: Any) -> hostjson.HostJson:
    """Read a host.json with these values."""
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0"} | values))
    return hostjson.load(tmp_path)


def test_defaults(tmp_path: Path) -> None:
    """An empty host.json means Azure's defaults."""
    assert load(tmp_path) == hostjson.HostJson(
        timeout=600,
        route_prefix="api",
        headers={},
        queues=hostjson.Queues(max_polling=60, visibility=0, batch=16, threshold=8, max_dequeue=5, base64=True),
        bundle=False,
        level="INFO",
    )


def test_values(tmp_path: Path) -> None:
    """Values are read; the threshold follows the batch."""
    queues = {"batchSize": 32, "visibilityTimeout": "00:00:30", "maxPollingInterval": "00:00:02.5"}
    read = load(tmp_path, functionTimeout="-1", extensions={"queues": queues, "http": {"routePrefix": ""}})

    assert read.timeout is None
    assert read.route_prefix == ""
    assert read.queues == hostjson.Queues(max_polling=2.5, visibility=30, batch=32, threshold=16)


@pytest.mark.parametrize(
    ("values", "culprit"),
    [
        ({"version": "1.0"}, "version"),
        ({"versoin": "2.0"}, "versoin"),
        ({"functionTimeout": "10 minutes"}, "functionTimeout"),
        ({"functionTimeout": "00:00:00"}, "functionTimeout"),
        ({"extensions": {"queue": {}}}, "'queue'"),
        ({"extensions": {"queues": {"batchsize": 1}}}, "batchsize"),
        ({"extensions": {"queues": {"batchSize": 33}}}, "from 1 to 32"),
        ({"extensions": {"queues": {"batchSize": True}}}, "from 1 to 32"),
        ({"extensions": {"queues": {"maxPollingInterval": 2000}}}, "time span"),
        ({"extensions": {"queues": {"maxPollingInterval": "00:00:00.05"}}}, "from 0.1"),
        ({"extensions": {"queues": {"visibilityTimeout": "8.00:00:00"}}}, "visibilityTimeout"),
        ({"extensions": {"queues": {"maxDequeueCount": 0}}}, "maxDequeueCount"),
        ({"extensions": {"queues": {"messageEncoding": "utf-8"}}}, "messageEncoding"),
        ({"extensions": {"http": {"routePrefix": None}}}, "routePrefix"),
        ({"extensionBundle": {"id": "Mine", "version": "[4.*, 5.0.0)"}}, "extensionBundle.id"),
        ({"extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "4"}}, "range"),
        ({"logging": {"logLevel": {"default": "Loud"}}}, "Loud"),
    ],
)
def test_bad_host_json(tmp_path: Path, values: dict[str, Any], culprit: str) -> None:
    """A wrong value, and a misspelt key too, is refused by name."""
    with pytest.raises(Refusal, match=culprit):
        load(tmp_path, **values)


def test_bundle_needed(cloud: Cloud, tmp_path: Path) -> None:
    """Without an extension bundle there are no queue triggers."""
    code = HEAD + "@app.queue_trigger('m', 'q-q', 'AzureWebJobsStorage')\ndef q(m: func.QueueMessage): ..."
    app = write_app(tmp_path, code)
    (app / "host.json").write_text('{"version": "2.0"}')

    assert "needs extensionBundle" in Host(cloud, tmp_path, app).refusal()
