"""Every trigger, one to three lines each, and the only importer of azure.functions.

What happens is in `shared/flow`; what must hold is in `remediators`. CMK_PART selects the triggers: `front` takes
events and requests and can write nothing to Azure; `hand` applies what was decided and has no inbound HTTP.
"""

from datetime import UTC, datetime
from typing import List  # noqa: UP035 - see Messages

import azure.functions as func

from remediators import REMEDIATORS
from shared import settings
from shared.core.ports import Delivery
from shared.flow.apply import apply as apply_
from shared.flow.beat import beat
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate as evaluate_
from shared.flow.notify import notify as notify_
from shared.flow.receive import receive
from shared.flow.survey import take_share
from shared.flow.sweep import sweep as sweep_
from shared.wiring import build

STORAGE = "AzureWebJobsStorage"
Messages = List[str]  # noqa: UP006 - the worker (azure-functions-runtime) refuses to load a function with list[str]
APP = build(settings.read(controls=tuple(it.control.id for it in REMEDIATORS)), REMEDIATORS)
BAD_PATH = '{"type": "/problems/BadPath", "title": "Bad request", "status": 400, "detail": "the path is not UTF-8", "reason": "BadPath"}'
front, hand = func.Blueprint(), func.Blueprint()  # type: ignore[no-untyped-call]


def delivery(msg: func.QueueMessage) -> Delivery:
    """Return a queue message as the flow takes it."""
    body, is_again = msg.get_body().decode("utf-8", "replace"), (msg.dequeue_count or 1) > 1
    return Delivery(str(msg.id), msg.insertion_time or datetime.now(UTC), body, is_again)


def pass_on(event: str, out: func.Out[Messages]) -> None:
    """Turn an event into messages, where it concerns us. As text: the typed binding dies of malformed events."""
    messages = receive(APP, event)
    if messages:
        out.set(messages)


@front.event_grid_trigger(arg_name="event")
@front.queue_output(arg_name="out", queue_name="evaluate", connection=STORAGE)
def on_workspace_write(event: str, out: func.Out[Messages]) -> None:
    """A Databricks workspace was written or deleted."""
    pass_on(event, out)


@front.event_grid_trigger(arg_name="event")
@front.queue_output(arg_name="out", queue_name="evaluate", connection=STORAGE)
def on_vault_write(event: str, out: func.Out[Messages]) -> None:
    """A vault, its access or one of its keys was written or deleted."""
    pass_on(event, out)


@front.event_grid_trigger(arg_name="event")
@front.queue_output(arg_name="out", queue_name="evaluate", connection=STORAGE)
def on_key_event(event: str, out: func.Out[Messages]) -> None:
    """A vault itself says that a key has a new version or comes to its end, or that its access has changed."""
    pass_on(event, out)


@front.queue_trigger(arg_name="msg", queue_name="wake", connection=STORAGE)
@front.queue_output(arg_name="out", queue_name="evaluate", connection=STORAGE)
def on_wake(msg: func.QueueMessage, out: func.Out[Messages]) -> None:
    """An event that came through a queue: Event Grid cannot reach an app without a public address."""
    pass_on(msg.get_body().decode("utf-8", "replace"), out)


@front.queue_trigger(arg_name="msg", queue_name="evaluate", connection=STORAGE)
def evaluate(msg: func.QueueMessage) -> None:
    """Judge a target and decide."""
    evaluate_(APP, delivery(msg))


@hand.queue_trigger(arg_name="msg", queue_name="apply", connection=STORAGE)
def apply(msg: func.QueueMessage) -> None:
    """Carry out what was decided."""
    apply_(APP, delivery(msg))


@front.queue_trigger(arg_name="msg", queue_name="notify", connection=STORAGE)
def notify(msg: func.QueueMessage) -> None:
    """Tell people."""
    notify_(APP, delivery(msg))


@front.timer_trigger(arg_name="timer", schedule="%CMK_SWEEP_SCHEDULE%", use_monitor=True)
def sweep(timer: func.TimerRequest) -> None:
    """Heal what got stuck."""
    del timer
    sweep_(APP)


@front.timer_trigger(arg_name="timer", schedule="%CMK_FIGURES_SCHEDULE%", use_monitor=True)
def figures(timer: func.TimerRequest) -> None:
    """Make the figures of the day."""
    from shared.flow.figures import figures as make  # noqa: PLC0415 - once a day: the event path does without

    del timer
    make(APP)


@front.queue_trigger(arg_name="msg", queue_name="sweep", connection=STORAGE)
def sweep_share(msg: func.QueueMessage) -> None:
    """Look over one subscription for what no event told of."""
    take_share(APP, delivery(msg))


@front.queue_trigger(arg_name="msg", queue_name="sweep-poison", connection=STORAGE)
def sweep_poison(msg: func.QueueMessage) -> None:
    """Record a share of a sweep that killed its worker."""
    drain(APP, "sweep", delivery(msg))


@front.queue_trigger(arg_name="msg", queue_name="wake-poison", connection=STORAGE)
def wake_poison(msg: func.QueueMessage) -> None:
    """Record an event that killed its worker."""
    drain(APP, "wake", delivery(msg))


@front.queue_trigger(arg_name="msg", queue_name="evaluate-poison", connection=STORAGE)
def evaluate_poison(msg: func.QueueMessage) -> None:
    """Record an evaluation that killed its worker."""
    drain(APP, "evaluate", delivery(msg))


@front.queue_trigger(arg_name="msg", queue_name="apply-poison", connection=STORAGE)
def apply_poison(msg: func.QueueMessage) -> None:
    """Record a write that killed its worker; its remediation has failed."""
    drain(APP, "apply", delivery(msg))


@front.queue_trigger(arg_name="msg", queue_name="notify-poison", connection=STORAGE)
def notify_poison(msg: func.QueueMessage) -> None:
    """Record a notice that killed its worker."""
    drain(APP, "notify", delivery(msg))


@hand.timer_trigger(arg_name="timer", schedule="0 7 * * * *", run_on_startup=True, use_monitor=False)
def pulse(timer: func.TimerRequest) -> None:
    """Say that this part runs, and as what: when it starts, and each hour."""
    del timer
    beat(APP)


async def web(scope: object, receive: object, send: object) -> None:
    """Pass a request to the web app, which is built by the first one that comes."""
    await APP.web(scope, receive, send)


WEB = func.AsgiMiddleware(web)  # type: ignore[no-untyped-call]


@front.function_name("http")
@front.http_type("asgi")
@front.route("/{*route}", methods=tuple(func.HttpMethod), auth_level=func.AuthLevel.ANONYMOUS)
async def http(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Somebody has called the API: who may enter is asked there, for every path."""
    try:
        answer: func.HttpResponse = await WEB.handle_async(req, context)
    except UnicodeError:  # a path that is no UTF-8 breaks the middleware before our own gate
        return func.HttpResponse(BAD_PATH, status_code=400, mimetype="application/problem+json")
    return answer


app = func.FunctionApp()
if APP.settings.part != "hand":
    app.register_functions(front)
if APP.settings.part != "front":
    app.register_functions(hand)
