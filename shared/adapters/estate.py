"""The estate as the last looks have left it, in Table Storage.

table    partition             row             holds
estate   workspaces, vaults    name-and-hash   the last judgement on a target, listed by name
estate   kind-subscription     hash            what a survey compares: digests of what the last look and survey saw
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from itertools import batched
from typing import Any

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Entity, Table, cells, encoded, joined
from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.judgement import Judgement
from shared.core.ports import JudgementPage
from shared.core.record import key
from shared.core.survey import Before

_AT_ONCE = 1000  # entities that storage gives in one answer, at most
_IN_ONE_TRANSACTION = 100
_KEY = re.compile("[a-z0-9-]{1,80}-[a-z0-9]{16}")


class TableEstate:
    """The estate of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _table(self) -> Table:
        service = TableServiceClient(self._url, credential=self._credential, retry_total=3)
        return Table(service, "estate")

    def note(self, judgement: Judgement) -> None:
        """Keep it in place of the one before."""
        place = {"PartitionKey": _partition(judgement.kind), "RowKey": _row(judgement.name, judgement.target)}
        shown = {"name": judgement.name.lower(), "words": _words(judgement), "worst": judgement.worst}
        self._table.put({**place, **shown, **cells("body", encoded(judgement))})
        # Second: where a kill comes between, the next survey finds a difference, and there is one look too many.
        target = ids.parse(judgement.target)
        left = {
            "target": str(target), "digest": judgement.digest, "time": judgement.time.isoformat(),
            "until": judgement.until.isoformat() if judgement.until else "",
            "deep": judgement.kind == ids.VAULT or bool(judgement.vaults),
        }  # fmt: skip
        self._table.merge([{**_place(target), **left}])

    def drop(self, target: ResourceId) -> None:
        """Forget a target that is gone."""
        place = _place(target)
        self._table.remove(place["PartitionKey"], place["RowKey"])
        self._table.remove(_partition(target.kind), _row(target.name, str(target)))

    def under(self, kind: str, subscription: str) -> Mapping[str, Before]:
        """Return what the last looks have left of one kind of target in a subscription, by id in lower case."""
        found = self._table.run(_around(kind, subscription), "", "~", results_per_page=_AT_ONCE)
        # A row without a target is what a survey saw of one that was dropped at the same time.
        return {ids.fold(str(it["target"])): _before(it) for it in found if it.get("target")}

    def saw(self, kind: str, subscription: str, what: str, texts: Mapping[str, str]) -> None:
        """Keep what a survey saw: grants or keys."""
        partition = _around(kind, subscription)
        rows = [{"PartitionKey": partition, "RowKey": key(target), what: text} for target, text in texts.items()]
        for group in batched(rows, _IN_ONE_TRANSACTION, strict=False):
            self._table.merge(group)

    def page(self, kind: str, *, text: str, worst: str, cursor: str, limit: int) -> JudgementPage:
        """Return judgements of one kind of target by name."""
        condition, parameters = "", dict[str, Any]()
        if worst:
            condition, parameters = " and worst eq @worst", {"worst": worst}
        size = _AT_ONCE if text else limit + 1
        found, last = list[Judgement](), ""
        entities = self._table.run(
            _partition(kind), _opened(cursor), "~", condition, parameters=parameters, results_per_page=size
        )
        for entity in entities:
            if text.strip().lower() not in str(entity["words"]):
                continue
            if len(found) == limit:
                return JudgementPage(tuple(found), base64.urlsafe_b64encode(last.encode()).decode())
            found.append(msgspec.json.decode(joined("body", entity), type=Judgement))
            last = str(entity["RowKey"])
        return JudgementPage(tuple(found), "")


def _before(entity: Entity) -> Before:
    return Before(
        str(entity["target"]), str(entity["digest"]), datetime.fromisoformat(str(entity["time"])),
        bool(entity["deep"]), datetime.fromisoformat(str(entity["until"])) if entity["until"] else None, str(entity.get("grants", "")), str(entity.get("keys", "")),
    )  # fmt: skip


def _place(target: ResourceId) -> dict[str, str]:
    return {"PartitionKey": _around(target.kind, target.subscription), "RowKey": key(target.key)}


def _around(kind: str, subscription: str) -> str:
    return f"{_partition(kind)}-{subscription.lower()}"


def _partition(kind: str) -> str:
    return kind.rsplit("/", 1)[-1].lower()


def _words(it: Judgement) -> str:
    """Return what a search finds a target by, in lower case: its name, whom its tags name, and its subscription."""
    return f"{it.name}\n{it.owner}\n{it.cost_center}\n{ids.parse(it.target).subscription}".lower()


def _row(name: str, target: str) -> str:
    """Return a row key that sorts by name, whatever characters a name may hold."""
    plain = re.sub("[^a-z0-9-]", "-", name.lower())[:64] or "-"
    return f"{plain}-{key(target.lower())}"


def _opened(cursor: str) -> str:
    try:
        row = base64.urlsafe_b64decode(cursor).decode("ascii")
    except ValueError:
        row = "?"
    if cursor and not _KEY.fullmatch(row):
        raise BadInput("BadCursor", "the cursor is not one that this list has given out: start without one")
    return row
