"""The parts of a scan by themselves: patience, answers that are kept, threads, the listed estate, the sign-in."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.identity import ChainedTokenCredential

from cli.scan.crew import each
from cli.scan.estate import Listed, estate_of
from cli.scan.reads import Kept, KeptGrants, Patience, Shelf
from cli.scan.signin import Given, KeptToken, sign_in
from shared.core import ids
from shared.core.errors import BadInput, Denied, Temporary

SUB = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
OTHER = "22222222-2c6d-4f0a-8b1e-5d9c7a3e0002"


class Flaky:
    """Something that fails a number of times before it answers, and counts."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error, self.calls = times, error, 0

    def ask(self, *args: Any) -> Any:
        """Answer with what was asked."""
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return args


def test_asked_again_until_it_works() -> None:
    """Twice throttled, then answered."""
    port, patience = Flaky(2, Temporary("TooManyRequests", "slow down", 0.0)), Patience()

    assert patience.ask(lambda: port.ask(1)) == (1,)
    assert (port.calls, patience.waited) == (3, 2)


def test_a_wait_holds_everybody_back() -> None:
    """The quota is one for all threads: whoever comes meanwhile waits as well."""
    patience = Patience()
    port = Flaky(1, Temporary("TooManyRequests", "slow down", 0.3))
    began = time.monotonic()
    thread = threading.Thread(target=patience.ask, args=(port.ask,))
    thread.start()
    while not patience.waited:
        thread.join(0.001)
    patience.ask(lambda: None)

    assert time.monotonic() - began >= 0.29
    thread.join()


@pytest.mark.parametrize(("error", "calls"), [(Temporary("Busy", "b", 0.0), 6), (Temporary("NoToken", "n"), 1)])
def test_given_up_as_a_fact(error: Temporary, calls: int) -> None:
    """What never works is refused, and how often it was asked is said; without a sign-in nothing is asked again."""
    port = Flaky(99, error)

    with pytest.raises(Denied, match=f"asked {calls} times"):
        Patience().ask(port.ask)
    assert port.calls == calls


def test_what_cannot_work_is_not_asked_again() -> None:
    """A refusal is a refusal."""
    port = Flaky(99, Denied("AuthorizationFailed", "no"))

    with pytest.raises(Denied, match="AuthorizationFailed"):
        Patience().ask(port.ask)
    assert port.calls == 1


def test_an_answer_is_asked_for_once() -> None:
    """Eight threads at the same moment are one question; a refusal is kept as well; other words are another question."""
    port, refused = Flaky(0, Denied("x", "x")), Flaky(99, Denied("x", "x"))
    shelf = Shelf()
    kept, no = Kept(port, Patience(), shelf), Kept(refused, Patience(), Shelf())
    vault = ids.parse(f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv")
    same = ids.parse(f"/SUBSCRIPTIONS/{SUB}/resourcegroups/RG/providers/Microsoft.KeyVault/vaults/KV")

    assert len(list(each(kept.ask, [vault, same] * 20))) == 40
    assert kept.ask("another") == ("another",)
    assert port.calls == 2
    for _ in range(3):
        with pytest.raises(Denied):
            no.ask(vault)
    assert refused.calls == 1


def test_the_first_question_about_roles_goes_alone() -> None:
    """It learns all built-in roles, thousands of bytes by the page: the others wait, and then go side by side."""

    class Roles:
        def __init__(self) -> None:
            self.calls, self.met, self.is_alone = 0, threading.Event(), True

        def definitions(self, *_args: Any) -> int:
            self.calls += 1
            if self.calls == 1:
                self.is_alone = not self.met.wait(0.2)  # for any of the seven others
            else:
                self.met.set()
            return self.calls

    port = Roles()
    grants = KeptGrants(port, Patience(), Shelf())
    found = list(each(grants.definitions, [str(number) for number in range(8)]))

    assert (len(found), port.calls, port.is_alone) == (8, 8, True)


def test_what_a_thread_raises_ends_it_all() -> None:
    """A bug in one of them is not swallowed."""

    def work(number: int) -> int:
        return 1 // number

    with pytest.raises(ZeroDivisionError):
        list(each(work, [1, 0, 1]))


def test_no_work_is_no_result() -> None:
    """An empty list ends at once."""
    assert list(each(str, [])) == []


def workspace(name: str, host: str, subscription: str = SUB) -> dict[str, Any]:
    """A row of Resource Graph."""
    path = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/{name}"
    uri = f"HTTPS://{host.upper()}:443/"
    return {"id": path, "name": name, "properties": {"encryption": [{"keyVaultUri": uri}, 7, None]}}


def vault(name: str, subscription: str = SUB) -> dict[str, Any]:
    """A row of Resource Graph."""
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}",
        "name": name,
    }


class Graph:
    """Resource Graph over two subscriptions, of which one can be seen whole."""

    def __init__(self, *vaults: dict[str, Any]) -> None:
        self.vaults = vaults

    def subscriptions(self) -> frozenset[str]:
        """One."""
        return frozenset({SUB})

    def subscriptions_below(self, group: str) -> frozenset[str]:
        """All of them below `root`."""
        return frozenset({SUB}) if group == "root" else frozenset()

    def all_workspaces(self) -> Iterator[dict[str, Any]]:
        """Two, one of them elsewhere."""
        return iter([workspace("a", "kv-z.vault.azure.net"), workspace("b", "kv-a.vault.azure.net", OTHER)])

    def all_vaults(self) -> Iterator[dict[str, Any]]:
        """Those that were given."""
        return iter(self.vaults)


def estate(named: list[str], group: str = "", *vaults: dict[str, Any]) -> Any:
    """List it."""
    graph: Any = Graph(*(vaults or (vault("kv-z"), vault("kv-a"))))
    return estate_of(graph, named, group, Patience(1))


def test_a_workspace_stands_beside_its_vault() -> None:
    """What was read of the vault is at hand then."""
    names = [it.name for it in estate([]).targets]

    assert (set(names[:2]), set(names[2:])) == ({"kv-a", "b"}, {"kv-z", "a"})


def test_who_uses_a_vault_may_be_elsewhere() -> None:
    """A workspace of another subscription is not judged, and is known to use the vault."""
    found = estate([SUB.upper()])

    assert {it.name for it in found.targets} == {"a", "kv-a", "kv-z"}
    assert [it["name"] for it in found.inventory.workspaces_naming("kv-a.vault.azure.net")] == ["b"]
    assert found.inventory.workspaces_naming("a.vault.azure.net") == []


def test_where_a_vault_is() -> None:
    """By its name, in any case; a name that is not there is left out."""
    listed = Listed([], [vault("Kv-A"), vault("kv-b", OTHER)], frozenset({SUB}))

    assert listed.vaults_named(["KV-a", "kv-x"]) == {"kv-a": vault("Kv-A")["id"]}
    assert (listed.vaults_in(SUB.upper()), listed.subscriptions()) == (1, frozenset({SUB}))


@pytest.mark.parametrize(
    ("named", "group", "targets", "gaps"),
    [
        ([], "root", 3, []),
        ([OTHER], "", 1, [f"subscription {OTHER}"]),
        ([], "leaf", 0, ["management group leaf"]),
        ([SUB], "leaf", 3, ["management group leaf"]),
    ],
)
def test_what_is_chosen_and_not_there(named: list[str], group: str, targets: int, gaps: list[str]) -> None:
    """Whatever was named and cannot be seen whole is a gap, never a silent nothing and never everything."""
    found = estate(named, group)

    assert (len(found.targets), [it.what for it in found.gaps]) == (targets, gaps)


def test_a_row_that_makes_no_sense_is_a_gap() -> None:
    """It may be a vault, and nobody can tell which."""
    found = estate([], "", {"id": "/subscriptions/x/<script>", "name": "y"})

    assert [it.reason for it in found.gaps] == ["BadResourceId"]


def test_nothing_to_see() -> None:
    """A sign-in without any subscription is no clean estate."""

    class Nothing(Graph):
        def subscriptions(self) -> frozenset[str]:
            return frozenset()

    graph: Any = Nothing()
    with pytest.raises(Denied, match="no subscription"):
        estate_of(graph, [], "", Patience(1))


class Counting:
    """A credential that counts, with tokens that live as long as is said."""

    def __init__(self, lives: float) -> None:
        self.lives, self.calls = lives, 0

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return another one."""
        self.calls += 1
        return AccessToken(str(self.calls), int(time.time() + self.lives))


@pytest.mark.parametrize(("lives", "options", "calls"), [(3600, {}, 1), (100, {}, 3), (3600, {"claims": "c"}, 3)])
def test_a_token_is_asked_for_once(lives: float, options: dict[str, str], calls: int) -> None:
    """While it is good for some minutes; one that Azure has refused is asked for anew."""
    credential = Counting(lives)
    kept = KeptToken(credential)
    for _ in range(3):
        kept.get_token("scope", **options)
    kept.close()

    assert credential.calls == calls


def test_who_signs_in() -> None:
    """A token that is given is used as it is; else the Azure CLI is asked first, and never a person."""
    given = sign_in({"CMKWARDEN_ARM_TOKEN": " abc\n"})
    found: Any = sign_in({})

    assert isinstance(given, Given)
    assert given.get_token("scope").token == "abc"
    given.close()
    assert isinstance(found, KeptToken)
    chain: Any = found._credential  # noqa: SLF001 - nothing else tells who is asked
    assert isinstance(chain, ChainedTokenCredential)
    assert [type(it).__name__ for it in chain.credentials] == ["AzureCliCredential", "DefaultAzureCredential"]
    rest: Any = chain.credentials[1]
    assert "InteractiveBrowserCredential" not in {type(it).__name__ for it in rest.credentials}


def test_bad_input_is_kept_too() -> None:
    """An answer that makes no sense makes none the second time either."""
    port = Flaky(99, BadInput("BadArmAnswer", "no"))
    kept = Kept(port, Patience(), Shelf())
    ask: Callable[..., Any] = kept.ask
    for _ in range(2):
        with pytest.raises(BadInput):
            ask()

    assert port.calls == 1
