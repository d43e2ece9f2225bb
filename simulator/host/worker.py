"""The worker process: drives Microsoft's own Python worker library for one app.

Run as a script in the app's environment, with the number of an open socket to the host and the app's
folder as arguments. Frames on the socket are a length (four bytes) and JSON. It may import only the standard
library and the worker library, so that the host's own packages never hide one missing from the app's.
"""

import asyncio
import base64
import contextlib
import importlib.util
import json
import logging
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

type Frame = dict[str, Any]

CALLS: dict[str, str] = {}  # invocation id -> function, for the log lines of what runs now


def load_protos() -> ModuleType:
    """Load the sibling by path: this folder must not be on the app's import path."""
    spec = importlib.util.spec_from_file_location("_protos", Path(__file__).with_name("protos.py"))
    if spec is None or spec.loader is None:
        raise ImportError("protos.py is missing beside worker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


protos = load_protos()


class Lines(logging.Handler):
    """Write each log record as one line: time, level, function, invocation, message."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write in one call, so that lines of host and worker do not mix."""
        if record.name.startswith("azure.functions") and record.levelno < logging.WARNING:
            return  # the library's own notes on each call
        call = runtime.invocation_id_cv.get() or "-"
        clock = time.strftime("%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}"
        text = self.format(record).replace("\n", "\\n")
        line = f"{clock} {record.levelname} {CALLS.get(call, '-')} {call} {text}\n"
        with contextlib.suppress(OSError):
            os.write(2, line.encode("utf-8", "backslashreplace"))


def typed(datum: Frame) -> Any:
    """Turn a value of the wire into the library's."""
    if "bytes" in datum:
        return protos.TypedData(bytes=base64.b64decode(datum["bytes"]))
    if "http" in datum:
        request = dict(datum["http"])
        request["body"] = typed(request["body"])
        return protos.TypedData(http=protos.RpcHttp(**request))
    return protos.TypedData(**datum)


def plain(data: Any) -> Frame:
    """Turn a value of the library into the wire's."""
    kind = data.WhichOneof("data") if data is not None else None
    if kind is None:
        return {}
    value = getattr(data, kind)
    if kind == "bytes":
        return {"bytes": base64.b64encode(value).decode()}
    if kind != "http":
        return {kind: value}
    answer = {
        "status": value.status_code,
        "headers": value.headers,
        "cookies": [cookie(one) for one in value.cookies or ()],
        "body": plain(value.body),
    }
    return {"http": answer}


def cookie(sent: Any) -> Frame:
    """Flatten a cookie: wrappers become values or None."""
    flat = {name: getattr(value, "value", value) for name, value in vars(sent).items() if name != "expires"}
    flat["expires"] = sent.expires.value.seconds if sent.expires is not None else None
    return flat


def request(**fields: Any) -> Any:
    """Shape a request as the library expects it."""
    return SimpleNamespace(request=SimpleNamespace(**fields), properties={"host": "127.0.0.1", "protos": protos})


def failure(result: Any) -> Frame:
    """Tell why a request to the library failed."""
    wrong = result.exception
    return {"error": {"message": wrong.message, "stack": wrong.stack_trace}}


async def index(app: str) -> Frame:
    """Import the app and list its functions."""
    init = SimpleNamespace(capabilities={}, function_app_directory=app)
    started = await runtime.worker_init_request(request(worker_init_request=init))
    if started.result.status != protos.StatusResult.Success:
        return failure(started.result)
    found = await runtime.functions_metadata_request(request())
    functions = [
        {
            "name": one.name,
            "id": one.function_id,
            "bindings": [json.loads(raw) for raw in one.raw_bindings],
            "retry": one.retry_options is not None,
        }
        for one in found.function_metadata_results or ()
    ]
    return {"functions": functions}


async def invoke(frame: Frame) -> Frame:
    """Run one function."""
    call = frame["invocation"]
    CALLS[call] = frame["function"]
    # The library sets this for sync functions only; without it, records of async ones name no invocation.
    runtime.invocation_id_cv.set(call)
    sent = SimpleNamespace(
        function_id=frame["function_id"],
        invocation_id=call,
        trigger_metadata={name: typed(datum) for name, datum in frame["metadata"].items()},
        input_data=[protos.ParameterBinding(name=name, data=typed(datum)) for name, datum in frame["inputs"].items()],
        trace_context=SimpleNamespace(trace_parent=frame["trace"], trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    try:
        done = await runtime.invocation_request(request(invocation_request=sent))
    finally:
        del CALLS[call]
    if done.result.status != protos.StatusResult.Success:
        return failure(done.result)
    outputs = {one.name: plain(one.data) for one in done.output_data}
    return {"return": plain(done.return_value), "outputs": outputs}


def watch(host: socket.socket) -> None:
    """Die with the host, even when the app blocks the event loop or has started children."""
    poll = select.poll()
    poll.register(host, 0)  # wakes on hang-up only
    poll.poll()
    os.killpg(os.getpgrp(), signal.SIGKILL)


async def serve(host: socket.socket, app: str) -> None:
    """Answer frames until the host hangs up."""
    reader, writer = await asyncio.open_unix_connection(sock=host)
    tasks: set[asyncio.Task[None]] = set()

    async def answer(frame: Frame) -> None:
        try:
            reply = await (index(app) if frame["op"] == "index" else invoke(frame))
        except Exception as wrong:  # noqa: BLE001 - whatever it is, the host must hear of it
            reply = {"error": {"message": f"{type(wrong).__name__}: {wrong}", "stack": ""}}
        packed = json.dumps(reply | {"n": frame["n"]}).encode()
        writer.write(struct.pack(">I", len(packed)) + packed)

    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            (size,) = struct.unpack(">I", await reader.readexactly(4))
            task = asyncio.create_task(answer(json.loads(await reader.readexactly(size))))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


def main() -> None:
    """Prepare the process as Azure does, then serve."""
    number, app, level = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    os.set_inheritable(number, False)  # a child of the app must not keep the line open
    host = socket.socket(fileno=number)
    threading.Thread(target=watch, args=(host,), daemon=True).start()
    lines = Lines()
    lines.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[lines])
    os.chdir(app)
    sys.path.insert(0, app)
    runtime.start_threadpool_executor()
    asyncio.run(serve(host, app))
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
