"""A system topic, its right to deliver, and the event subscriptions of infra/event_subscriptions.json on it.

The topic has an identity of its own: behind a storage firewall Event Grid is let in as that, and as no other
(Storage queue as an event handler, Event Grid documentation). Subscriptions come second: a function must be there first.
"""

import json
from pathlib import Path

from infra.assemble import names
from infra.assemble.arm import Json, guarded, identify, parameter, resource, template
from infra.assemble.nest import KIND, nested, offered

FILE = Path(__file__).parent.parent / "event_subscriptions.json"
TOPIC = "Microsoft.EventGrid/systemTopics"
SUBSCRIPTIONS, VAULTS = "Microsoft.Resources.Subscriptions", "Microsoft.KeyVault.vaults"
_STORAGE = "Microsoft.Storage/storageAccounts"
_RETRY = {"eventTimeToLiveInMinutes": 1440, "maxDeliveryAttempts": 30}  # Azure's most: a night's outage loses nothing
# Azure's own roles (AZURE 3.1).
_SENDER, _CONTRIBUTOR = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"

PARAMETERS: Json = {
    "topicName": parameter("string", "Name of the system topic. A subscription or vault has one at most.", default="cmkwarden-events"),
    "topicExists": parameter("bool", "True: the topic is there already and has a system-assigned identity; it is used and left as it is.", default=False),
    "tags": parameter("object", "Tags of the topic.", default={}),
    "stateId": parameter("string", "Id of the app's storage account: output stateId of app.json."),
    "frontId": parameter("string", "Id of the app front: output frontId of app.json."),
    "isPrivate": parameter("bool", "True: events go to the queue wake, since nobody reaches the app from outside.", default=False),
    "subscribe": parameter("bool", "True: make the event subscriptions. Second phase: the code must be deployed first.", default=False),
}  # fmt: skip


def entries(topic: str) -> list[Json]:
    """Return the subscriptions that belong to a kind of topic."""
    found: list[Json] = json.loads(FILE.read_text())
    return [it for it in found if it["topicType"] == topic]


def events(topic: str, source: str, location: str, more: Json) -> Json:
    """Return the template for a resource group: `source` and `location` are expressions, `more` parameters they need."""
    parameters = {**more, **PARAMETERS}
    variables: Json = {
        "toQueue": {
            "identity": {"type": "SystemAssigned"},
            "destination": {
                "endpointType": "StorageQueue",
                "properties": {"resourceId": "[parameters('stateId')]", "queueName": names.QUEUES[0]},
            },
        },
        **{it["function"]: _to_function(it["function"]) for it in entries(topic)},
    }
    resources = [
        resource(
            TOPIC,
            "[parameters('topicName')]",
            **guarded("not(parameters('topicExists'))", {}),
            location=location,
            tags="[parameters('tags')]",
            identity={"type": "SystemAssigned"},
            properties={"source": source, "topicType": topic},
        ),
        nested(
            f"[{_DELIVERY}]",
            _delivery(),
            {
                **offered(_delivery()),
                "principalId": f"reference({_TOPIC_ID}, '2025-02-15', 'Full').identity.principalId",
            },
            subscriptionId="[split(parameters('stateId'), '/')[2]]",
            resourceGroup="[split(parameters('stateId'), '/')[4]]",
            dependsOn=[f"[{_TOPIC_ID}]"],
        ),
        *(_subscription(it) for it in entries(topic)),
    ]
    return template("group", parameters, variables, resources, {})


# Its name is the app's resource group's: topics of several subscriptions are deployed at the same time.
_DELIVERY = "format('cmkwarden-delivery-{0}', uniqueString(resourceGroup().id, parameters('topicName')))"
_TOPIC_ID = identify(TOPIC, "parameters('topicName')")


def _to_function(function: str) -> Json:
    return {
        "endpointType": "AzureFunction",
        "properties": {
            "resourceId": f"[format('{{0}}/functions/{function}', parameters('frontId'))]",
            "maxEventsPerBatch": 1,
            "preferredBatchSizeInKilobytes": 64,
        },
    }


def _subscription(entry: Json) -> Json:
    place = "split(parameters('stateId'), '/')"
    granted = (
        f"extensionResourceId(format('/subscriptions/{{0}}/resourceGroups/{{1}}', {place}[2], {place}[4]), "
        f"'{KIND}', {_DELIVERY})"
    )
    dead = {
        "endpointType": "StorageBlob",
        "properties": {"resourceId": "[parameters('stateId')]", "blobContainerName": entry["deadLetterContainer"]},
    }
    return resource(
        f"{TOPIC}/eventSubscriptions",
        f"[format('{{0}}/{entry['name']}', parameters('topicName'))]",
        **guarded("parameters('subscribe')", {}),
        dependsOn=[f"[{_TOPIC_ID}]", f"[{granted}]"],
        properties={
            "destination": f"[if(parameters('isPrivate'), null(), variables('{entry['function']}'))]",
            "deliveryWithResourceIdentity": "[if(parameters('isPrivate'), variables('toQueue'), null())]",
            "eventDeliverySchema": entry["eventDeliverySchema"],
            "filter": entry["filter"],
            "retryPolicy": _RETRY,
            "deadLetterWithResourceIdentity": {
                "identity": {"type": "SystemAssigned"},
                "deadLetterDestination": dead,
            },
        },
    )


def _delivery() -> Json:
    """Return the template, for the app's resource group, that lets a topic write where its events end up."""
    parameters = {
        "stateId": parameter("string", "Id of the app's storage account."),
        "principalId": parameter("string", "Object id of the topic."),
        "isPrivate": parameter("bool", "True: it also sends to the queue wake."),
    }
    account = "last(split(parameters('stateId'), '/'))"
    letters = identify(f"{_STORAGE}/blobServices/containers", account, "'default'", f"'{names.DEAD_LETTERS}'")
    wake = identify(f"{_STORAGE}/queueServices/queues", account, "'default'", f"'{names.QUEUES[0]}'")
    return template(
        "group",
        parameters,
        {},
        [
            _may(letters, _CONTRIBUTOR, "Event Grid writes what it could not deliver"),
            {**_may(wake, _SENDER, "Event Grid delivers here"), "condition": "[parameters('isPrivate')]"},
        ],
        {},
    )


def _may(place: str, role: str, why: str) -> Json:
    return resource(
        "Microsoft.Authorization/roleAssignments",
        f"[guid({place}, parameters('principalId'), '{role}')]",
        scope=f"[{place}]",
        properties={
            "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')]",
            "principalId": "[parameters('principalId')]",
            "principalType": "ServicePrincipal",
            "description": why,
        },
    )
