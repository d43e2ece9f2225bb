"""infra/arm/app.json: everything that lies in the app's own resource group."""

from infra.assemble import budget, grants, identities, logs, names, network, settings, signin, sites, storage
from infra.assemble.arm import Json, identify, output, parameter, template

PARAMETERS: Json = {
    "name": parameter("string", "What the names of all parts begin with: letters, digits and hyphens.", default="cmkwarden"),
    "location": parameter("string", "The region of all parts.", default="[resourceGroup().location]"),
    "tags": parameter("object", "Tags of all parts.", default={}),
    "subscriptions": parameter("array", "Ids of the subscriptions that are looked after (CMK_SUBSCRIPTIONS). Empty: every one that the reader may read.", default=[]),
    "mode": parameter("string", "How far it may go by itself (CMK_MODE). Begin with observe.", default="observe", allowed=["observe", "approve", "auto"]),
    "autoScope": parameter("array", "Where anything may happen by itself (CMK_AUTO_SCOPE): ids of subscriptions, groups or resources. Empty: nowhere.", default=[]),
    "databricksPrincipalId": parameter("string", "Object id of AzureDatabricks in this tenant (CMK_DATABRICKS_PRINCIPAL_ID). Empty: what it uses cannot be judged.", default=""),
    "vaultLogWorkspaceId": parameter("string", "Id of the Log Analytics workspace for the audit logs of vaults (CMK_LOG_WORKSPACE). Empty: none is sent.", default=""),
    "clientId": parameter("string", "Client id of the app registration that people sign in to (infra/entra/app.sh). Empty: nobody can sign in.", default=""),
    "sweepSchedule": parameter("string", "When the nightly sweep runs (CMK_SWEEP_SCHEDULE): six fields, seconds first, UTC.", default="0 0 2 * * *"),
    "figuresSchedule": parameter("string", "When the figures of the day are made (CMK_FIGURES_SCHEDULE).", default="0 30 4 * * *"),
    "settings": parameter("object", "Any other setting of docs/settings.md, by its name. What this template sets itself it sets over them.", default={}),
    "storageSku": parameter("string", "How the state is copied.", default="Standard_ZRS", allowed=["Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_GZRS", "Standard_RAGRS", "Standard_RAGZRS"]),
    "instanceMemory": parameter("int", "Memory of one instance, in MB.", default=2048, allowed=[512, 2048, 4096]),
    "maximumInstances": parameter("int", "How many instances an app may grow to.", default=40),
    "retentionDays": parameter("int", "Days that logs are kept.", default=90),
    "budgetAmount": parameter("int", "Monthly budget of the resource group, in the currency of the bill. 0: none.", default=0),
    "budgetStart": parameter("string", "First day of the budget; the first of a month.", default="[utcNow('yyyy-MM-01')]"),
    "mails": parameter("array", "Addresses that are written to: of costs, and of alerts.", default=[]),
    "endpointSubnetId": parameter("string", "Private mode: id of the subnet for private endpoints. Both subnets, or neither.", default=""),
    "integrationSubnetId": parameter("string", "Private mode: id of the subnet that the apps call out from, delegated to Microsoft.App/environments.", default=""),
    "dnsZoneIds": parameter("object", "Private mode: ids of the private DNS zones of blob, queue, table and sites. Empty ones: a policy of yours makes the entries.", default={"blob": "", "queue": "", "table": "", "sites": ""}),
}  # fmt: skip


def app() -> Json:
    """Return the template."""
    variables: Json = {
        **names.VARIABLES,
        "audiences": "[if(empty(parameters('clientId')), createArray(), createArray(format('api://{0}', parameters('clientId')), parameters('clientId')))]",
        "frontSettings": settings.written_for("front"),
        "handSettings": settings.written_for("hand"),
    }
    parts = (identities, storage, logs, grants, sites, signin, network, budget)
    resources = [it for part in parts for it in part.resources()]
    return template("group", PARAMETERS, variables, resources, _outputs())


def _outputs() -> Json:
    site = "Microsoft.Web/sites"
    return {
        "frontName": output(names.FRONT),
        "handName": output(names.HAND),
        "frontUrl": output(f"format('https://{{0}}', reference({identify(site, names.FRONT)}, '2024-11-01').defaultHostName)"),
        "frontId": output(identify(site, names.FRONT)),
        "stateId": output(identify(storage.KIND, names.STATE)),
        "workspaceId": output(logs.WORKSPACE_ID),
        "componentId": output(logs.COMPONENT_ID),
        "readerPrincipalId": output(identities.principal("reader")),
        "writerPrincipalId": output(identities.principal("writer")),
        "doorPrincipalId": output(identities.principal("door")),
    }  # fmt: skip
