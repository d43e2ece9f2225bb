"""A migration and a narrowing by the forms of the pages alone, over fakes: pick, approve, confirm, the way back."""

from dataclasses import replace

from shared.core.record import State
from shared.web.console.acts import DONE
from tests.access import DATABRICKS, policy
from tests.flow import moving, narrowing
from tests.flow.conftest import run
from tests.web.console import COOKIE, Browser
from tests.web.entry import Entry


def test_a_vault_is_picked_and_approved_by_two_and_the_rest_confirmed() -> None:
    """Whoever picks is told that they cannot approve; the next one can, and somebody confirms the restart."""
    world = moving.moving_world(chosen=False)
    moving.look_at(world)
    entry = Entry(world)
    ada, amit = Browser(entry), Browser(entry, "amit-oid")
    path = f"/remediations/{moving.row_of(world).id}"
    page = ada.follow(ada.post(ada.form(path, "/vault"), comment="near its data"))
    run(world)
    assert DONE["vault"] in page.text
    assert "You asked for this, or picked its vault" in ada.read(path).text
    assert not [it for it in ada.read(path).forms if it.action.endswith("/approve")]
    form = amit.form(path, "/approve")
    forged = replace(form, fields={**form.fields, "token": ada.cookies[COOKIE]})
    own = ada.post(forged, comment="mine", sure="dbw-one")
    assert (own.status, "OwnRequest" in own.body.decode()) == (409, True)
    amit.follow(amit.post(amit.form(path, "/approve"), comment="seen", sure="dbw-one"))
    run(world, rounds=300)
    waits = amit.read(path)
    assert "Our part is done; a person must do the rest" in waits.text
    assert {it.action.rsplit("/", 1)[1] for it in waits.forms} == {"confirm", "exempt"}
    ada.follow(ada.post(ada.form(path, "/confirm"), comment="all restarted"))
    run(world, rounds=300)

    assert moving.row_of(world).state is State.RESOLVED
    assert set(moving.layers_of(world)) == {"managedServices", "dbfsRoot", "managedDisk"}
    done = ada.read(path)
    assert done.text.count("cannot be undone") == 2
    assert [it.action for it in done.forms] == []  # two of its steps can never be undone: no way back is offered


def test_what_was_narrowed_can_be_asked_back() -> None:
    """The way back is a remediation of its own, to whose page one is led."""
    world = narrowing.access_world(policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"]))
    narrowing.look_at(world)
    ada = Browser(Entry(world))
    row = narrowing.row_of(world)
    assert row.state is State.RESOLVED
    answer = ada.post(ada.form(f"/remediations/{row.id}", "/undo"), comment="it backs up", days="30")
    page = ada.follow(answer)

    assert row.id not in answer.headers["location"]
    assert DONE["undo"] in page.text
    assert "Set what" in page.text
    assert f"/remediations/{row.id}" in page.links
    assert "You asked for this" in page.text
