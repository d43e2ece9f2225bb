"""A small app that shows, on request, everything a host must do well."""

import asyncio
import base64
import json
import logging
import os
import subprocess
import sys
import time
import typing
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
LOG = logging.getLogger("toy")


def note(what: str, **facts: object) -> None:
    """Write a fact down for the test."""
    with Path(os.environ["JOURNAL"]).open("a") as journal:
        journal.write(json.dumps({"what": what, "at": time.time(), **facts}) + "\n")


def reply(**facts: object) -> func.HttpResponse:
    """Answer with JSON."""
    return func.HttpResponse(json.dumps(facts), mimetype="application/json")


@app.route(route="echo")
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what came in."""
    return reply(
        method=req.method,
        url=req.url,
        headers=dict(req.headers),
        params=dict(req.params),
        body=base64.b64encode(req.get_body()).decode(),
    )


@app.route(route="items/{id:int}/{tail?}", methods=["GET"])
def item(req: func.HttpRequest) -> func.HttpResponse:
    """Have a number and an optional part."""
    return reply(who="item", **req.route_params)


@app.route(route="items/{name}", methods=["GET"])
def named(req: func.HttpRequest) -> func.HttpResponse:
    """Take what is no number."""
    return reply(who="named", **req.route_params)


@app.route(route="items/special", methods=["GET"])
def special(req: func.HttpRequest) -> func.HttpResponse:
    """Be more specific than the others."""
    return reply(who="special", **req.route_params)


@app.route(route="items/{name}", methods=["DELETE"])
def remove(req: func.HttpRequest) -> func.HttpResponse:
    """Share a route, by method."""
    return reply(who="remove", **req.route_params)


@app.route(route="files/{*path}")
def files(req: func.HttpRequest) -> func.HttpResponse:
    """Catch everything below."""
    return reply(who="files", **req.route_params)


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
def keyed(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a key."""
    return reply(who="keyed")


@app.route(route="masters", auth_level=func.AuthLevel.ADMIN)
def masters(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for the master key."""
    return reply(who="masters")


@app.route(route="cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    """Set two cookies."""
    answer = func.HttpResponse("ok", status_code=201)
    answer.headers.add("Set-Cookie", "a=b=; Path=/x; HttpOnly; Secure; SameSite=Lax; Max-Age=60")
    answer.headers.add("Set-Cookie", "c=d")
    return answer


@app.route(route="fails")
def fails(req: func.HttpRequest) -> func.HttpResponse:
    """Raise."""
    raise RuntimeError("on purpose")


@app.route(route="nothing")
def nothing(req: func.HttpRequest) -> func.HttpResponse:
    """Return no answer."""
    return None  # type: ignore[return-value]


@app.route(route="odd-text")
def odd_text(req: func.HttpRequest) -> str:
    """Return half a surrogate pair, which gRPC cannot carry."""
    return "\ud800"


@app.route(route="text")
def text(req: func.HttpRequest) -> str:
    """Return plain text."""
    return "héllo"


@app.route(route="world")
def world(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what the process sees."""
    sys.stdout.write("printed by the app\n")
    return reply(env=dict(os.environ), path=sys.path, cwd=str(Path.cwd()), pid=os.getpid())


@app.route(route="nap")
async def nap(req: func.HttpRequest) -> func.HttpResponse:
    """Take its time without holding anybody up."""
    await asyncio.sleep(float(req.params["s"]))
    return reply(who="nap")


@app.route(route="block")
async def block(req: func.HttpRequest) -> func.HttpResponse:
    """Block the whole worker, with a child at its side."""
    child = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220 - blocks on purpose
    note("blocking", child=child.pid)
    time.sleep(float(req.params["s"]))  # noqa: ASYNC251 - blocks on purpose
    return reply(who="block")


@app.route(route="logs")
async def logs(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Write a log record of two lines."""
    LOG.warning("first line\nsecond line")
    return reply(invocation=context.invocation_id, trace=context.trace_context.trace_parent)


@app.route(route="die")
def die(req: func.HttpRequest) -> func.HttpResponse:
    """End the worker."""
    os._exit(3)


@app.route(route="send")
@app.queue_output(arg_name="out", queue_name="sent", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="more", queue_name="sent-more", connection="AzureWebJobsStorage")
def send(req: func.HttpRequest, out: func.Out[str], more: func.Out[typing.List[str]]) -> func.HttpResponse:  # noqa: UP006 - the library refuses list[str]
    """Leave messages, unless it fails."""
    out.set(req.get_body().decode())
    more.set(["one", "two"])
    if req.params.get("fail"):
        raise RuntimeError("on purpose")
    return reply(who="send")


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="$return", queue_name="%FORWARD%", connection="AzureWebJobsStorage")
def on_event(event: func.EventGridEvent) -> str:
    """Pass an event on, or fail."""
    kind = type(event).__name__
    data = event.get_json()
    note("event", id=event.id, kind=kind)
    if isinstance(data, dict) and data.get("fail"):
        raise RuntimeError("on purpose")
    if isinstance(data, dict) and data.get("die"):
        os._exit(4)
    return json.dumps({"id": event.id, "kind": kind})


@app.queue_trigger(arg_name="msg", queue_name="forwarded", connection="AzureWebJobsStorage")
def forwarded(msg: func.QueueMessage) -> None:
    """Take what events left."""
    note("forwarded", **msg.get_json())


@app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
async def work(msg: func.QueueMessage, context: func.Context) -> None:
    """Do what the message says."""
    body = msg.get_body().decode()
    facts = {"id": msg.id, "count": msg.dequeue_count, "receipt": msg.pop_receipt}
    times = {"in": msg.insertion_time, "out": msg.expiration_time, "next": msg.time_next_visible}
    note("work", body=body, **facts, **{name: str(value) for name, value in times.items()})
    verb, _, argument = body.partition(" ")
    if verb == "fail":
        raise RuntimeError("on purpose")
    if verb == "nap":
        await asyncio.sleep(float(argument))
    note("done", body=body, invocation=context.invocation_id)


if "TIMERS_OFF" not in os.environ:

    @app.timer_trigger(arg_name="timer", schedule=os.environ.get("TICK", "* * * * * *"))
    def tick(timer: func.TimerRequest) -> None:
        """Fire every second."""
        note("tick", late=timer.past_due)

    @app.timer_trigger(arg_name="timer", schedule="%YEARLY%")
    def yearly(timer: func.TimerRequest) -> None:
        """Fire once a year."""
        note("yearly", late=timer.past_due, status=getattr(timer, "schedule_status", None))

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True, use_monitor=False)
    def eager(timer: func.TimerRequest) -> None:
        """Fire at the start."""
        note("eager", late=timer.past_due, status=getattr(timer, "schedule_status", None))
