"""Messages to our own functions, through Azure Storage queues. At least once, in any order."""

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from shared.adapters.translate import translated


class StorageQueues:
    """The queues of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        # The SDK's first retry waits 15 s by default, and up to 3 s of jitter on top (LOCAL 4).
        self._service = QueueServiceClient(
            url, credential, retry_total=3, initial_backoff=1, increment_base=2, random_jitter_range=1
        )
        self._queues: dict[str, QueueClient] = {}

    def send(self, queue: str, body: Mapping[str, Any], delay: timedelta = timedelta(0)) -> datetime:
        """Put one message on a queue; return when it becomes visible. It never expires. A missing queue is created."""
        client = self._client(queue)
        text = json.dumps(body, separators=(",", ":"))
        seconds = math.ceil(delay.total_seconds())
        with translated(f"sending to queue {queue}"):
            try:
                sent = client.send_message(text, visibility_timeout=seconds, time_to_live=-1)
            except ResourceNotFoundError:
                client.create_queue()
                sent = client.send_message(text, visibility_timeout=seconds, time_to_live=-1)
        assert sent.next_visible_on is not None  # noqa: S101 - storage always says it of a message that was sent
        return sent.next_visible_on

    def _client(self, queue: str) -> QueueClient:
        if queue not in self._queues:
            # The Functions queue trigger expects base64; the SDK sends plain text unless told (LOCAL 4).
            self._queues[queue] = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        return self._queues[queue]
