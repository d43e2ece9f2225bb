"""What the code needs and what the templates deploy are the same, in both directions; and the comparison can fail."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.assemble import names
from infra.assemble.settings import AZURES, LEFT
from remediators import REMEDIATORS
from shared import settings
from shared.flow import messages
from shared.web.auth import READER, ROLES
from tests.infra.judges.cases import Case, expanded
from tests.infra.loop import FIRST_DAY, STORAGE, Coded, Deployed, coded, deployed, differences
from tests.reference import ROOT

CONTROLS = tuple(it.control.id for it in REMEDIATORS)
# What Flex Consumption refuses or ignores (Azure Functions: Flex Consumption plan deprecations).
NOT_ON_FLEX = {
    "ENABLE_ORYX_BUILD", "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_TIME_ZONE",
}  # fmt: skip


def test_code_and_templates_say_the_same() -> None:
    """Settings, functions, queues, tables, parts and roles: none is on one side alone."""
    assert differences(coded(), deployed()) == []


def _event_for_hand(code: Coded, azure: Deployed) -> None:
    code.events.add("apply")
    azure.events.add("apply")


FAULTS: dict[str, tuple[Callable[[Coded, Deployed], Any], str]] = {
    "a setting that only the code has": (lambda code, _: code.settings.add("CMK_NEW"), "setting CMK_NEW"),
    "a setting that only the template has": (lambda _, azure: azure.settings["front"].update(CMK_OLD=""), "setting CMK_OLD"),
    "a setting that the code lost and the list of defaults did not": (lambda code, _: code.settings.discard("CMK_GAP"), "CMK_GAP"),
    "a setting that both parts lack": (lambda _, azure: [it.pop("CMK_TENANT_ID") for it in azure.settings.values()], "CMK_TENANT_ID"),
    "a setting that is left and set": (lambda _, azure: azure.settings["hand"].update(CMK_GAP="1"), "setting CMK_GAP"),
    "a schedule that front lacks": (lambda _, azure: azure.settings["front"].pop("CMK_SWEEP_SCHEDULE"), "the host of front"),
    "an event function that nobody calls": (lambda code, _: code.events.add("on_new"), "on_new"),
    "an event for a function that is not there": (lambda _, azure: azure.events.add("on_old"), "on_old"),
    "an event for hand": (_event_for_hand, "none of front"),
    "a queue that only the code has": (lambda code, _: code.queues.add("new"), "queue new"),
    "a queue without its poison": (lambda _, azure: azure.queues.discard("apply-poison"), "queue apply-poison"),
    "a queue that only the template has": (lambda _, azure: azure.queues.add("old"), "queue old"),
    "a table that only the code has": (lambda code, _: code.tables.add("new"), "table new"),
    "a table that only the template has": (lambda _, azure: azure.tables.add("old"), "table old"),
    "a part that is not deployed": (lambda _, azure: azure.settings.pop("hand"), "part hand"),
    "a role that is not deployed": (lambda _, azure: azure.roles.pop("cmkwarden Grants"), "role cmkwarden Grants"),
    "an action that only the file has": (lambda code, _: code.roles["cmkwarden Reader"]["Actions"].append("A/b/read"), "A/b/read"),
    "an action that only the template has": (lambda _, azure: azure.roles["cmkwarden Writer"]["Actions"].append("A/b/write"), "A/b/write"),
    "an action that the template lost": (lambda _, azure: azure.roles["cmkwarden Reader"]["Actions"].pop(), "cmkwarden Reader"),
    "a data action that the template lost": (lambda _, azure: azure.roles["cmkwarden Key User"]["DataActions"].pop(), "Key User"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_in_one_place_only_is_found(fault: str) -> None:
    """Each planted fault shows, by its name."""
    plant, word = FAULTS[fault]
    code, azure = coded(), Deployed(**json.loads(json.dumps(vars(deployed()), default=sorted)))
    azure.queues, azure.tables, azure.events = set(azure.queues), set(azure.tables), set(azure.events)
    before = differences(code, azure)

    plant(code, azure)

    assert any(word in line for line in differences(code, azure) if line not in before)


@pytest.mark.parametrize("sentence", ["as small as it gets", "everything", "private"])
def test_the_app_starts_with_what_the_template_sets(sentence: str) -> None:
    """Both parts read their settings without a complaint, and front and hand meet at the same queues and tables."""
    given = [it.body["properties"] for it in expanded(Case("app.json", sentence)).resources if "/appsettings" in it.id]
    found = {it["CMK_PART"]: settings.read(it, CONTROLS) for it in given}

    assert set(found) == {"front", "hand"}
    assert (found["front"].queue_url, found["front"].table_url) == (found["hand"].queue_url, found["hand"].table_url)
    assert found["front"].dead_letters.endswith(f"/{names.DEAD_LETTERS}")
    assert all(not NOT_ON_FLEX & set(it) for it in given)
    if sentence == "everything":
        assert found["front"].choices.two_approvers, "the parameter `settings` sets what the template does not"
    assert found["front"].shared == found["hand"].shared  # what the doctor compares


def test_every_setting_that_is_left_has_a_reason() -> None:
    """No name stands twice, and each group and each of Azure's own names says why."""
    left = [name for group in LEFT.values() for name in group]

    assert len(left) == len(set(left))
    assert all(len(reason) > 10 for reason in (*LEFT, *AZURES.values()))
    assert not set(AZURES) & {it.name for it in settings.SETTINGS}


def test_the_code_sends_to_queues_that_are_there() -> None:
    """What the flow sends to and what the private mode delivers to are queues of the template."""
    sent = {messages.EVALUATE, messages.APPLY, messages.NOTIFY, messages.SURVEY}
    bodies = [it.body["properties"] for it in expanded(PRIVATE).resources if it.kind.endswith("/eventSubscriptions")]
    targets = {it["deliveryWithResourceIdentity"]["destination"]["properties"]["queueName"] for it in bodies}

    assert sent <= deployed().queues
    assert targets == {"wake"}
    assert "wake" in coded().queues


PRIVATE = Case("subscription.json", "private, on a topic that is there")


def test_containers_are_those_that_are_named() -> None:
    """Dead letters go where the app reads them; each app's package lies in the container that the app is told."""
    containers = {
        "/".join(it.body["name"].split("/")[::2])
        for it in expanded(FIRST_DAY).resources
        if it.kind == f"{STORAGE}/blobServices/containers"
    }
    sites = [it.body["properties"] for it in expanded(FIRST_DAY).resources if it.kind == "Microsoft.Web/sites"]
    packages = {it["functionAppConfig"]["deployment"]["storage"]["value"] for it in sites}
    entries = json.loads((ROOT / "infra/event_subscriptions.json").read_text())

    assert {_place(it) for it in packages} | {_place(settings_["CMK_DEAD_LETTERS"]) for settings_ in [deployed().settings["front"]]} == containers  # fmt: skip
    assert {it["deadLetterContainer"] for it in entries} == {names.DEAD_LETTERS}


def _place(url: str) -> str:
    """https://account.blob.core.windows.net/container -> account/container."""
    _, _, host, container = url.split("/")
    return f"{host.split('.')[0]}/{container}"


def test_the_host_is_set_as_the_code_expects() -> None:
    """Messages are base64 on both sides; a claim outlives the longest run; webhooks lie where the sign-in lets them through."""
    host = json.loads((ROOT / "host.json").read_text())
    hours, minutes, seconds = (int(it) for it in host["functionTimeout"].split(":"))
    claim = next(it.default for it in settings.SETTINGS if it.name == "CMK_CLAIM")
    auth = next(it.body["properties"] for it in expanded(IN_USE).resources if "/authsettingsV2" in it.id)

    assert host["extensions"]["queues"]["messageEncoding"] == "base64"
    assert "TextBase64EncodePolicy" in (ROOT / "shared/adapters/queues.py").read_text()
    assert int(claim) > hours * 3600 + minutes * 60 + seconds
    assert host["extensions"]["http"]["routePrefix"] == ""
    assert auth["globalValidation"]["excludedPaths"] == ["/runtime/webhooks/*"]
    assert auth["login"]["tokenStore"]["enabled"]


IN_USE = Case("app.json", "everything")


def test_the_roles_of_the_sign_in_are_those_that_the_door_knows() -> None:
    """Each role once, with a name of its own; only to read may be an application's."""
    roles = json.loads((ROOT / "infra/entra/approles.json").read_text())

    assert {it["value"] for it in roles} == ROLES
    assert len({it["id"] for it in roles}) == len(roles) == len(ROLES)
    assert {it["value"] for it in roles if "Application" in it["allowedMemberTypes"]} == {READER}
