"""Answers to requests that carry an `Idempotency-Key`, in a table of their own.

    table      partition      row       holds
    answers    hash of key    answer    what was asked (hashed), who has claimed it and since when, the answer

An answer is stored compressed: a record with a long history is longer than an entity.
"""

import base64
import secrets
import zlib
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Entity, Table, cells, joined
from shared.core.errors import BadInput, RowChanged
from shared.core.ports import Claim, Kept

_ROW = "answer"
_LIVES = timedelta(days=1)


class TableAnswers:
    """The answers of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _table(self) -> Table:
        return Table(TableServiceClient(self._url, credential=self._credential, retry_total=3), "answers")

    def claim(self, reference: str, asked: str, now: datetime, lease: timedelta) -> Claim:
        """Take a key: compare and set, so that of two requests at the same moment one has it."""
        found = self._table.get(reference, _ROW)
        if found and not _is_over(found, asked, now, lease):
            return _claim(found)
        token = secrets.token_hex(16)
        fresh = {"PartitionKey": reference, "RowKey": _ROW, "asked": asked, "token": token, "since": now}
        try:
            self._table.swap(fresh, _etag(found) if found else "")
        except RowChanged:
            # Somebody else was faster, or our own write, sent again by the SDK after its answer was lost.
            found = self._table.get(reference, _ROW)
            if not found or found["token"] != token:
                return _claim(found) if found else Claim(asked)
        return Claim(asked, token=token)

    def keep(self, reference: str, token: str, kept: Kept) -> None:
        """Write the answer over the claim."""
        found = self._table.get(reference, _ROW)
        if not found or found["token"] != token:
            return
        packed = base64.b64encode(zlib.compress(kept.body.encode(), 9)).decode()
        words = {"status": kept.status, "media_type": kept.media_type, "answer_etag": kept.etag}
        try:
            fresh = {**_plain(found), **words, **cells("body", packed)}
        except BadInput:
            self._table.remove(reference, _ROW)
            return
        with suppress(RowChanged):
            self._table.swap(fresh, _etag(found))

    def release(self, reference: str, token: str) -> None:
        """Remove the claim."""
        found = self._table.get(reference, _ROW)
        if found and found["token"] == token:
            self._table.remove(reference, _ROW)

    def forget(self, before: datetime) -> int:
        """Remove what is old."""
        old = [str(it["PartitionKey"]) for it in self._table.query("since lt @before", {"before": before})]
        for reference in old:
            self._table.remove(reference, _ROW)
        return len(old)


def _is_over(entity: Entity, asked: str, now: datetime, lease: timedelta) -> bool:
    """Tell whether a key may be taken again. One that was sent with something else is not, until it is forgotten."""
    age = now - entity["since"]
    return bool(age >= _LIVES or (age >= lease and "status" not in entity and entity["asked"] == asked))


def _claim(entity: Entity) -> Claim:
    if "status" not in entity:
        return Claim(str(entity["asked"]))
    body = zlib.decompress(base64.b64decode(joined("body", entity))).decode()
    kept = Kept(int(entity["status"]), str(entity["media_type"]), str(entity["answer_etag"]), body)
    return Claim(str(entity["asked"]), kept)


def _etag(entity: Any) -> str:
    return str(entity.metadata["etag"])


def _plain(entity: Entity) -> dict[str, object]:
    return {name: entity[name] for name in ("PartitionKey", "RowKey", "asked", "token", "since")}
