"""The walls of the deployment: who holds which identity, what it may do, and which doors are shut."""

import json
from typing import Any

import pytest

from infra.assemble.grants import ROLES
from tests.infra.judges.cases import Case, assembled, expanded, values
from tests.infra.judges.expand import expand
from tests.infra.loop import STORAGE
from tests.reference import ROOT

IN_USE, PRIVATE = Case("app.json", "everything"), Case("app.json", "private")
WRITTEN = Case("subscription.json", "written to")
DATABRICKS = "db0c0002-58f1-4a6b-b0c4-1f7d2e9a0302"


def bodies(case: Case, kind: str) -> list[dict[str, Any]]:
    """Return what a template deploys of a kind."""
    return [it.body for it in expanded(case).resources if it.kind == kind]


def site(case: Case, part: str) -> dict[str, Any]:
    """Return one of the two apps."""
    return next(it for it in bodies(case, "Microsoft.Web/sites") if it["tags"]["azd-service-name"] == part)


def test_front_holds_neither_the_writer_nor_anything_of_hand() -> None:
    """Code in an app can ask for each identity of the app: front has none that writes to Azure or to hand's package."""
    held = {part: {it.split("/")[-1].removeprefix("cmkwarden-") for it in site(IN_USE, part)["identity"]["userAssignedIdentities"]} for part in ("front", "hand")}  # fmt: skip

    assert held == {"front": {"reader", "front", "door"}, "hand": {"reader", "writer", "hand"}}


def test_nobody_but_hand_can_write_the_package_of_hand() -> None:
    """Hand's package and keys lie in an account of its own, and one identity has a role on it: hand's."""
    package = site(IN_USE, "hand")["properties"]["functionAppConfig"]["deployment"]["storage"]
    account = package["value"].split("/")[2].split(".")[0]
    (handed,) = [it["properties"]["parameters"] for it in bodies(IN_USE, "Microsoft.Resources/deployments")]
    holders = {
        it.raw["properties"]["principalId"]
        for it in expanded(IN_USE).resources
        if it.kind == "Microsoft.Authorization/roleAssignments" and it.body["scope"].lower().endswith(f"/storageaccounts/{account}".lower())
    }  # fmt: skip

    assert holders == {"[parameters('handPrincipalId')]"}
    assert handed["handPrincipalId"]["value"].target.endswith("/cmkwarden-hand")
    assert account not in site(IN_USE, "front")["properties"]["functionAppConfig"]["deployment"]["storage"]["value"]
    assert package["authentication"]["userAssignedIdentityResourceId"].endswith("cmkwarden-hand")


@pytest.mark.parametrize("case", [IN_USE, WRITTEN, Case("linked.json", "a log workspace")], ids=str)
def test_an_identity_that_was_made_anew_gets_assignments_of_its_own(case: Case) -> None:
    """Azure moves no assignment to another principal: one whose name is not made of it could never be made again."""
    given = [it.raw for it in expanded(case).resources if it.kind == "Microsoft.Authorization/roleAssignments"]

    assert given
    assert [it for it in given if it["properties"]["principalId"].strip("[]") not in it["name"]] == []


def test_roles_of_azure_are_four_narrow_ones() -> None:
    """No owner, no contributor, nothing that manages: data roles, and one to send metrics."""
    given = {it["properties"]["roleDefinitionId"].split("/")[-1] for it in bodies(IN_USE, "Microsoft.Authorization/roleAssignments")}  # fmt: skip

    assert given == set(ROLES.values())


def test_no_custom_role_has_a_wildcard() -> None:
    """Every action is spelt out."""
    permissions = [it["properties"]["permissions"][0] for it in bodies(Case("roles.json", "two more"), "Microsoft.Authorization/roleDefinitions")]  # fmt: skip

    assert permissions
    assert not any("*" in action for it in permissions for actions in it.values() for action in actions)


def test_the_writer_writes_only_where_somebody_said_so() -> None:
    """On the first day there is one assignment: the reader's."""
    first = bodies(Case("subscription.json", "only looked at"), "Microsoft.Authorization/roleAssignments")
    later = bodies(WRITTEN, "Microsoft.Authorization/roleAssignments")

    assert [it["properties"]["principalId"] for it in first if "scope" not in it] == ["4ead0001-58f1-4a6b-b0c4-1f7d2e9a0101"]  # fmt: skip
    assert len([it for it in later if "scope" not in it]) == 3


def test_roles_are_given_and_taken_under_the_condition_alone() -> None:
    """The assignment of the grants carries the text of infra/roles, whole, with AzureDatabricks in it."""
    conditioned = [it["properties"] for it in bodies(WRITTEN, "Microsoft.Authorization/roleAssignments") if "condition" in it["properties"]]  # fmt: skip
    grants = next(it for it in bodies(Case("roles.json", "one subscription"), "Microsoft.Authorization/roleDefinitions") if it["properties"]["roleName"] == "cmkwarden Grants")  # fmt: skip
    text = (ROOT / "infra/roles/grants.condition").read_text()

    assert [it["condition"] for it in conditioned] == [text.replace("{azure_databricks}", DATABRICKS)]
    assert conditioned[0]["conditionVersion"] == "2.0"
    assert conditioned[0]["roleDefinitionId"].endswith(grants["name"])
    assert "{" + DATABRICKS + "}" in conditioned[0]["condition"]


@pytest.mark.parametrize(
    "principal",
    ["", "AzureDatabricks", DATABRICKS[:-1], f"{DATABRICKS}, {DATABRICKS}", "a} OR ActionMatches{'*'".ljust(36, "/")],
)
def test_no_right_is_given_under_a_condition_that_could_say_something_else(principal: str) -> None:
    """What stands for AzureDatabricks becomes part of the condition: 36 characters suffice to let the writer give any role."""
    wanted = values("subscription.json")["written to"] | {"databricksPrincipalId": principal}
    found = expand(assembled("subscription.json"), wanted).resources
    roles = [it.body["properties"] for it in found if it.kind == "Microsoft.Authorization/roleAssignments" and "scope" not in it.body]  # fmt: skip

    assert len(roles) == 2
    assert not any("condition" in it for it in roles)


@pytest.mark.parametrize("given", ["endpointSubnetId", "integrationSubnetId"])
def test_half_of_the_private_mode_is_not_public(given: str) -> None:
    """Whoever names one subnet means the private mode: nothing is open to the internet, in app.json and in main.json."""
    subnet = values("app.json")["private"][given]
    app = [*expand(assembled("app.json"), values("app.json")["everything"] | {given: subnet}).resources]
    whole = [*expand(assembled("main.json"), values("main.json")["an estate"] | {given: subnet}).resources]

    for found in (app, whole):
        sites = [it.body["properties"]["publicNetworkAccess"] for it in found if it.kind == "Microsoft.Web/sites"]
        accounts = [it.body["properties"]["networkAcls"]["defaultAction"] for it in found if it.kind == STORAGE]
        assert (sites, accounts) == (["Disabled"] * 2, ["Deny"] * 2)
    events = [it.body["properties"] for it in whole if it.kind == "Microsoft.EventGrid/systemTopics/eventSubscriptions"]
    assert events
    assert not any(it["destination"] for it in events)


def test_the_key_user_keeps_its_id() -> None:
    """The condition and the code name that role by its id."""
    role = json.loads((ROOT / "infra/roles/key_user.json").read_text())
    named = {it["name"]: it["properties"]["roleName"] for it in bodies(Case("roles.json", "one subscription"), "Microsoft.Authorization/roleDefinitions")}  # fmt: skip

    assert named[role["Id"]] == role["Name"]


@pytest.mark.parametrize("case", [IN_USE, PRIVATE], ids=str)
def test_the_doors_of_both_apps(case: Case) -> None:
    """HTTPS and TLS 1.2 alone, no FTP, no publishing password, no debugging; hand's own address is shut."""
    for part in ("front", "hand"):
        properties = site(case, part)["properties"]
        config = properties["siteConfig"]
        assert properties["httpsOnly"]
        assert (config["minTlsVersion"], config["scmMinTlsVersion"], config["ftpsState"]) == ("1.2", "1.2", "Disabled")
        assert not config["remoteDebuggingEnabled"]
        assert config["ipSecurityRestrictionsDefaultAction"] == ("Deny" if part == "hand" else "Allow")
        assert properties["publicNetworkAccess"] == ("Disabled" if case is PRIVATE else "Enabled")
    policies = bodies(case, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert [it["properties"]["allow"] for it in policies] == [False] * 4


@pytest.mark.parametrize("case", [IN_USE, PRIVATE], ids=str)
def test_storage_has_no_keys_and_no_public_blobs(case: Case) -> None:
    """Both accounts, in both modes; in the private one the firewall is shut, and Event Grid alone is trusted."""
    accounts = {it["name"][9]: it["properties"] for it in bodies(case, STORAGE)}

    for it in accounts.values():
        assert not any(it[key] for key in ("allowSharedKeyAccess", "allowBlobPublicAccess", "isLocalUserEnabled"))
        assert (it["minimumTlsVersion"], it["supportsHttpsTrafficOnly"]) == ("TLS1_2", True)
        assert it["networkAcls"]["defaultAction"] == ("Deny" if case is PRIVATE else "Allow")
    assert {which: it["networkAcls"]["bypass"] for which, it in accounts.items()} == {"s": "AzureServices", "h": "None"}


def test_dead_letters_live_for_a_week() -> None:
    """They hold names of people: a rule deletes them after seven days, and nothing keeps what is deleted."""
    rules = [it["properties"]["policy"]["rules"] for it in bodies(IN_USE, f"{STORAGE}/managementPolicies")]
    kept = [it["properties"]["deleteRetentionPolicy"]["enabled"] for it in bodies(IN_USE, f"{STORAGE}/blobServices")]

    assert [(rule["enabled"], rule["definition"]) for rule in rules[0]] == [
        (
            True,
            {
                "filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["dead-letters/"]},
                "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 7}}},
            },
        )
    ]
    assert kept == [False, False]


@pytest.mark.parametrize(
    ("sentence", "how"), [("written to", "destination"), ("private, on a topic that is there", "deliveryWithResourceIdentity")]
)  # fmt: skip
def test_events_and_dead_letters_go_by_the_topics_own_identity(sentence: str, how: str) -> None:
    """A storage account without keys takes nothing else; in the private mode events go to the queue, and no function is called."""
    found = [it["properties"] for it in bodies(Case("subscription.json", sentence), "Microsoft.EventGrid/systemTopics/eventSubscriptions")]  # fmt: skip

    assert len(found) == 2
    for it in found:
        assert [key for key in ("destination", "deliveryWithResourceIdentity") if it.get(key)] == [how]
        assert it["deadLetterWithResourceIdentity"]["identity"] == {"type": "SystemAssigned"}
        assert "deadLetterDestination" not in it
