"""The pages: what they say, what their forms do, and that they do it for nobody but the person in front of them."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote, urlencode

import pytest

from shared.core.errors import Denied
from shared.core.ports import Event, Poisoned
from shared.core.record import Exemption, State
from shared.core.survey import Progress, Share, Survey, survey_id
from shared.flow.evaluate import evaluate
from shared.web.console.acts import ACTS, DONE
from tests.fakes import NOON, vault_body, vault_id
from tests.flow.conftest import evaluation, run
from tests.web.console import COOKIE, Browser, Found, Reader
from tests.web.entry import Entry, app_token, token

EVENT = Event("changed", "test", "Test", {})
PAGES = ("/", "/poison", "/?shelf=open", "/history", "/history?verify=1", "/estate", "/estate?kind=vaults", "/explain")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def entry() -> Entry:
    """The app over fakes, the first page of which is due."""
    return Entry()


@pytest.fixture
def ada(entry: Entry) -> Browser:
    """Somebody who may approve, at a browser."""
    return Browser(entry)


def test_every_page_keeps_to_itself(entry: Entry, ada: Browser) -> None:
    """Nothing is cached, framed or loaded from elsewhere, and nothing is written inline that the policy would forbid."""
    stored = entry.waiting()
    for path in (*PAGES, f"/remediations/{stored.row.id}", f"/explain?resource={stored.row.target}", "/nothing"):
        answer = ada.get(path)
        page = Reader(answer.body.decode())
        names = {name for name, _ in page.attributes}

        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert not {name for name in names if name.startswith("on") or name == "style"}, path
        assert not {it for it in page.tags if it in {"style", "iframe", "object", "base"}}, path


def test_every_link_of_every_page_leads_somewhere(entry: Entry, ada: Browser) -> None:
    """A crawl from the queue: each address of ours answers, and no page is an error."""
    entry.waiting()
    seen, left = set[str](), ["/"]
    while left:
        path = left.pop()
        if path in seen or path.startswith(("https://portal.azure.com/", "/.auth/", "#")):
            continue
        seen.add(path)
        answer = ada.get(path)
        assert answer.status == 200, (path, answer.status)
        if answer.headers["content-type"].startswith("text/html"):
            left += Reader(answer.body.decode()).links
    assert len(seen) > 10


def test_nobody_sees_a_page_without_a_sign_in(entry: Entry) -> None:
    """The page to sign in comes instead, and leads back to where one wanted to go."""
    stored = entry.waiting()
    for path in (*PAGES, f"/remediations/{stored.row.id}", "/nothing"):
        answer = entry.call("GET", path)
        assert answer.status == 401
        assert stored.row.target.encode() not in answer.body
    answer = entry.call("GET", f"/explain?resource={stored.row.target}")
    (link,) = [it for it in Reader(answer.body.decode()).links if it.startswith("/.auth/login/")]
    assert unquote(unquote(link)).endswith(f"post_login_redirect_uri=/explain?resource={stored.row.target}")


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example", "/%2f/evil.example"])
def test_a_sign_in_leads_to_no_other_site(entry: Entry, path: str) -> None:
    """Two slashes at the front would be another host: wherever one comes from, one comes back to this one."""
    answer = entry.call("GET", path)
    (link,) = [it for it in Reader(answer.body.decode()).links if it.startswith("/.auth/login/")]
    target = link.partition("post_login_redirect_uri=")[2]

    assert target.startswith("/")
    assert not target.startswith(("//", "/\\", "/%5C", "/%5c", "/%2F", "/%2f"))


def test_a_yes_takes_the_name_of_what_can_never_be_undone(entry: Entry, ada: Browser) -> None:
    """What was typed stays; with the name it is done, and said so."""
    stored = entry.waiting()
    path = f"/remediations/{stored.row.id}"
    form = ada.form(path, "/approve")
    for typed in ("", "kv-two", "yes"):
        refused = ada.post(form, comment="seen, and right", sure=typed)
        page = Reader(refused.body.decode())
        assert (refused.status, "NotSure" in page.text, "seen, and right" in page.text) == (400, True, True)
    assert entry.world.row().approvals == ()
    page = ada.follow(ada.post(form, comment="seen, and right", sure="KV-ONE"))

    assert DONE["approve"] in page.text
    (given,) = entry.world.row().approvals
    assert (given.person, given.comment, given.expires) == ("ada-oid", "seen, and right", NOON + timedelta(days=3))


def test_a_form_that_is_older_than_the_record_does_nothing(entry: Entry, ada: Browser) -> None:
    """Sent twice, or from a page that lay open while somebody else acted: the new page comes, and says so."""
    stored = entry.waiting()
    form = ada.form(f"/remediations/{stored.row.id}", "/approve")
    first = ada.post(form, comment="yes", sure="kv-one")
    again = ada.post(form, comment="yes", sure="kv-one")

    assert (first.status, again.status) == (303, 412)
    assert "Stale" in again.body.decode()
    assert len(entry.world.row().approvals) == 1


def test_a_form_from_anywhere_else_does_nothing(entry: Entry, ada: Browser) -> None:
    """Another site can make the browser send its cookies; it has no token, and the browser says where it comes from."""
    stored = entry.waiting()
    form = ada.form(f"/remediations/{stored.row.id}", "/reject")
    whole = {**form.fields, "comment": "no"}
    strange = Browser(entry, cookies={COOKIE: "x" * 32})
    tries = {
        "no token": ada.post(replace_token(form, ""), comment="no"),
        "another token": ada.post(replace_token(form, "y" * 32), comment="no"),
        "no cookie": Browser(entry).post(form, comment="no"),
        "another cookie": strange.post(form, comment="no"),
        "a short cookie": Browser(entry, cookies={COOKIE: "z"}).post(replace_token(form, "z"), comment="no"),
        "another site": ada.send(form.action, _body(whole), sec_fetch_site="cross-site"),
        "a site next door": ada.send(form.action, _body(whole), sec_fetch_site="same-site"),
        "another origin": ada.send(form.action, _body(whole), sec_fetch_site="", origin="https://evil.example"),
        "no origin": ada.send(form.action, _body(whole), sec_fetch_site="", origin=""),
        "a sandboxed frame": ada.send(form.action, _body(whole), sec_fetch_site="", origin="null"),
    }

    assert {name: answer.status for name, answer in tries.items()} == dict.fromkeys(tries, 403)
    assert entry.world.row().state is State.AWAITING_APPROVAL
    assert ada.send(form.action, _body(whole)).status == 303  # and the very same, from the page itself


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data; boundary=x", "application/json", ""])
def test_only_a_form_is_a_form(entry: Entry, ada: Browser, media_type: str) -> None:
    """What a page of another site could send without asking is none."""
    stored = entry.waiting()
    form = ada.form(f"/remediations/{stored.row.id}", "/reject")
    answer = ada.send(form.action, _body({**form.fields, "comment": "no"}), content_type=media_type)

    assert answer.status in {400, 403}
    assert entry.world.row().state is State.AWAITING_APPROVAL


def test_the_api_takes_no_forms(entry: Entry, ada: Browser) -> None:
    """The way round the page's token: the API with a browser's sign-in takes JSON or a header of its own, as before."""
    stored = entry.waiting()
    form = ada.form(f"/remediations/{stored.row.id}", "/reject")
    answer = ada.send(f"/api/remediations/{stored.row.id}/reject", _body({**form.fields, "comment": "no"}))

    assert (answer.status, answer.reason) == (403, "CrossSite")
    assert entry.world.row().state is State.AWAITING_APPROVAL


def test_who_may_only_read_is_offered_nothing(entry: Entry) -> None:
    """No form, and the words to ask for what is missing; a form sent all the same is refused."""
    stored = entry.waiting()
    form = Browser(entry).form(f"/remediations/{stored.row.id}", "/reject")
    rada = Browser(entry, "rada-oid", ("Reader",))
    page = rada.read(f"/remediations/{stored.row.id}")
    rada.cookies[COOKIE] = form.fields["token"]

    assert [it for it in page.forms if it.method == "post"] == []
    assert "Remediation.Approver" in page.text
    assert rada.post(form, comment="no").status == 403
    assert entry.call("POST", form.action, app_token("Approver")).status == 403


def test_several_are_rejected_with_one_reason_and_what_has_changed_is_left(entry: Entry, ada: Browser) -> None:
    """One as it was seen, one whose plan is another by now, one that is none."""
    stored = entry.waiting()
    form = ada.form("/", "/reject")
    (box,) = form.boxes
    nothing = ada.post(form, comment="not now")
    changed = ada.post(form, [("row", f"{stored.row.id}:{'0' * 32}"), ("row", "nope:x")], comment="not now")
    state = entry.world.row().state
    page = ada.post(form, [box], comment="not now")

    assert nothing.status == 400
    assert (changed.status, changed.body.decode().count("Not rejected:")) == (200, 2)
    assert (state, entry.world.row().state) == (State.AWAITING_APPROVAL, State.REJECTED)
    assert b"Not rejected:" not in page.body


def test_the_estate_says_when_it_was_looked_over_and_what_could_not_be_read(entry: Entry, ada: Browser) -> None:
    """Not yet; then how many no event had told of; and loudly what nobody could see."""
    before = ada.read("/estate").text
    began = entry.world.clock.now()
    shares = (Share("a" * 36, Progress.DONE, listed=7, missed=2), Share("b" * 36, Progress.UNREAD, problem="no"))
    entry.world.surveys.begin(Survey(survey_id(began), began, "", shares))
    after = ada.read("/estate").text

    assert "not yet looked over" in before
    assert "7 targets, 2 of which no event had told" in after
    assert f"Could not be read: {'b' * 36}" in after


def test_nothing_approves_several_at_once(entry: Entry, ada: Browser) -> None:
    """The list has one form that changes something, and it says no."""
    entry.waiting()

    assert [it.action for it in ada.read("/").forms if it.method == "post"] == ["/reject"]
    assert ada.send("/approve", b"row=x").status == 404


def test_each_act_is_offered_where_it_makes_sense_and_works_from_there(entry: Entry, ada: Browser) -> None:
    """By the form that the page shows: no, again, yes, taken back, an exemption and its end."""
    stored = entry.waiting()
    path = f"/remediations/{stored.row.id}"
    done = set[str]()

    def act(name: str, **fields: str) -> None:
        page = ada.follow(ada.post(ada.form(path, f"/{name}"), None, **fields))
        assert DONE[name] in page.text
        done.add(name)

    act("reject", comment="not now")
    act("retry")
    entry.world.clock.advance(60)
    evaluate(entry.world, evaluation(entry.world, vault_id()))
    act("approve", comment="yes", sure="kv-one")
    act("cancel", comment="wait")
    wished = ada.follow(ada.post(ada.form(path, "/exempt"), comment="a test vault"))
    done.add("exempt")
    assert "Somebody else must approve it." in wished.text
    now = entry.world.records.rows[stored.row.id]
    exemption = Exemption("amit-oid", "a test vault", NOON + timedelta(days=5))
    entry.world.records.save(replace(now.row, exemption=exemption), EVENT, now)
    act("lift", comment="over")

    assert done == {"reject", "retry", "approve", "cancel", "exempt", "lift"}
    assert set(ACTS) - done == {"confirm", "vault", "undo"}  # tests/web/test_console_moves.py has these


def test_a_failure_says_what_stands_in_the_way(entry: Entry, ada: Browser) -> None:
    """The page of a failed remediation: what Azure said, and the way on."""
    world = entry.world
    world.arm.put(vault_body())
    world.arm.failures["write"].append(Denied("ScopeLocked", "the lock audit-freeze forbids it"))
    evaluate(world, evaluation(world))
    run(world)
    page = ada.read(f"/remediations/{world.row().id}")

    assert world.row().state is State.FAILED
    assert "the lock audit-freeze forbids it" in page.text
    assert [it.action.rsplit("/", 1)[1] for it in page.forms] == ["retry", "exempt"]


def test_files_beside_the_pages_are_kept_for_ever_under_what_they_hold(entry: Entry, ada: Browser) -> None:
    """Whatever changes has another address; nothing else is served from there."""
    page = ada.get("/").body.decode()
    found = {part.partition('"')[0] for part in page.split('"') if part.startswith("/static/")}
    for path in found:
        plain, packed = entry.call("GET", path), entry.call("GET", path, accept_encoding="gzip, br")
        assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert packed.headers["content-encoding"] == "gzip"
        assert len(packed.body) <= len(plain.body) + 30
    odd = [entry.call("GET", path).status for path in ("/static/x/../base.html", "/static/x/nope", "/static/x/")]

    assert len(found) == 3
    assert set(odd) <= {401, 404}


def test_what_could_not_be_worked_on_is_tried_again_by_a_button(entry: Entry, ada: Browser) -> None:
    """What is kept can be sent again, once; of an event nothing is, and the page says what follows."""
    records, now = entry.world.records, entry.world.clock.now()
    look = json.dumps({"id": vault_id(), "cause": {"kind": "event", "id": "e"}})
    share = json.dumps(
        {"survey": "000000000001", "subscription": "1" * 8 + "-1111-1111-1111-" + "1" * 12, "attempt": 9}
    )
    records.poison(Poisoned("evaluate", "m-1", "GaveUp", "died", look), now)
    records.poison(Poisoned("sweep", "m-2", "GaveUp", "died", share), now)
    records.poison(Poisoned("event", "m-3", "BadEvent", "no type <b>"), now)
    page = ada.read("/poison")
    for form in page.forms:
        ada.follow(ada.post(form))
    after = ada.read("/poison")

    assert len(page.forms) == 2
    assert "the nightly look over the estate finds it" in page.text
    assert (after.forms, after.text.count("tried again")) == ([], 4)  # two in what the sources mean
    assert [it["id"] for it in entry.world.queue.of("evaluate")] == [vault_id()]
    assert [it["attempt"] for it in entry.world.queue.of("sweep")] == [1]
    assert [it.action for it in Browser(entry, "rada-oid", ("Reader",)).read("/poison").forms] == []


def test_no_file_is_remembered_under_an_address_that_is_not_its_own(entry: Entry) -> None:
    """While a new version is rolled out an old instance may be asked for the new file: it has none."""
    assert entry.call("GET", "/static/000000000000/console.js").status == 404


@pytest.mark.parametrize("planted", ["\xa0{}=", "\x85{}=", "{}=z; {}="])
def test_a_cookie_from_next_door_is_none_of_ours(entry: Entry, ada: Browser, planted: str) -> None:
    """A name that only lenient readers take for ours: it neither lets a form in nor keeps one out. Two of ours are none."""
    stored = entry.waiting()
    form = ada.form(f"/remediations/{stored.row.id}", "/reject")
    own = ada.cookies[COOKIE]
    name = planted.replace("{}", COOKIE).removesuffix("=")
    mallory = Browser(entry, cookies={name: "A" * 32})
    foreign = mallory.post(replace_token(form, "A" * 32), comment="no")
    ada.cookies = {COOKIE: own, name: "A" * 32}
    locked = ada.post(form, comment="no")

    assert foreign.status == 403
    assert locked.status == (403 if "; " in planted else 303)


@pytest.mark.parametrize("comment", ["\u200b", "\u3164", "\u2800", "\u00ad", "\u202e", " \t", "...", "\u115f\u1160"])
def test_a_reason_that_nobody_can_read_is_none(entry: Entry, ada: Browser, comment: str) -> None:
    """What stays on record as the reason must be one."""
    stored = entry.waiting()
    answer = ada.post(ada.form(f"/remediations/{stored.row.id}", "/reject"), comment=comment)

    assert answer.status == 400
    assert entry.world.row().state is State.AWAITING_APPROVAL


def test_nothing_of_a_plan_is_cut(entry: Entry, ada: Browser) -> None:
    """Whoever agrees to it agrees to the whole value, so the whole value is there."""
    stored = entry.waiting()
    (step,) = stored.row.plan.steps
    long = replace(step, after={"words": ["x" * 30] * 200 + ["the-end"]}, note="n" * 900 + " the-end-of-the-note")
    entry.world.records.save(replace(stored.row, plan=replace(stored.row.plan, steps=(long,))), EVENT, stored)
    page = ada.read(f"/remediations/{stored.row.id}").text

    assert "the-end-of-the-note" in page
    assert page.count("the-end") > 1


def test_the_first_page_is_light(entry: Entry, ada: Browser) -> None:
    """A full list with all that it loads stays below 60 KB."""
    stored = entry.waiting()
    for n in range(40):
        entry.world.records.save(replace(stored.row, id=f"{n:016}"), EVENT, None)
    page = ada.get("/")
    found = {part for part in page.body.decode().split('"') if part.startswith("/static/")}
    files = [entry.call("GET", path, accept_encoding="gzip").body for path in found]

    assert page.body.decode().count("data-row") == 25
    assert len(page.body) + sum(map(len, files)) <= 60_000


def test_a_token_in_a_header_reads_pages_as_well(entry: Entry) -> None:
    """Programs may; what changes something takes a form of a page."""
    stored = entry.waiting()
    path = f"/remediations/{stored.row.id}"

    assert entry.call("GET", path, token("Reader")).status == 200
    assert entry.call("POST", f"{path}/reject", token("Approver"), {"comment": "no"}).status == 400


def replace_token(form: Found, text: str) -> Found:
    """Return the form with another token."""
    return replace(form, fields={**form.fields, "token": text})


def _body(fields: dict[str, str]) -> bytes:
    return urlencode(fields).encode()
