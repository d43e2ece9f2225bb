"""Azure CLI: signing in each way there is, the acts of acts.py, and the planted estate read through its eyes.

It has no rules of its own: queries in its own language (JMESPath) ask the questions of vaults.py and workspaces.py. The
Databricks extension is not on PyPI, so workspaces go through `az resource` and `az rest`.
"""

import shlex
from collections.abc import Mapping
from typing import Any

from simulator.clients.acts import ACTS, IDENTITY, PRINCIPAL, Act
from simulator.clients.report import Report, names
from simulator.clients.stage import CLIENT_ID, PRINCIPAL_ID, SECRET, SUBSCRIPTIONS, Ran, Stage
from simulator.clients.vaults import GROUP, SUBSCRIPTION, TENANT, VAULTS
from simulator.clients.workspaces import WORKSPACES

NAME = "az"
CLOUD = "Simulator"
QUIET = {
    "AZURE_CORE_COLLECT_TELEMETRY": "no",
    "AZURE_CORE_SURVEY_MESSAGE": "no",
    "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
    "AZURE_CORE_NO_COLOR": "yes",
    "AZURE_CORE_DISPLAY_PROGRESS": "no",
    "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
    "AZURE_CORE_OUTPUT": "json",
}
SECRET_LOGIN = f"login --service-principal --username {CLIENT_ID} --password {SECRET}"
IDENTITY_LOGIN = f"login --identity --client-id {CLIENT_ID} --query [].user.name"
# The list across the subscription has no properties (LOCAL 8): the one of a group does.
VAULT_QUERIES = {
    "V": "[?!(properties.enableSoftDelete && properties.enablePurgeProtection)].name",
    "B": "[?!(properties.enableRbacAuthorization)].name",
}
WORKSPACE_QUERIES = {
    "M": "value[?!(properties.encryption.entities.managedServices.keyVaultProperties.keyName)].name",
    "D": "value[?!(properties.encryption.entities.managedDisk.keyVaultProperties.keyName)].name",
    # JMESPath has no way to ignore case: the one planted in small letters is asked for by name.
    "F": "value[?properties.parameters.encryption.value.keySource != 'Microsoft.Keyvault' && "
    "properties.parameters.encryption.value.keySource != 'microsoft.keyvault'].name",
}
WORKSPACES_OF = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Databricks/workspaces?api-version=2024-05-01"


class AzureCli:
    """The program with a configuration folder of its own."""

    def __init__(self, stage: Stage, folder: str) -> None:
        self._stage = stage
        self._env = {**QUIET, "AZURE_CONFIG_DIR": str(stage.folder / folder)}

    def run(self, line: str, extra: Mapping[str, str] | None = None) -> Ran:
        """One command, as it would be typed after `az`."""
        command = [*self._stage.client(NAME, "-m", "azure.cli"), *shlex.split(line)]
        return self._stage.run(command, {**self._env, **(extra or {})}, seconds=90)


def check(stage: Stage, report: Report) -> None:
    """Everything that is checked of it."""
    registered = AzureCli(stage, "registered")
    registration(stage, registered, report)
    public_cloud(stage, report)
    for act in ACTS:
        _act(stage, registered, report, act)
    findings(registered, report)


def registration(stage: Stage, az: AzureCli, report: Report) -> None:
    """A cloud registered by its address, in both forms of its description; signing in to it."""
    ran = az.run(f"cloud register --name {CLOUD} --endpoint-resource-manager {stage.arm}")
    report.expect_done(NAME, "cloud register (metadata 2022-09-01)", ran)
    ran = az.run(f"cloud show --name {CLOUD} --query [endpoints.resourceManager,suffixes.keyvaultDns]")
    report.expect(NAME, "cloud show", ran, [stage.arm, ".vault.azure.net"], ran.json())
    url = f"{stage.arm}/metadata/endpoints?api-version=2019-05-01"
    ran = AzureCli(stage, "listed").run("cloud list --query [].name", {"ARM_CLOUD_METADATA_URL": url})
    report.expect(NAME, "cloud list (metadata 2019-05-01)", ran, [CLOUD], ran.json())
    report.expect_done(NAME, "cloud set", az.run(f"cloud set --name {CLOUD}"))
    ran = az.run(IDENTITY_LOGIN)
    report.expect(
        NAME, "login --identity, registered cloud", ran, ["userAssignedIdentity"] * len(SUBSCRIPTIONS), ran.json()
    )
    ran = az.run(f"{SECRET_LOGIN} --tenant {TENANT} --query [].user.type")
    report.expect(
        NAME, "login --service-principal, registered cloud", ran, ["servicePrincipal"] * len(SUBSCRIPTIONS), ran.json()
    )
    ran = AzureCli(stage, "public").run(f"login --identity --object-id {PRINCIPAL_ID} --query [].environmentName")
    report.expect(
        NAME, "login --identity by object id, AzureCloud", ran, ["AzureCloud"] * len(SUBSCRIPTIONS), ran.json()
    )
    report.expect_done(NAME, "account set", az.run(f"account set --subscription {SUBSCRIPTION}"))
    ran = az.run("account show --query [id,tenantId,environmentName]")
    report.expect(NAME, "account show", ran, [SUBSCRIPTION, TENANT, CLOUD], ran.json())


def public_cloud(stage: Stage, report: Report) -> None:
    """Azure's own names, by the proxy: nothing is registered, nothing is changed."""
    az = AzureCli(stage, "public")
    ran = az.run(f"{SECRET_LOGIN} --tenant {TENANT} --query [].cloudName")
    report.expect(
        NAME, "login --service-principal, AzureCloud by proxy", ran, ["AzureCloud"] * len(SUBSCRIPTIONS), ran.json()
    )
    ran = az.run(f"group list --subscription {SUBSCRIPTION} --query [].name")
    report.expect(NAME, "group list, AzureCloud by proxy", ran, [GROUP], ran.json())
    ran = AzureCli(stage, "stranger").run(f"{SECRET_LOGIN} --tenant {SUBSCRIPTION}")
    told = (ran.code, "AADSTS90002" in ran.err)
    report.expect(NAME, "login to a tenant that does not exist", ran, (1, True), told, "refused: AADSTS90002")


def findings(az: AzureCli, report: Report) -> None:
    """The planted estate, by query."""
    for letter, query in VAULT_QUERIES.items():
        ran = az.run(f'keyvault list --resource-group {GROUP} --query "{query}"')
        wanted = names(each.name for each in VAULTS if letter in each.prowler)
        report.expect(NAME, f"keyvault list: {letter}", ran, wanted, names(ran.json() or []))
    ran = az.run("keyvault list --query [].properties.enableSoftDelete")
    report.expect(NAME, "keyvault list without a group: no properties", ran, [], ran.json(), "none, as known")
    for letter, query in WORKSPACE_QUERIES.items():
        ran = az.run(f'rest --method get --url {WORKSPACES_OF} --query "{query}"')
        wanted = names(each.name for each in WORKSPACES if letter in each.custodian)
        report.expect(NAME, f"rest, workspaces: {letter}", ran, wanted, names(ran.json() or []))
    ran = az.run("resource list --resource-type Microsoft.Databricks/workspaces --query [].name")
    report.expect(NAME, "resource list, workspaces", ran, names(e.name for e in WORKSPACES), names(ran.json() or []))
    _shown(az, report)


def _shown(az: AzureCli, report: Report) -> None:
    """Workspaces one by one: the generic client asks for the provider's versions before each."""
    some = [_workspace(each.name) for each in WORKSPACES[:4]]
    ran = az.run(
        f"resource show --ids {' '.join(some)} --query [].properties.encryption.entities.managedDisk.keySource"
    )
    report.expect(NAME, "resource show --ids, 4 workspaces", ran, ["Microsoft.Keyvault"], ran.json())


def _workspace(name: str) -> str:
    """The id of a planted workspace."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Databricks/workspaces/{name}"


def _filled(stage: Stage, command: str) -> str:
    """A command with the object id of the identity that an earlier act has made."""
    if PRINCIPAL not in command:
        return command
    identity = stage.stored(IDENTITY) or {}
    return command.replace(PRINCIPAL, str((identity.get("properties") or {}).get("principalId")))


def _act(stage: Stage, az: AzureCli, report: Report, act: Act) -> None:
    ran = az.run(_filled(stage, act.command))
    name = " ".join(act.command.split(" --")[0].split()[:4])
    got: Any = ran.json() if ran.out.strip() else None
    if act.error:
        told = (ran.code != 0, act.error in ran.err)
        good = report.expect(NAME, f"{name} ({act.error})", ran, (True, True), told, f"refused: {act.error}")
    elif ran.code != 0:
        good = report.expect_done(NAME, name, ran)
    else:
        good = report.expect(NAME, name, ran, act.answer, got)
    if act.stored and good:
        identity, reads = act.stored
        stage.wait_for(lambda: reads(stage.stored(identity)) == act.so)
        report.expect(NAME, "  and it is so", ran.again(), act.so, reads(stage.stored(identity)))
