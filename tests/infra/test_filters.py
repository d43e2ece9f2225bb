"""The filters of the templates, put to every operation on record by the simulator's Event Grid: they pass what the app can use.

What it can use is what `wake` finds a target for and the reader reads of that target. Neither knows the filters.
"""

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from shared.core.errors import BadInput
from shared.core.wake import Wake, wake
from simulator.arm.subscribers import SUBSCRIPTIONS, VAULTS, subscriber
from tests.infra.judges.cases import Case, expanded
from tests.infra.operations import SUBSCRIPTION, VAULT, event, operations
from tests.reference import REFERENCE, ROOT, needs_reference

# The reader reads it and no event of it is asked for: why.
SILENT = {
    "Microsoft.Authorization/locks": "asked right before a write; it opens and closes no finding",
    "Microsoft.Authorization/denyAssignments": "the same",
    "Microsoft.EventGrid/systemTopics": "the doctor alone reads it: no vault is judged by it",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": "the same",
    "Microsoft.Authorization/roleDefinitions": "lies above all vaults: nobody can tell which of them it concerns",
}
# It is asked for and no record here holds it: where it is known from.
BESIDE = {"Microsoft.Insights/diagnosticSettings/delete": "azure-mgmt-monitor 6.0.2, diagnostic_settings.delete"}
KINDS = [f"Microsoft.Resources.Resource{it}{end}" for it in ("Write", "Delete", "Action") for end in ("Success", "Failure", "Cancel")]  # fmt: skip
Entries = list[dict[str, Any]]


@cache
def _of(template: str, sentence: str) -> str:
    found = [
        {
            "name": resource.body["name"].split("/")[-1],
            "topicType": topic,
            **{key: resource.body["properties"][key] for key in ("eventDeliverySchema", "filter", "retryPolicy")},
        }
        for resource in expanded(Case(template, sentence)).resources
        if resource.kind == "Microsoft.EventGrid/systemTopics/eventSubscriptions"
        for topic in [SUBSCRIPTIONS if template == "subscription.json" else VAULTS]
    ]
    return json.dumps(found)


def entries(template: str, sentence: str) -> Entries:
    """Return the event subscriptions that a template deploys, as the simulator takes them."""
    found: Entries = json.loads(_of(template, sentence))
    return found


def passed(subscribed: Entries, happened: dict[str, Any], topic: str, source: str) -> bool:
    """Tell whether any of the subscriptions lets an event through."""
    return any(subscriber(it).wants(happened, topic, source) for it in subscribed)


def woken(happened: dict[str, Any]) -> Wake | None:
    """Return what the app makes of an event."""
    try:
        return wake(json.dumps(happened))
    except BadInput:
        return None


def usable(operation: str) -> bool:
    """Tell whether a change concerns a target and something that the reader reads of it; policies are part of a vault."""
    reads = {it.lower() for it in json.loads((ROOT / "infra/roles/reader.json").read_text())["Actions"]}
    kind, _, verb = operation.rpartition("/")
    is_read = f"{kind}/read".lower() in reads or kind.lower() == "microsoft.keyvault/vaults/accesspolicies"
    is_silent = kind.lower() in {it.lower() for it in SILENT}
    return verb in {"write", "delete"} and is_read and not is_silent and woken(event(operation)) is not None


def wrong(subscribed: Entries) -> list[str]:
    """Return the operations that the filters pass and the app cannot use, and the other way round."""
    return sorted(
        operation
        for operation in operations() | set(BESIDE)
        if passed(subscribed, event(operation), SUBSCRIPTIONS, SUBSCRIPTION) != usable(operation)
    )


@needs_reference
@pytest.mark.parametrize("sentence", ["written to", "private, on a topic that is there"])
def test_of_all_recorded_operations_those_pass_that_the_app_can_use(sentence: str) -> None:
    """Neither one too many, which would cost a run each, nor one too few, which only the night would find."""
    subscribed = entries("subscription.json", sentence)

    assert len(operations()) > 1500
    assert wrong(subscribed) == []


@needs_reference
def test_every_operation_in_a_filter_is_on_record() -> None:
    """A misspelt operation would never come: each is recorded, or named here with its source."""
    filters = [it["filter"]["advancedFilters"] for it in entries("subscription.json", "written to")]
    named = [value for filters_ in filters for one in filters_ for value in one["values"]]

    assert named
    known = {it.lower() for it in operations() | set(BESIDE)}
    assert [it for it in named if it.lower() not in known] == []


def _less(subscribed: Entries) -> None:
    subscribed[0]["filter"]["advancedFilters"][0]["values"].pop()


def _more(subscribed: Entries) -> None:
    subscribed[1]["filter"]["advancedFilters"][0]["values"].append("Microsoft.Authorization/locks/write")


def _misspelt(subscribed: Entries) -> None:
    values = subscribed[1]["filter"]["advancedFilters"][0]["values"]
    values[values.index("Microsoft.KeyVault/vaults/write")] = "Microsoft.KeyVault/vault/write"


def _open(subscribed: Entries) -> None:
    del subscribed[1]["filter"]["advancedFilters"]


@needs_reference
@pytest.mark.parametrize("fault", [_less, _more, _misspelt, _open])
def test_a_filter_that_is_wrong_is_found(fault: Callable[[Entries], None]) -> None:
    """Each planted fault shows, so that the comparison can fail."""
    subscribed = copy.deepcopy(entries("subscription.json", "written to"))
    fault(subscribed)

    assert wrong(subscribed)


def test_no_filter_has_more_values_than_event_grid_takes() -> None:
    """25 filters and 25 values in them, for one subscription (AZURE 5.1, UNVERIFIED); one more, and no event subscription is made."""
    subscribed = json.loads((ROOT / "infra/event_subscriptions.json").read_text())
    filters = {it["name"]: it["filter"].get("advancedFilters", []) for it in subscribed}

    assert len(filters) == 3
    assert all(len(some) <= 25 and sum(len(one["values"]) for one in some) <= 25 for some in filters.values())


def test_only_what_has_succeeded_passes() -> None:
    """Of one operation the two successes pass; failures, cancellations and actions change nothing that is read."""
    subscribed = entries("subscription.json", "written to")
    let_through = {
        kind
        for kind in KINDS
        if passed(subscribed, event("Microsoft.KeyVault/vaults/write", kind), SUBSCRIPTIONS, SUBSCRIPTION)
    }

    assert let_through == {"Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"}


@needs_reference
def test_of_a_vaults_own_events_those_of_keys_and_access_pass() -> None:
    """All that Key Vault tells of, by the official documents: secrets and certificates are nobody's customer-managed key."""
    folders = [REFERENCE / "openapi/azure-rest-api-specs/specification/eventgrid", REFERENCE / "eventgrid"]
    texts = [path.read_text(errors="replace") for folder in folders for path in sorted(folder.rglob("*.json"))]
    kinds = {kind for text in texts for kind in re.findall(r"Microsoft\.KeyVault\.[A-Z]\w+", text)}
    subscribed = entries("vault.json", "second phase")
    told = {
        kind: {"id": "e1", "topic": VAULT, "subject": "key-one", "eventType": kind, "data": {"ObjectName": "key-one"}}
        for kind in kinds
    }
    useful = {
        kind
        for kind, happened in told.items()
        if (found := woken(happened)) and (found.key or kind.endswith("VaultAccessPolicyChanged"))
    }

    assert len(kinds) >= 10
    assert {kind for kind, happened in told.items() if passed(subscribed, happened, VAULTS, VAULT)} == useful
