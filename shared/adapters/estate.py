"""The estate as the last looks have left it, in Table Storage.

table    partition           row             holds
estate   workspaces, vaults  name-and-hash   the last judgement on a target, listed by name
"""

import base64
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Table, cells, encoded, joined
from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.judgement import Judgement
from shared.core.ports import JudgementPage
from shared.core.record import key
from shared.core.survey import Before

_AT_ONCE = 1000  # entities that storage gives in one answer, at most
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
        shown = {
            "name": judgement.name.lower(), "words": _words(judgement), "worst": judgement.worst, "target": judgement.target,
            "subscription": ids.parse(judgement.target).subscription.lower(), "digest": judgement.digest,
        }  # fmt: skip
        self._table.put({**place, **shown, **cells("body", encoded(judgement))})

    def drop(self, target: ResourceId) -> None:
        """Forget a target that is gone."""
        self._table.remove(_partition(target.kind), _row(target.name, str(target)))

    def under(self, kind: str, subscription: str) -> Mapping[str, Before]:
        """Return what the last looks have left of one kind of target in a subscription, by id in lower case."""
        found = self._table.run(
            _partition(kind), "", "~", " and subscription eq @sub", parameters={"sub": subscription.lower()},
            select=["target", "digest"], results_per_page=_AT_ONCE,
        )  # fmt: skip
        return {str(it["target"]).lower(): Before(str(it["target"]), str(it["digest"])) for it in found}

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
            if text.strip().lower() not in str(entity.get("words", entity["name"])):
                continue
            if len(found) == limit:
                return JudgementPage(tuple(found), base64.urlsafe_b64encode(last.encode()).decode())
            found.append(msgspec.json.decode(joined("body", entity), type=Judgement))
            last = str(entity["RowKey"])
        return JudgementPage(tuple(found), "")


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
