"""Queue triggers and outputs on a real Azurite."""

import base64
import json
import uuid
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from tests.simulator.host.hosting import MASTER, Host, write_app
from tests.simulator.host.waiting import until


def encode(text: str) -> str:
    """Encode as the trigger expects it."""
    return base64.b64encode(text.encode()).decode()


def take(queue: QueueClient, count: int) -> list[str]:
    """Take that many messages off a queue."""
    texts: list[str] = []

    def poll() -> bool:
        with suppress(ResourceNotFoundError):
            texts.extend(str(message.content) for message in queue.receive_messages(visibility_timeout=60))
        return len(texts) >= count

    until(poll, f"{count} messages")
    return texts


def of(host: Host, what: str, body: str) -> list[dict[str, Any]]:
    """Give the notes on one message."""
    return [note for note in host.notes(what) if note["body"] == body]


def left(queue: QueueClient) -> int:
    """Count messages, hidden ones too."""
    return queue.get_queue_properties().approximate_message_count or 0


def test_message(host: Host) -> None:
    """A function gets text and metadata; the message is deleted after success."""
    queue, body = host.cloud.messages("work"), f"ok {uuid.uuid4()} é"
    sent = queue.send_message(encode(body))
    until(lambda: of(host, "done", body), "the run")
    until(lambda: left(queue) == 0, "the deletion")

    seen = of(host, "work", body)[0]
    assert (seen["id"], seen["count"]) == (sent.id, 1)
    assert seen["receipt"]
    assert datetime.fromisoformat(seen["in"]) == sent.inserted_on
    assert datetime.fromisoformat(seen["next"]) > datetime.fromisoformat(seen["in"])
    assert datetime.fromisoformat(seen["out"]) > datetime.fromisoformat(seen["next"])


def test_poison(host: Host) -> None:
    """A message that fails three times goes to the poison queue as it was."""
    body = f"fail {uuid.uuid4()}"
    host.cloud.messages("work").send_message(encode(body))
    host.wait_line("moving it to work-poison")

    assert take(host.cloud.messages("work-poison"), 1) == [encode(body)]
    assert [note["count"] for note in of(host, "work", body)] == [1, 2, 3]


def test_undecodable(host: Host) -> None:
    """What is not base64 goes to the poison queue without a run."""
    host.cloud.messages("work").send_message("no base64!")
    host.wait_line("is not base64: moving it")

    assert "no base64!" in take(host.cloud.messages("work-poison"), 1)


def test_outputs(host: Host) -> None:
    """Outputs create their queues; arrays become several messages; texts are base64."""
    host.ask("POST", "/api/send", data=json.dumps(["a", {"b": 1}]))
    one, more = host.cloud.messages("sent"), host.cloud.messages("sent-more")

    assert sorted(base64.b64decode(text) for text in take(one, 2)) == [b"a", b'{"b": 1}']
    assert sorted(base64.b64decode(text) for text in take(more, 2)) == [b"one", b"two"]


def test_no_output_of_failure(host: Host) -> None:
    """A function that failed leaves nothing."""
    failed = host.ask("POST", "/api/send", params={"fail": "1"}, data="lost")
    host.ask("POST", "/api/send", data="kept")

    assert failed.status_code == 500
    assert take(host.cloud.messages("sent"), 1) == [encode("kept")]


def test_unwritten_output_fails_the_call(host: Host) -> None:
    """An output that storage refuses fails the call."""
    answer = host.ask("POST", "/api/send", data="x" * 100_000)

    assert answer.status_code == 500
    assert host.wait_line("output not written")


def test_fan_in(host: Host) -> None:
    """A hundred events in one body become a hundred runs of the next function, side by side."""
    before = len(host.notes("forwarded"))
    events = [{"id": f"many{number}", "data": {}} for number in range(100)]

    assert host.event(events).status_code == 202
    host.wait_note("forwarded", before + 100)


def test_manual_runs(host: Host) -> None:
    """The admin page runs a function with a given message, for holders of the master key."""
    path, body = "/admin/functions/work", {"input": f"by hand {uuid.uuid4()}"}
    host.admin("POST", "functions/WORK", json=body)
    seen = until(lambda: of(host, "work", body["input"]), "the run")[0]

    assert seen["count"] == 0
    assert host.ask("POST", path, json=body).status_code == 401
    assert host.ask("POST", path, json=body, params={"code": "wrong"}).status_code == 401
    assert host.admin("POST", "functions/unknown", json=body).status_code == 404
    assert host.admin("POST", "functions/work", data="{").status_code == 400
    assert host.ask("POST", path, json=body, params={"code": MASTER}).status_code == 202


def test_plain_encoding(host: Host, tmp_path: Path) -> None:
    """With messageEncoding none, texts travel as they are."""
    code = """
import azure.functions as func
app = func.FunctionApp()

@app.queue_trigger(arg_name="msg", queue_name="plain-in", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="$return", queue_name="plain-out", connection="AzureWebJobsStorage")
def copy(msg: func.QueueMessage) -> str:
    return msg.get_body().decode() + " copied"
"""
    options = {"extensions": {"queues": {"messageEncoding": "none", "maxPollingInterval": "00:00:00.1"}}}
    with Host(host.cloud, tmp_path, write_app(tmp_path, code, options)):
        host.cloud.messages("plain-in").send_message("bare <text> é")
        until(lambda: "plain-out" in host.cloud.queues(), "the queue")

        assert take(host.cloud.messages("plain-out"), 1) == ["bare <text> é copied"]


CROWD = """
import asyncio, json, os, time
import azure.functions as func
app = func.FunctionApp()
running = 0

def note(what, **facts):
    with open(os.environ["JOURNAL"], "a") as journal:
        journal.write(json.dumps({"what": what, "at": time.time(), **facts}) + "\\n")

@app.queue_trigger(arg_name="msg", queue_name="crowd", connection="AzureWebJobsStorage")
async def crowd(msg: func.QueueMessage) -> None:
    global running
    running += 1
    await asyncio.sleep(0.1)
    note("crowd", running=running, count=msg.dequeue_count, id=msg.id)
    running -= 1
    if msg.get_body() == b"once" and msg.dequeue_count == 1:
        raise RuntimeError("on purpose")
"""


def test_batches(host: Host, tmp_path: Path) -> None:
    """No more than batchSize + newBatchThreshold run together; what failed is tried after visibilityTimeout."""
    options = {"batchSize": 2, "newBatchThreshold": 1, "visibilityTimeout": "00:00:01"}
    app = write_app(tmp_path, CROWD, {"extensions": {"queues": options | {"maxPollingInterval": "00:00:00.1"}}})
    queue = host.cloud.messages("crowd")
    queue.create_queue()
    for number in range(8):
        queue.send_message(encode(str(number)))
    failing = queue.send_message(encode("once"))
    with Host(host.cloud, tmp_path, app) as crowded:
        notes = crowded.wait_note("crowd", 10)

    assert max(note["running"] for note in notes) in {2, 3}
    first, second = (note for note in notes if note["id"] == failing.id)
    assert (first["count"], second["count"]) == (1, 2)
    assert second["at"] - first["at"] > 1
