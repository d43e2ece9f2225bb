"""Surveys in Table Storage: one row for each, one for each share of it; the newest comes first.

table     partition   row                     holds
surveys   surveys     countdown-              when it began and who asked for it
countdown-subscription  a share
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Entity, Table, cells, encoded, joined
from shared.core.errors import RowChanged
from shared.core.survey import Progress, Share, Survey

_PARTITION = "surveys"
_ID = re.compile("[0-9]{12}")


class TableSurveys:
    """The surveys of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _table(self) -> Table:
        service = TableServiceClient(self._url, credential=self._credential, retry_total=3)
        return Table(service, "surveys")

    def begin(self, survey: Survey) -> bool:
        """Keep a new survey. Its own row comes last: a survey that can be seen has all its shares."""
        for share in survey.shares:
            # Not over one that is there: of two that begin in one second, the other's share may have ended already.
            self._table.add(_entity(f"{survey.id}-{share.subscription}", share))
        try:
            self._table.swap(_entity(f"{survey.id}-", replace(survey, shares=())), "")
        except RowChanged:
            return False
        return True

    def get(self, survey_id: str) -> Survey | None:
        """Return a survey with its shares, or None."""
        if not _ID.fullmatch(survey_id):
            return None
        return _joined(self._table.run(_PARTITION, survey_id, f"{survey_id}~"))

    def latest(self, limit: int) -> Sequence[Survey]:
        """Return the surveys that began last, the newest first."""
        found = list[Survey]()
        rows = self._table.run(_PARTITION, "", "~", results_per_page=500)
        for _, group in groupby(rows, key=lambda it: str(it["RowKey"])[:12]):
            survey = _joined(group)
            if survey:
                found.append(survey)
            if len(found) == limit:
                break
        return found

    def keep(self, survey_id: str, share: Share) -> None:
        """Keep how far a share has come. One that has ended stays as it is."""
        row = f"{survey_id}-{share.subscription}"
        entity = self._table.get(_PARTITION, row)
        before = msgspec.json.decode(joined("body", entity), type=Share) if entity else None
        if before is None or before.progress is not Progress.WAITING:
            return
        self._table.put(_entity(row, share))


def _entity(row: str, value: Survey | Share) -> Entity:
    return {"PartitionKey": _PARTITION, "RowKey": row, **cells("body", encoded(value))}


def _joined(rows: Iterable[Entity]) -> Survey | None:
    """Return a survey of its rows, the own one first; None where that is missing: it was never begun."""
    found = list(rows)
    if not found or not str(found[0]["RowKey"]).endswith("-"):
        return None
    own, *shares = found
    survey = msgspec.json.decode(joined("body", own), type=Survey)
    return replace(survey, shares=tuple(msgspec.json.decode(joined("body", it), type=Share) for it in shares))
