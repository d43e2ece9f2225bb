"""The app settings of both apps: which come from the deployment, which are left at the app's default, and why."""

from infra.assemble import names
from infra.assemble.arm import Json
from infra.assemble.identities import client
from infra.assemble.logs import COMPONENT_ID
from infra.assemble.storage import endpoint

# What the code reads and the template does not set, each group with its reason. The parameter `settings` sets any of them.
LEFT = {
    "who must do what, and by which tags it is known: the estate's own words": (
        "CMK_VAULT_SCOPE", "CMK_VAULT_TAG", "CMK_ENVIRONMENT_TAG", "CMK_TENANT_TAG", "CMK_OWNER_TAG", "CMK_COST_CENTER_TAG",
        "CMK_SENSITIVITY_TAG", "CMK_SENSITIVE", "CMK_OWNER_VALUES", "CMK_COST_CENTER_VALUES", "CMK_SENSITIVITY_VALUES",
        "CMK_ENVIRONMENT_VALUES", "CMK_KEY_ENVIRONMENTS", "CMK_ALL_WORKSPACES", "CMK_LAYERS", "CMK_PRODUCTION",
        "CMK_SANDBOXES", "CMK_GOALS",
    ),
    "how plans are made: nothing to choose on the first day": (
        "CMK_IDENTITIES", "CMK_NARROW_ROLE", "CMK_GRANT_SCOPE", "CMK_GRACE", "CMK_NOTICE", "CMK_KEY_VAULTS",
        "CMK_KEY_VAULT_TAG", "CMK_KEY_PER_LAYER", "CMK_KEY_SIZE", "CMK_KEY_REQUESTS", "CMK_KEY_EXPIRY", "CMK_KEY_AGE", "CMK_KEY_GRACE",
        "CMK_TWO_APPROVERS", "CMK_ASK", "CMK_REMIND", "CMK_LOOK_AGAIN",
    ),
    "what keys cost: the prices of your contract, which no template knows": ("CMK_PRICES",),
    "brakes: pulled by hand, in a hurry, and not by a deployment": (
        "CMK_KILL_SWITCH", "CMK_FREEZE", "CMK_PAUSED", "CMK_WRITES_PER_HOUR", "CMK_SHARE",
    ),
    "times and limits that are right for Azure as it is": (
        "CMK_RETRY_DELAY", "CMK_GAP", "CMK_CLAIM", "CMK_RBAC_SETTLE", "CMK_POLL", "CMK_PATIENCE", "CMK_WORKSPACE_API",
        "CMK_API_REQUESTS", "CMK_API_WRITES", "CMK_API_FAILED_SIGN_INS",
    ),
    "the addresses of public Azure, which is where this is meant to run": ("CMK_ARM_URL", "CMK_AUTHORITY_URL"),
    "needs a package of its own (requirements-telemetry.txt)": ("CMK_TELEMETRY",),
    "the two addresses of the account stand in its place": ("AzureWebJobsStorage__accountName",),
    "set by Azure itself in every app": ("WEBSITE_SITE_NAME", "WEBSITE_AUTH_ENABLED"),
}  # fmt: skip
# Azure's own names, which no code of ours reads: the host, the exporter or the sign-in does.
AZURES = {
    "AzureWebJobsStorage__blobServiceUri": "where the host keeps its locks and keys",
    "AzureWebJobsStorage__credential": "the host signs in as an identity, with no key",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "where the host sends logs",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "as which identity it sends them",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID": "the identity that stands in for the secret of the sign-in",
}
_FOR_FRONT_ALONE = ("CMK_API_AUDIENCE", "CMK_DEAD_LETTERS")


def written() -> Json:
    """Return what is known before anything is deployed, for both apps, as variables of the template hold it."""
    return {
        "CMK_MODE": "[parameters('mode')]",
        "CMK_AUTO_SCOPE": "[join(parameters('autoScope'), ',')]",
        "CMK_SUBSCRIPTIONS": "[join(parameters('subscriptions'), ',')]",
        "CMK_SWEEP_SCHEDULE": "[parameters('sweepSchedule')]",
        "CMK_FIGURES_SCHEDULE": "[parameters('figuresSchedule')]",
        "CMK_DATABRICKS_PRINCIPAL_ID": "[parameters('databricksPrincipalId')]",
        "CMK_LOG_WORKSPACE": "[parameters('vaultLogWorkspaceId')]",
        "CMK_TENANT_ID": "[subscription().tenantId]",
        "CMK_API_AUDIENCE": "[join(variables('audiences'), ',')]",
        "CMK_DEAD_LETTERS": f"[format('{{0}}/{names.DEAD_LETTERS}', {endpoint(names.STATE, 'blob')})]",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__queueServiceUri": f"[{endpoint(names.STATE, 'queue')}]",
        "AzureWebJobsStorage__tableServiceUri": f"[{endpoint(names.STATE, 'table')}]",
    }


def written_for(part: str) -> Json:
    """Return the same with what is this app's own. The blobs of hand are the one thing that front cannot reach."""
    account = names.STATE if part == "front" else names.HAND_ACCOUNT
    common = {name: value for name, value in written().items() if part == "front" or name not in _FOR_FRONT_ALONE}
    return {
        "CMK_PART": part,
        **common,
        "AzureWebJobsStorage__blobServiceUri": f"[{endpoint(account, 'blob')}]",
    }


def found(part: str) -> dict[str, str]:
    """Return what only Azure knows, when the identities and the component are there: name -> expression."""
    telling = f"reference({COMPONENT_ID}, '2020-02-02')"
    signing = {"OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID": client("door")} if part == "front" else {}
    return {
        "CMK_READER_CLIENT_ID": client("reader"),
        "CMK_WRITER_CLIENT_ID": client("writer"),
        "AzureWebJobsStorage__clientId": client(part),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"{telling}.ConnectionString",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"format('ClientId={{0}};Authorization=AAD', {client(part)})",
        **signing,
    }


def together(part: str) -> str:
    """Return the settings as an expression: what the parameter `settings` says, under all that the template knows better."""
    pairs = ", ".join(f"'{name}', {value}" for name, value in found(part).items())
    return f"union(parameters('settings'), variables('{part}Settings'), createObject({pairs}))"
