"""Requests for keys over the wire and by the pages: who may ask, what a request may say, and what the list holds."""

from typing import Any

import pytest

from shared.web.console.acts import DONE
from tests.bricks import key_body
from tests.fakes import vault_id, workspace_id
from tests.flow import pleading
from tests.flow.conftest import run
from tests.web.console import Browser
from tests.web.entry import Answer, Entry, app_token, token

ADA, AMIT, RADA = (
    token(role, oid=f"{who}-oid") for role, who in (("Approver", "ada"), ("Admin", "amit"), ("Reader", "rada"))
)
PATH = "/api/key-requests"


def _asked(entry: Entry, bearer: str = ADA, **changed: Any) -> Answer:
    body = {"workspace": workspace_id(), "reason": "its key is shared", **changed}
    return entry.call("POST", PATH, bearer, body, x_forwarded_for="203.0.113.9, 192.0.2.1:5678")


def test_a_key_is_asked_for_approved_and_listed() -> None:
    """Asked for by one, refused to the same, approved by another; the list shows it, and no finding of the control."""
    world = pleading.calm_world()
    entry = Entry(world)
    first, again = _asked(entry), _asked(entry)
    row = first.json()
    yes = {"fingerprint": row["plan"]["fingerprint"], "comment": "right", "expires": "2026-11-26T12:00:00Z"}
    approve = f"/api/remediations/{row['id']}/approve"
    own, other = entry.call("POST", approve, ADA, yes), entry.call("POST", approve, AMIT, yes)
    run(world)
    (made,), stray = pleading.keys_of(world), f"{vault_id()}/keys/stray".lower()
    world.arm.resources[stray] = key_body(stray, "kv-one", "stray", world.clock.now())
    assert pleading.judged(world)
    listed = entry.call("GET", f"{PATH}?limit=1", RADA).json()

    assert (first.status, first.headers["etag"], again.json()) == (200, again.headers["etag"], row)
    assert (row["vault"], row["requester"], row["state"]) == (vault_id(), "ada-oid", "awaiting_approval")
    assert row["history"][0]["detail"]["from"] == "192.0.2.1"
    assert (own.status, own.reason, other.status) == (409, "OwnRequest", 200)
    assert ([it["id"] for it in listed["items"]], listed["next"]) == ([row["id"]], None)
    (shown,) = listed["items"]
    assert (shown["state"], shown["finding"]["evidence"]["keys"]) == ("resolved", [made])


@pytest.mark.parametrize("field", ["vault", "name", "type", "key", "kty"])
def test_who_asks_chooses_neither_vault_nor_name_nor_type(field: str) -> None:
    """The answer says which field it was, and why it is not theirs."""
    entry = Entry(pleading.calm_world())
    answer = _asked(entry, **{field: vault_id()})

    assert (answer.status, answer.reason) == (400, "BadBody")
    assert f"`{field}`" in answer.json()["detail"]
    assert "vault, name and type of the key are not its to choose" in answer.json()["detail"]
    assert entry.world.records.rows == {}


@pytest.mark.parametrize("bearer", [RADA, app_token("Approver"), app_token("Admin")])
def test_who_may_not_change_anything_asks_for_nothing(bearer: str) -> None:
    """Neither a reader nor an application, whatever its role."""
    entry = Entry(pleading.calm_world())
    answer = _asked(entry, bearer)

    assert (answer.status, answer.reason, entry.world.records.rows) == (403, "NotAllowed", {})


def test_the_list_takes_no_other_control() -> None:
    """Its rows are of one control; a state and a target may be asked for."""
    entry = Entry(pleading.calm_world())
    _asked(entry)

    assert entry.call("GET", f"{PATH}?control=KV-ACCESS", RADA).reason == "UnknownParameter"
    assert entry.call("GET", f"{PATH}?state=resolved", RADA).json() == {"items": [], "next": None}
    assert len(entry.call("GET", f"{PATH}?target={workspace_id()}", RADA).json()["items"]) == 1


def test_the_page_of_a_workspace_asks_for_a_key() -> None:
    """One is led to the request; asking for a second is answered in place. A reader and a vault's page have no such form."""
    world = pleading.calm_world()
    entry = Entry(world)
    ada, path = Browser(entry), f"/explain?resource={workspace_id()}"
    page = ada.follow(ada.post(ada.form(path, "/key-requests"), comment="its key is shared"))
    pleading.agree(world)
    again = ada.post(ada.form(path, "/key-requests"), comment="one more")
    done = ada.read(f"/remediations/{pleading.ASKED}").text

    assert DONE["key"] in page.text
    assert "Somebody asks for a key" in page.text
    assert "You asked for this" in page.text
    assert "its key is shared" in page.text
    assert (again.status, "put a layer on it" in again.body.decode()) == (409, True)
    assert "The key is there" in done
    assert not Browser(entry, "rada-oid", ("Reader",)).read(path).forms[1:]
    assert not ada.read(f"/explain?resource={vault_id()}").forms[1:]


def test_a_request_without_a_reason_is_told_so_on_the_page() -> None:
    """In words, and nothing is asked for."""
    entry = Entry(pleading.calm_world())
    ada = Browser(entry)
    answer = ada.post(ada.form(f"/explain?resource={workspace_id()}", "/key-requests"), comment=" ")

    assert (answer.status, "Say why" in answer.body.decode()) == (400, True)
    assert entry.world.records.rows == {}
