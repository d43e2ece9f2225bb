"""The pages for reports and for what-if: links that lead to files, a form that supposes, and nothing that writes."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from shared.core.choices import Mode
from tests.fakes import SUBSCRIPTION
from tests.sealed import sealed
from tests.web.console import Browser
from tests.web.entry import Entry

HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def entry() -> Entry:
    """An app that only observes, and one finding with a hostile owner."""
    made = Entry()
    made.world.choices = replace(made.world.choices, mode=Mode.OBSERVE)
    made.waiting(owner=HOSTILE)
    return made


def browser(entry: Entry) -> Browser:
    """A reader at a browser."""
    return Browser(entry, "rada-oid", ("Reader",))


def supposed(entry: Entry, **settings: str) -> str:
    """Return the text of the page under these settings."""
    return browser(entry).read(f"/what-if?{urlencode(settings)}").text


def test_every_link_of_the_reports_leads_to_a_file(entry: Entry) -> None:
    """Six forms, the whole pack and one for each framework: a browser's sign-in is enough, and all are kept, not shown."""
    reader = browser(entry)
    links = [it for it in reader.read("/reports").links if it.startswith("/api/")]
    answers = {it: reader.get(it) for it in links}

    assert len(links) == 6 + 1 + 6
    assert all(it.status == 200 for it in answers.values())
    assert all(it.headers["content-disposition"].startswith("attachment") for it in answers.values())


def test_the_form_supposes(entry: Entry) -> None:
    """As it is, as if it were automatic here, and nowhere; the record stands where it stood."""
    before = dict(entry.world.records.rows)

    assert "Is only recorded" in supposed(entry)
    text = supposed(entry, mode="auto", modes="", auto_scope=SUBSCRIPTION)
    assert "Happens by itself" in text
    assert "Turn on soft delete and purge protection" in text
    assert "Supposed settings." in text
    assert "Is asked for" in supposed(entry, mode="auto", auto_scope="")
    assert "Ends: its control would be off" in supposed(entry, modes="KV-RECOVERY=off")
    assert entry.world.records.rows == before


def test_what_was_typed_stays_in_the_form(entry: Entry) -> None:
    """Also where it cannot be meant: that is said, with the form as it was."""
    answer = browser(entry).get("/what-if?" + urlencode({"mode": "auto", "modes": "NO=auto", "auto_scope": "x"}))

    assert answer.status == 400
    assert b"NO=auto" in answer.body
    assert b"BadVariation" in answer.body
    form = browser(entry).form("/what-if?mode=approve&auto_scope=x", "/what-if")
    assert form.fields == {"mode": "approve", "modes": "", "auto_scope": "x"}
    assert browser(entry).get("/what-if?colour=red").status == 400


def test_hostile_words_are_words(entry: Entry) -> None:
    """In the lists and in the form itself."""
    page = browser(entry).get("/what-if?" + urlencode({"mode": "auto", "auto_scope": HOSTILE})).body.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page


def test_the_pages_work_with_every_writing_port_closed(entry: Entry) -> None:
    """Where whatever writes, sends or asks Azure raises, they are the same."""
    behind = Entry.over(sealed(entry.world))
    query = "/what-if?" + urlencode({"mode": "auto", "auto_scope": SUBSCRIPTION})

    assert browser(behind).read(query).text == browser(entry).read(query).text
    assert browser(behind).get("/reports").status == 200
