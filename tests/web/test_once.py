"""`Idempotency-Key` and `If-Match`: what is sent twice is done once, and only to what was seen."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.errors import RowChanged, Temporary
from shared.core.ports import Event, Stored
from shared.core.record import State
from shared.web.once import LEASE
from tests.web.entry import Answer, Entry, token

ADA, AMIT = token("Approver", oid="ada-oid"), token("Approver", oid="amit-oid")


def _approve(entry: Entry, stored: Stored, bearer: str = ADA, key: str = "k1", **changes: Any) -> Answer:
    path = f"/api/remediations/{stored.row.id}/approve"
    return entry.call("POST", path, bearer, {**entry.yes(stored), **changes}, idempotency_key=key)


def test_the_second_request_has_the_first_answer() -> None:
    """Approved once, queued once; status, body and version of the answer are those of the first."""
    entry = Entry()
    stored = entry.waiting()
    first, second = _approve(entry, stored), _approve(entry, stored)

    assert (first.status, first.json()["state"]) == (200, State.QUEUED)
    assert (second.status, second.body, second.headers["etag"]) == (200, first.body, first.headers["etag"])
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert len(entry.world.queue.of("apply")) == 1


def test_a_final_refusal_is_kept_too() -> None:
    """A no that stands comes again as it was, even where the same request would be let through by now."""
    entry = Entry()
    stored = entry.waiting()
    first = _approve(entry, stored, comment=" ")
    second = _approve(entry, stored, comment=" ")

    assert (first.status, first.reason) == (400, "NoComment")
    assert second.body == first.body
    assert second.headers["content-type"] == "application/problem+json"


def test_another_body_under_the_same_key_is_refused() -> None:
    """It cannot be the same request: nothing happens."""
    entry = Entry()
    stored = entry.waiting()
    first = _approve(entry, stored, comment=" ")
    answer = _approve(entry, stored, comment="agreed after all")

    assert (first.status, answer.status, answer.reason) == (400, 422, "KeyReused")
    assert entry.world.row().state is State.AWAITING_APPROVAL


def test_a_key_is_of_one_person_and_one_path() -> None:
    """Another person, or another route, with the same key has an answer of their own."""
    entry = Entry()
    stored = entry.waiting()
    _approve(entry, stored, comment=" ")
    other = _approve(entry, stored, bearer=AMIT)
    path = f"/api/remediations/{stored.row.id}/reject"
    rejected = entry.call("POST", path, ADA, {"comment": "x"}, idempotency_key="k1")

    assert other.status == 200
    assert (rejected.status, rejected.reason) == (409, "NothingToReject")


def test_while_the_first_is_running_the_second_waits() -> None:
    """It is told so, and when to ask again; after the lease of a dead claim it runs."""
    entry = Entry()
    stored = entry.waiting()
    seen: list[str] = []
    save = entry.world.records.save

    def slow(row: Any, event: Any, over: Any) -> Stored:
        reference, (claim, _) = next(iter(entry.world.answers.known.items()))
        seen.append(claim.token)
        assert entry.world.answers.claim(reference, claim.asked, entry.world.clock.now(), LEASE).token == ""
        raise KeyboardInterrupt  # the worker dies

    entry.world.records.save = slow  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        _approve(entry, stored)
    entry.world.records.save = save  # type: ignore[method-assign]
    waiting = _approve(entry, stored)
    entry.world.clock.advance(LEASE.total_seconds())
    after = _approve(entry, stored)

    assert seen
    assert (waiting.status, waiting.reason, waiting.headers["retry-after"]) == (409, "StillRunning", "5")
    assert (after.status, after.json()["state"]) == (200, State.QUEUED)


@pytest.mark.parametrize(
    ("error", "status"), [(RowChanged("RowChanged", "faster"), 409), (Temporary("Http503", "down"), 503)]
)
def test_what_settles_nothing_is_not_kept(error: Exception, status: int) -> None:
    """Storage was down, or somebody was faster: the same key may try again."""
    entry = Entry()
    stored = entry.waiting()
    save = entry.world.records.save

    def failing(row: Any, event: Any, over: Any) -> Stored:
        raise error

    entry.world.records.save = failing  # type: ignore[method-assign]
    first = _approve(entry, stored)
    entry.world.records.save = save  # type: ignore[method-assign]
    second = _approve(entry, stored)

    assert (first.status, second.status) == (status, 200)


def test_an_answer_that_cannot_be_kept_is_given_all_the_same() -> None:
    """What was asked for is done: it must not look like a failure."""
    entry = Entry()
    stored = entry.waiting()
    entry.world.answers.failures.append(Temporary("Http503", "down"))

    assert _approve(entry, stored).status == 200


def test_after_a_day_the_key_is_free() -> None:
    """And the sweep forgets what was kept."""
    entry = Entry()
    stored = entry.waiting()
    _approve(entry, stored, comment=" ")
    entry.world.clock.advance(timedelta(days=1).total_seconds())
    yes = {**entry.yes(stored), "expires": (entry.world.clock.now() + timedelta(days=1)).isoformat()}
    answer = _approve(entry, stored, **yes)
    forgotten = entry.world.answers.forget(entry.world.clock.now() + timedelta(seconds=1))

    assert (answer.status, forgotten) == (200, 1)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä"])
def test_a_key_must_be_readable(key: str) -> None:
    """1 to 255 visible characters of ASCII."""
    entry = Entry()
    answer = _approve(entry, entry.waiting(), key=key)

    assert (answer.status, answer.reason) == (400, "BadIdempotencyKey")


def test_a_write_names_what_it_saw() -> None:
    """The ETag of the record as it is: done. That of an older one: 412, and nothing happens."""
    entry = Entry()
    stored = entry.waiting()
    path = f"/api/remediations/{stored.row.id}"
    old = entry.call("GET", path, ADA).headers["etag"]
    entry.world.records.save(
        replace(stored.row, attempt=1),
        event=Event("noted", "test", "Test", {}),
        over=entry.world.records.get(stored.row.id),
    )
    stale = entry.call("POST", f"{path}/reject", ADA, {"comment": "no"}, if_match=old)
    weak = entry.call("POST", f"{path}/reject", ADA, {"comment": "no"}, if_match=f"W/{old}")
    none = entry.call("POST", f"{path}/reject", ADA, {"comment": "no"}, if_match="")
    new = entry.call("GET", path, ADA).headers["etag"]
    done = entry.call("POST", f"{path}/reject", ADA, {"comment": "no"}, if_match=f'"other", {new}')

    assert [it.status for it in (stale, weak, none)] == [412, 412, 412]
    assert (stale.reason, stale.json()["title"]) == ("Stale", "Read again")
    assert (done.status, done.json()["state"]) == (200, State.REJECTED)
    assert done.headers["etag"] not in {old, new}


def test_without_if_match_nothing_is_compared() -> None:
    """And `*` is content with any version."""
    entry = Entry()
    stored = entry.waiting()
    path = f"/api/remediations/{stored.row.id}"

    assert entry.call("POST", f"{path}/reject", ADA, {"comment": "no"}, if_match="*").status == 200
    assert entry.call("POST", f"{path}/retry", ADA).status == 200


def test_a_body_must_be_said_to_be_json() -> None:
    """A form or plain text is 415: no browser sends JSON to another site without asking."""
    entry = Entry()
    path = f"/api/remediations/{entry.waiting().row.id}/reject"
    body = json.dumps({"comment": "no"}).encode()

    assert entry.call("POST", path, ADA, body, content_type="text/plain").reason == "NotJson"
    assert entry.call("POST", path, ADA, body, content_type="application/json; charset=utf-8").status == 200
