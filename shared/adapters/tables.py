"""One storage table: created on first use, its failures translated. Knows nothing of what the rows mean."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableServiceClient, TableTransactionError, UpdateMode

from shared.adapters.translate import translated
from shared.core.errors import BadInput, RowChanged

Entity = Mapping[str, Any]
LONGEST_VALUE = 30_000  # characters; Table Storage refuses a property over 64 KiB (UTF-16) and an entity over 1 MiB
_MOST_CELLS = 12
_MOST_TOGETHER = 100  # entities of one transaction, as Table Storage takes them


class Table:
    """A table by name."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        self._name = name
        self._client: TableClient = service.get_table_client(name)

    def get(self, partition: str, row: str) -> Entity | None:
        """Return one entity, or None."""
        with translated(f"reading table {self._name}"):
            try:
                return self._client.get_entity(partition, row)
            except ResourceNotFoundError:
                return None

    def put(self, entity: Entity) -> None:
        """Write one entity over whatever is there."""
        self._retried(lambda: self._client.upsert_entity(dict(entity), mode=UpdateMode.REPLACE))

    def put_all(self, entities: Sequence[Entity]) -> None:
        """Write entities of one partition over whatever is there, a hundred at a time: all or none of each hundred."""
        for at in range(0, len(entities), _MOST_TOGETHER):
            part = [("upsert", dict(it), {"mode": "replace"}) for it in entities[at : at + _MOST_TOGETHER]]
            self._retried(partial(self._client.submit_transaction, part))

    def add(self, entity: Entity) -> None:
        """Write one entity unless it is there already."""
        with suppress(RowChanged):
            self._retried(lambda: self._client.create_entity(dict(entity)))

    def swap(self, entity: Entity, etag: str) -> None:
        """Write one entity over the version with this ETag, or as a new one where it is ''. Raises RowChanged."""
        if etag:
            self._retried(
                lambda: self._client.update_entity(
                    dict(entity),
                    mode=UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        else:
            self._retried(lambda: self._client.create_entity(dict(entity)))

    def remove(self, partition: str, row: str, etag: str = "") -> None:
        """Remove one entity; one that is not there is no error. Raises RowChanged where it is not the version with this ETag."""
        guard: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        self._retried(lambda: self._client.delete_entity(partition, row, **guard))

    def together(self, first: Entity, etag: str, fresh: Entity, over: Entity | None = None, gone: str = "") -> str:
        """Write entities of one partition, all or none; return the new ETag of `first`.

        `first` is guarded by its ETag, `fresh` must not be there yet, `over` is written over whatever is there, and the
        entity with the row key `gone` is removed.
        """
        operations: list[Any] = [
            (
                "update",
                dict(first),
                {"mode": "replace", "etag": etag, "match_condition": MatchConditions.IfNotModified},
            )
            if etag
            else ("create", dict(first)),
            ("create", dict(fresh)),
        ]
        if over:
            operations.append(("upsert", dict(over), {"mode": "replace"}))
        if gone:
            operations.append(("delete", {"PartitionKey": first["PartitionKey"], "RowKey": gone}))
        answers = self._retried(lambda: self._client.submit_transaction(operations))
        return str(answers[0]["etag"])

    def merge(self, entities: Sequence[Entity]) -> None:
        """Write up to a hundred entities of one partition, all or none: cells that are not named stay as they are."""
        if len(entities) == 1:
            self._retried(lambda: self._client.upsert_entity(dict(entities[0]), mode=UpdateMode.MERGE))
            return
        operations: list[Any] = [("upsert", dict(it), {"mode": "merge"}) for it in entities]
        self._retried(lambda: self._client.submit_transaction(operations))

    def query(self, condition: str, parameters: Mapping[str, Any]) -> Iterator[Entity]:
        """Yield all entities that meet a condition."""
        with translated(f"reading table {self._name}"):
            try:
                yield from self._client.query_entities(condition, parameters=dict(parameters))
            except ResourceNotFoundError:
                return

    def run(self, partition: str, low: str, high: str, condition: str = "", **query: Any) -> Iterator[Entity]:
        """Yield the entities of a partition whose row keys lie between two texts, in their order."""
        parameters = {"partition": partition, "low": low, "high": high, **query.pop("parameters", {})}
        where = "PartitionKey eq @partition and RowKey gt @low and RowKey lt @high" + condition
        with translated(f"reading table {self._name}"):
            try:
                yield from self._client.query_entities(where, parameters=parameters, **query)
            except ResourceNotFoundError:
                return

    def page(
        self, condition: str, parameters: Mapping[str, Any], cursor: str, limit: int
    ) -> tuple[Sequence[Entity], str]:
        """Return up to `limit` entities and the cursor that continues the list."""
        found: list[Entity] = []
        with translated(f"reading table {self._name}"):
            pages = self._client.query_entities(condition, parameters=dict(parameters), results_per_page=limit).by_page(
                continuation_token=_opened(cursor)
            )
            try:
                # A page may be empty or short and still have a successor: go on until there is something to show.
                for page in pages:
                    found = list(page)
                    if found:
                        break
            except ResourceNotFoundError:
                return [], ""
            token = getattr(pages, "continuation_token", None)
        return found, _sealed(token)

    def _retried(self, write: Callable[[], Any]) -> Any:
        """Write; where the table is missing, create it and write again."""
        with translated(f"writing table {self._name}"):
            try:
                return self._checked(write)
            except ResourceNotFoundError:
                self._create()
                return self._checked(write)

    def _create(self) -> None:
        try:
            self._client.create_table()
        except ResourceExistsError:
            return

    @staticmethod
    def _checked(write: Callable[[], Any]) -> Any:
        try:
            return write()
        except (ResourceExistsError, ResourceModifiedError) as error:
            raise RowChanged("RowChanged", "the row has changed since it was read") from error
        except TableTransactionError as error:
            if error.status_code in {409, 412}:
                raise RowChanged("RowChanged", "the row has changed since it was read") from error
            if error.status_code == 404:
                raise ResourceNotFoundError(response=error.response) from error
            raise HttpResponseError(response=error.response) from error


def etag_of(entity: Any) -> str:
    """Return the version of an entity that was read."""
    return str(entity.metadata["etag"])


def encoded(value: Any) -> str:
    """Return a value of ours as JSON."""
    return msgspec.json.encode(value).decode()


def cells(name: str, value: str) -> dict[str, str]:
    """Return a long text as the cells that hold it: `name`, `name1`, ... Raises BadInput where an entity is too small for it."""
    parts = [value[at : at + LONGEST_VALUE] for at in range(0, len(value), LONGEST_VALUE)] or [""]
    if len(parts) > _MOST_CELLS:
        raise BadInput("TooLong", f"{len(value)} characters do not fit a table entity ({_MOST_CELLS * LONGEST_VALUE})")
    return {f"{name}{number or ''}": part for number, part in enumerate(parts)}


def joined(name: str, entity: Entity) -> str:
    """Return the text that `cells` has cut."""
    parts = [str(entity[name])]
    while (part := entity.get(f"{name}{len(parts)}")) is not None:
        parts.append(str(part))
    return "".join(parts)


def _sealed(token: Any) -> str:
    if not token:
        return ""
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")


def _opened(cursor: str) -> Any:
    if not cursor:
        return None
    try:
        token = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        token = None
    words = [token.get("PartitionKey"), token.get("RowKey")] if isinstance(token, dict) else [None]
    if not all(isinstance(word, str) and word.isascii() for word in words):
        raise BadInput("BadCursor", "the cursor is not one that this list has given out: start without one")
    return token
