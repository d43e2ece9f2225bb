"""The comparison itself: it must see what differs, and let pass what the server invents."""

from tests.simulator.truth import shape
from tests.simulator.truth.ledger import Known, judge
from tests.simulator.truth.names import Names, plain
from tests.simulator.truth.player import Outcome
from tests.simulator.truth.recordings import Interaction, plane_form, resource_type
from tests.simulator.truth.scene import chains, torn

SUB = "/subscriptions/00000000-0000-0000-0000-000000000000"
VAULTS = f"https://management.azure.com{SUB}/providers/Microsoft.KeyVault/vaults"


def _row(**changes: object) -> Interaction:
    base = {"source": "story", "index": 0, "method": "GET", "url": VAULTS, "status": 200, "sent": None, "headers": {}}
    return Interaction(**{**base, "body": None, **changes})  # type: ignore[arg-type]


def test_what_the_server_invents_is_no_difference() -> None:
    """Ids, times, links, key material and counters may differ; everything around them may not."""
    one = {"id": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "at": "2021-06-18T01:33:50.123Z", "n": "x" * 300, "exp": 10**9}
    other = {
        "id": "11111111-a8ff-443c-a75c-2fe8c4bcb635",
        "at": "2026-01-01T00:00:00Z",
        "n": "y" * 342,
        "exp": 2 * 10**9,
    }

    assert list(shape.bodies(one, other)) == []


def test_structure_words_numbers_and_order_are_compared() -> None:
    """A missing name, one too much, another word, another number, another type and another count are all seen."""
    one = {"a": 1, "b": "Enabled", "c": [{"x": 1}], "d": None, "e": ["get", "list"], "days": 90}
    other = {"b": "enabled", "c": [], "d": "", "e": ["list", "get"], "days": 7, "f": 0}

    assert sorted(shape.bodies(one, other)) == [
        "body.a: missing",
        "body.b: 'Enabled' != 'enabled'",
        "body.c: 1 items, not 0",
        "body.d: None != ''",
        "body.days: 90 != 7",
        "body.f: not in Azure's answer",
    ]


def test_rows_are_paired_by_their_id() -> None:
    """The order of a list is nobody's promise; its rows are."""
    one = [{"id": "/A", "x": 1}, {"id": "/B", "x": 2}]
    other = [{"id": "/b", "x": 2}, {"id": "/C", "x": 1}]

    assert sorted(shape.bodies(one, other)) == [
        "body.[].id: '/B' != '/b'",
        "body.[]: missing: a",
        "body.[]: too much: c",
    ]


def test_headers_that_a_client_acts_on_are_compared() -> None:
    """Presence both ways and the form of links; Retry-After only where it was recorded."""
    one = {"location": "https://management.azure.com/s/operationStatuses/abc?api-version=1&t=5"}
    other = {"location": "https://127.0.0.1:1/s/operationStatuses/xyz?api-version=2", "retry-after": "5"}
    third = {"location": "https://127.0.0.1:1/s/other/xyz?api-version=2", "x-ms-failure-cause": "gateway"}

    assert list(shape.headers(one, other, has_body=False)) == []
    assert len(list(shape.headers(one, third, has_body=False))) == 2
    assert list(shape.headers(one, {}, has_body=False)) == ["header location: missing"]


def test_invented_names_are_carried_into_later_requests() -> None:
    """Principal ids, versions of keys and the URLs of operations are put in where the recording has its own."""
    names = Names({})
    names.learn({"kid": "https://v.vault.azure.net/keys/k/0123456789abcdef"}, {"kid": "https://h:1/x/keys/k/fedcba98"})
    names.learn({"kid": "https://v.vault.azure.net/keys/k/0123456789abcdef"}, {"kid": "https://v.x/keys/k/fedcba98"})
    names.learn_links({"location": "https://management.azure.com:443/op/1?a=b"}, {"location": "https://sim/op/2"})

    assert names.apply({"url": ".../keys/k/0123456789abcdef"}) == {"url": ".../keys/k/fedcba98"}
    assert names.link("https://management.azure.com/op/1?a=b") == "https://sim/op/2"
    assert names.link("https://management.azure.com/op/3") is None
    assert plain("https://a/b?$skiptoken=x%2fy") == plain("https://a/b?%24skiptoken=x/y")


def test_pages_belong_to_their_list() -> None:
    """All pages of one list share their rows, a new first page starts a new list, and a torn end is known."""
    pages = [
        _row(index=1, body={"value": [{"id": "/a"}], "nextLink": "x"}),
        _row(index=2, url=f"{VAULTS}?$skiptoken=x", body={"value": [{"id": "/b"}]}),
        _row(index=3, body={"value": [{"id": "/c"}], "nextLink": "y"}),
    ]
    whole = chains(pages)

    assert list(whole["story", 1]) == list(whole["story", 2]) == ["/a", "/b"]
    assert list(whole["story", 3]) == ["/c"]
    assert ("story", 3) in torn(pages)


def test_types_are_read_from_paths() -> None:
    """Resource Manager paths and data-plane paths both have a form without names."""
    assert resource_type(f"{SUB}/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/v/purge") == (
        "Microsoft.KeyVault/locations/deletedVaults/purge"
    )
    assert resource_type(f"{SUB}/resourceGroups/g") == "Microsoft.Resources/subscriptions/resourceGroups"
    assert plane_form("/keys/k/0123/rotationpolicy") == "/keys/{}/{}/rotationpolicy"
    assert _row(url=f"https://management.azure.com{SUB}/providers/Microsoft.Network/x/y").provider == ""


def test_a_new_difference_and_a_gone_one_are_both_told() -> None:
    """The list holds neither too little nor too much."""
    outcome = Outcome(_row(), ["body.[].x: missing", "status: 200 != 404"])
    fits = Known("story#0", "GET Microsoft.KeyVault/vaults", "body.[].x: missing", "a reason")
    gone = Known("*", "*", "body.y: missing", "a reason")
    verdict = judge([outcome], [fits, gone])

    assert verdict.unknown == ["GET Microsoft.KeyVault/vaults: status: 200 != 404 (1 times, first story#0)"]
    assert verdict.stale == [gone]
    assert verdict.rate() == 0
