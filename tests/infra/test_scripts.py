"""The two scripts for what no template can do: the way out of Azure, and the app registration."""

import json
from pathlib import Path

import pytest

from tests.infra import azurecli
from tests.reference import ROOT

ONE, TWO = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001", "11111111-2c6d-4f0a-8b1e-5d9c7a3e0002"
VAULT = f"/subscriptions/{ONE}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv-keys"
OURS = f"/subscriptions/{ONE}/resourceGroups/rg-cmkwarden-events/providers/Microsoft.EventGrid/systemTopics/cmkwarden-events"
THEIRS = f"/subscriptions/{TWO}/resourceGroups/rg-events/providers/Microsoft.EventGrid/systemTopics/subscription-events"
ASSIGNMENT = f"/subscriptions/{ONE}/providers/Microsoft.Authorization/roleAssignments/a1"
HELD: azurecli.Answers = [
    (f"system-topic list --subscription {ONE}", [OURS]),
    (f"system-topic list --subscription {TWO}", [THEIRS]),
    ("system-topic event-subscription list", ["cmkwarden-workspaces", "cmkwarden-vaults"]),
    ("identity list", ["principal-reader", "principal-writer"]),
    (f"role assignment list --subscription {ONE} --all --assignee principal-reader", [ASSIGNMENT]),
    ("role assignment list * cmkwarden Key User", ["/somebody/holds/it"]),
    (f"policy assignment list --subscription {ONE}", ["cmkwarden"]),
    (f"policy set-definition list --subscription {ONE}", ["cmkwarden"]),
    (f"policy definition list --subscription {ONE}", ["cmkwarden-vault-logs"]),
    (f"group exists --subscription {ONE}", ["true"]),
    (f"group exists --subscription {TWO}", ["false"]),
    (f"keyvault list --subscription {ONE}", [VAULT]),
    ("diagnostic-settings list", [f"{VAULT}/providers/microsoft.insights/diagnosticSettings/cmkwarden-audit"]),
]
WAY_OUT = ROOT / "infra/uninstall.sh"
BOTH = ["--subscription", ONE, "--subscription", TWO]
READS = (" list ", " exists ", " show ")


def changes(folder: Path) -> list[str]:
    """Return the calls that change something."""
    return [call for call in azurecli.calls(folder) if not any(verb in f"{call} " for verb in READS)]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """What a dry run prints, and what it changes."""
    folder = tmp_path_factory.mktemp("said")
    done = azurecli.run(WAY_OUT, BOTH, azurecli.install(folder, HELD))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, changes(folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a run with --yes changes."""
    folder = tmp_path_factory.mktemp("done")
    assert azurecli.run(WAY_OUT, [*BOTH, "--yes"], azurecli.install(folder, HELD)).returncode == 0
    return changes(folder)


def test_without_yes_nothing_is_changed(said: tuple[str, list[str]]) -> None:
    """What would be done is said, line by line, and nothing but lists is asked."""
    text, changed = said

    assert changed == []
    assert "Nothing was changed. Again with --yes." in text
    assert f"would: az role assignment delete --ids {ASSIGNMENT}" in text


def test_what_was_said_is_what_is_done(said: tuple[str, list[str]], done: list[str]) -> None:
    """With --yes exactly the lines of the dry run are carried out, in that order."""
    assert done == [line.removeprefix("would: az ") for line in said[0].splitlines() if "would: " in line]


def test_the_order_leaves_nothing_behind(done: list[str]) -> None:
    """Events stop first; assignments go before the roles and before the identities that hold them."""
    words = (
        "event-subscription delete",
        "system-topic delete",
        "role assignment delete",
        "role definition delete",
        "policy assignment delete",
        "policy set-definition delete",
        "policy definition delete",
        "group delete",
    )
    first = [next(at for at, call in enumerate(done) if word in call) for word in words]

    assert first == sorted(first)


def test_what_is_somebody_elses_stays(done: list[str]) -> None:
    """A topic that was there before, the role that services hold, vaults, keys, and audit logs unless they are asked for."""
    text = "\n".join(done)

    assert "system-topic delete" in text
    assert not any(
        word in text for word in ("--name subscription-events", "Key User", "keyvault", "diagnostic-settings")
    )


def test_audit_logs_and_the_registration_go_when_asked(tmp_path: Path) -> None:
    """--settings and --client."""
    azurecli.run(WAY_OUT, [*BOTH, "--yes", "--settings", "--client", "c1"], azurecli.install(tmp_path, HELD))
    changed = changes(tmp_path)

    assert f"monitor diagnostic-settings delete --resource {VAULT} --name cmkwarden-audit" in changed
    assert "ad app delete --id c1" in changed


@pytest.mark.parametrize("arguments", [[], ["--group", "rg"], ["--subscription"], [*BOTH, "--force"]])
def test_the_way_out_is_not_guessed(tmp_path: Path, arguments: list[str]) -> None:
    """Without a subscription, or with a word that it does not know, it does nothing."""
    done = azurecli.run(WAY_OUT, arguments, azurecli.install(tmp_path, HELD))

    assert done.returncode != 0
    assert azurecli.calls(tmp_path) == []
    assert "set -euo" not in done.stderr  # the page of usage ends with the comment


@pytest.mark.parametrize(
    ("failing", "stays"),
    [
        ("system-topic list", ["delete"]),
        ("event-subscription list", ["topic delete", "identities"]),
        ("identity list", ["role assignment delete", "group delete"]),
        ("role assignment list --subscription " + TWO, ["role definition delete", "group delete"]),
        ("roleDefinitionName=='cmkwarden Key User'", ["Key User", "group delete"]),
        ("policy assignment list", ["policy definition delete", "group delete"]),
        ("group exists", ["group delete"]),
        ("keyvault list", ["diagnostic-settings delete"]),
        ("diagnostic-settings list", ["diagnostic-settings delete"]),
    ],
)
def test_what_cannot_be_listed_ends_it(tmp_path: Path, failing: str, stays: list[str]) -> None:
    """A list that somebody may not see is no empty one: nothing that comes after it is deleted."""
    done = azurecli.run(WAY_OUT, [*BOTH, "--yes", "--settings"], azurecli.install(tmp_path, HELD, failing))

    assert done.returncode != 0
    assert "AuthorizationFailed" in done.stderr
    assert [call for call in changes(tmp_path) if any(word in call for word in stays)] == []


def test_it_can_be_run_again_where_it_had_stopped(tmp_path: Path) -> None:
    """The app's group is gone already, and with it the identities: what is left is still taken away."""
    left: azurecli.Answers = [("group exists", ["false"]), *HELD[-2:]]
    done = azurecli.run(WAY_OUT, [*BOTH, "--yes", "--settings", "--client", "c1"], azurecli.install(tmp_path, left, "identity list"))  # fmt: skip

    assert done.returncode == 0
    assert not any("group delete" in call for call in changes(tmp_path))
    assert [call.split(" --")[0] for call in changes(tmp_path)][-2:] == ["monitor diagnostic-settings delete", "ad app delete"]  # fmt: skip


ENTRA = ROOT / "infra/entra/app.sh"


def test_a_registration_is_made_and_brought_up_to_date(tmp_path: Path) -> None:
    """Where there is none it is made; one that is named is brought up to date; both print its client id last."""
    known: azurecli.Answers = [("ad app show", ["object-1"])]
    again = azurecli.run(ENTRA, ["update", "c1"], azurecli.install(tmp_path, known))
    updated = azurecli.calls(tmp_path)
    new = azurecli.run(ENTRA, ["create"], azurecli.install(tmp_path, [("ad app create", ["c2"]), *known]))

    assert (again.stdout.split()[-1], new.stdout.split()[-1]) == ("c1", "c2")
    assert not any("ad app create" in call for call in updated)
    assert any("--app-roles @approles.json --identifier-uris api://c1" in call for call in updated)
    bodies = [json.loads(call.split("--body ")[1]) for call in updated if call.startswith("rest")]
    scope = bodies[0]["api"]["oauth2PermissionScopes"][0]["id"]
    assert bodies[0]["api"]["requestedAccessTokenVersion"] == 2
    assert bodies[1]["api"]["preAuthorizedApplications"][0]["delegatedPermissionIds"] == [scope]
    assert any(call.endswith("--set appRoleAssignmentRequired=true") for call in updated)


def test_a_registration_that_somebody_else_may_have_made_is_not_taken(tmp_path: Path) -> None:
    """Anybody may register an application called cmkwarden before us, and would own the door."""
    answers: azurecli.Answers = [("ad app list", ["theirs"])]
    done = azurecli.run(ENTRA, ["create"], azurecli.install(tmp_path, answers))

    assert (done.returncode, done.stdout) == (1, "")
    assert "theirs" in done.stderr
    assert changes(tmp_path) == []
    assert "--query [?displayName=='cmkwarden'].appId" in azurecli.calls(tmp_path)[0]  # Azure CLI lists what begins so


@pytest.mark.parametrize("arguments", [[], ["update"], ["connect", "c1"], ["adopt", "c1"]])
def test_a_registration_is_not_guessed(tmp_path: Path, arguments: list[str]) -> None:
    """Without its words it says how it is used, all of it, and does nothing."""
    done = azurecli.run(ENTRA, arguments, azurecli.install(tmp_path, []))

    assert done.returncode == 2
    assert all(f"app.sh {word}" in done.stderr for word in ("create", "update", "connect"))
    assert azurecli.calls(tmp_path) == []


def test_a_registration_trusts_the_door_and_no_secret(tmp_path: Path) -> None:
    """The identity `door` is its credential; sign-ins come back to front alone."""
    answers: azurecli.Answers = [("account show", ["t1"])]
    done = azurecli.run(ENTRA, ["connect", "c1", "https://front.example", "d1"], azurecli.install(tmp_path, answers))
    made = next(call for call in azurecli.calls(tmp_path) if "federated-credential create" in call)
    credential = json.loads(made.split("--parameters ")[1])

    assert done.returncode == 0
    assert credential == {
        "name": "cmkwarden-door",
        "issuer": "https://login.microsoftonline.com/t1/v2.0",
        "subject": "d1",
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert any("--web-redirect-uris https://front.example/.auth/login/aad/callback" in call for call in azurecli.calls(tmp_path))  # fmt: skip
    assert not any("credential reset" in call for call in azurecli.calls(tmp_path))


def test_a_door_that_was_made_anew_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """The identity has another object id then: a second credential would be refused, and the first would stay trusted."""
    answers: azurecli.Answers = [("account show", ["t1"]), ("federated-credential list", ["f1"])]
    done = azurecli.run(ENTRA, ["connect", "c1", "https://front.example", "d2"], azurecli.install(tmp_path, answers))
    changed = [call for call in changes(tmp_path) if "federated-credential" in call]

    assert done.returncode == 0
    assert len(changed) == 1
    assert "federated-credential update --federated-credential-id f1 --id c1" in changed[0]
    assert json.loads(changed[0].split("--parameters ")[1])["subject"] == "d2"
