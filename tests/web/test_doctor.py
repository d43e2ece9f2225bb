"""The doctor over the API: any role may ask, and however many ask, Azure is asked once in a while."""

from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request

from shared.core.version import VERSION
from shared.web.doctor import Doctor
from tests.fakes import World
from tests.web.entry import Entry, app_token, token


def test_any_role_may_ask_and_nobody_else() -> None:
    """A reader, and an application that watches over us; not without a role, not without a token."""
    entry = Entry()
    answers = [entry.call("GET", "/api/doctor", bearer).status for bearer in (token("Reader"), app_token("Reader"))]

    assert answers == [200, 200]
    assert entry.call("GET", "/api/doctor", token()).reason == "NotAllowed"
    assert entry.call("GET", "/api/doctor").reason == "NotSignedIn"


def test_the_answer_says_what_when_and_by_which_version() -> None:
    """Each check has a name, an area, a result, a message and what to do."""
    told = Entry().call("GET", "/api/doctor", token("Reader")).json()

    assert told["version"] == VERSION
    assert told["time"] == "2026-11-24T12:00:00Z"
    assert {tuple(it) for it in told["checks"]} == {("name", "area", "result", "message", "todo")}
    assert {"name": "tables", "area": "storage", "result": "pass", "message": "the records can be read", "todo": ""} in told["checks"]  # fmt: skip


def test_whoever_asks_soon_gets_the_same_answer() -> None:
    """A fault shows at the next look, a second later, and not before."""
    entry = Entry()
    first = entry.call("GET", "/api/doctor", token("Reader")).json()
    entry.world.vitals.queues.clear()
    entry.world.clock.advance(0.9)
    second = entry.call("GET", "/api/doctor", token("Approver")).json()
    entry.world.clock.advance(0.1)
    third = entry.call("GET", "/api/doctor", token("Reader")).json()

    assert second == first
    assert [it["result"] for it in third["checks"] if it["name"] == "queues"] == ["fail"]


def test_one_look_at_a_time() -> None:
    """Ten at once cost Azure one look: each asks for its eight queues once."""
    world = World()
    doctor = Doctor(world, VERSION)
    with ThreadPoolExecutor(10) as pool:
        bodies = {answer.body for answer in pool.map(doctor.doctor, [Request({"type": "http"})] * 10)}

    assert (len(bodies), world.vitals.looks) == (1, 8)
