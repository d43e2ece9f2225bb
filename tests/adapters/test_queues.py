"""Queues through the real SDK, on real storage."""

import base64
import json
from datetime import timedelta

from azure.storage.queue import QueueClient

from shared.adapters.queues import StorageQueues
from simulator.client import Client, until
from tests.adapters.conftest import identity


def test_a_message_arrives_as_the_trigger_expects_it(environment: Client) -> None:
    """The queue is made on first use; the text is base64, as the Functions host wants it; a delay hides it."""
    url, credential = environment.facts["storage"]["queue"], identity(environment, "reader")
    queues = StorageQueues(url, credential)
    queues.send("test-queue", {"id": "ü"})
    queues.send("test-queue", {"id": "later"}, timedelta(seconds=600))
    queue = QueueClient(url, "test-queue", credential=credential)
    message = until(queue.receive_message, "the message")

    assert json.loads(base64.b64decode(message.content)) == {"id": "ü"}
    assert queue.receive_message() is None
