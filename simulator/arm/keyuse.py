"""Who may do what with the keys of a vault, and which key a vault's URI means: asked by every service that uses keys.

Only the vault's active model counts: access policies, or role assignments with `enableRbacAuthorization`; the other
one is kept and ignored (AZURE 2.2). The refusals are Key Vault's own texts of status 403. It changes nothing.
"""

from urllib.parse import urlsplit

from simulator.arm.answer import Json
from simulator.arm.router import fold, route
from simulator.arm.sim import Sim

# The data action behind each permission word (built-in roles as recorded, role_definitions.jsonl).
ACTIONS = {
    "get": "Microsoft.KeyVault/vaults/keys/read",
    "list": "Microsoft.KeyVault/vaults/keys/read",
    "wrapkey": "Microsoft.KeyVault/vaults/keys/wrap/action",
    "unwrapkey": "Microsoft.KeyVault/vaults/keys/unwrap/action",
    "getrotationpolicy": "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
    "setrotationpolicy": "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
    "delete": "Microsoft.KeyVault/vaults/keys/delete",
    **{
        verb: f"Microsoft.KeyVault/vaults/keys/{verb}/action"
        for verb in (
            *("create", "import", "update", "rotate", "recover", "purge", "backup", "restore", "release"),
            *("encrypt", "decrypt", "sign", "verify"),
        )
    },
}
# Permission words as Key Vault prints them where they are not all lower case.
SHOWN = {"wrapkey": "wrapKey", "unwrapkey": "unwrapKey"}
# Applications that Key Vault calls by name as well; the first-party one of Databricks (AZURE 1.6).
NAMED = {"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d": "AzureDatabricks"}


def refusal(sim: Sim, oid: str, vault_id: str, verb: str, key_name: str = "") -> str:
    """Why a principal may not do this (`get`, `wrapkey`, ...): the text that Key Vault gives. Empty: it may."""
    vault = sim.world.get(vault_id)
    if vault is None:
        return f"The vault '{route(vault_id).name}' does not exist."
    if is_rbac(vault):
        return _by_role(sim, oid, vault, verb, key_name)
    return _by_policy(sim, oid, vault, verb)


def is_rbac(vault: Json) -> bool:
    """Which of the two models is active; a missing field means access policies (AZURE 2.1)."""
    return bool((vault.get("properties") or {}).get("enableRbacAuthorization"))


def find_vault(sim: Sim, uri: str) -> Json | None:
    """The vault that answers at a URI: its name is the first label of the host, in any case and with any port."""
    try:
        host = fold(urlsplit(uri if "//" in uri else f"//{uri}").hostname or "")
    except ValueError:  # brackets that hold no address: workspaces store what they are sent
        return None
    identity = sim.vaults.get(host.partition(".")[0])
    return sim.world.get(identity) if identity else None


def key(sim: Sim, uri: str, name: str, version: str = "") -> Json | None:
    """A key of the vault at this URI as ARM shows it; with a version, that one."""
    vault = find_vault(sim, uri)
    if vault is None:
        return None
    where = f"{vault['id']}/keys/{name}"
    return sim.world.get(f"{where}/versions/{version}" if version else where)


def _by_policy(sim: Sim, oid: str, vault: Json, verb: str) -> str:
    """An entry for a group counts for its members [LEARN key-vault/general/assign-access-policy].

    One with an application id speaks of that application on somebody's behalf, not of the plain caller.
    """
    asked, circle = {fold(verb), "all"}, sim.directory.circle(oid)
    for entry in (vault.get("properties") or {}).get("accessPolicies") or []:
        if fold(str(entry.get("objectId") or "")) not in circle or entry.get("applicationId"):
            continue
        if fold(str(entry.get("tenantId") or "")) != fold(sim.config.tenant):
            continue
        if asked & {fold(str(each)) for each in (entry.get("permissions") or {}).get("keys") or []}:
            return ""
    # Azure/azure-powershell#22898 and Azure/azure-sdk-for-js#17391.
    return (
        f"The user, group or application '{shown(sim, oid)}' does not have keys {SHOWN.get(fold(verb), fold(verb))} "
        f"permission on key vault '{place(vault)}'. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125287"
    )


def _by_role(sim: Sim, oid: str, vault: Json, verb: str, key_name: str) -> str:
    action = ACTIONS.get(fold(verb), f"Microsoft.KeyVault/vaults/keys/{fold(verb)}/action")
    scope = f"{vault['id']}/keys/{key_name}" if key_name else str(vault["id"])
    if sim.access.find_data(oid, action, scope):
        return ""
    # hashicorp/terraform-provider-azurerm#27817, with the line ends as printed there.
    return (
        "Caller is not authorized to perform action on resource.\r\n"
        "If role assignments, deny assignments or role definitions were changed recently, "
        "please observe propagation time.\r\n"
        f"Caller: {shown(sim, oid)}\r\nAction: '{action}'\r\nResource: '{fold(scope)}'\r\n"
        f"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: {place(vault)}\r\n"
    )


def shown(sim: Sim, oid: str) -> str:
    """How Key Vault names a caller; the application id is left out where the configuration does not know it."""
    known = {fold(each.principal_id): each.client_id for each in sim.config.identities}
    app = known.get(fold(oid), "")
    parts = [f"name={NAMED[app]}" if app in NAMED else "", f"appid={app}" if app else "", f"oid={oid}"]
    return ";".join([*filter(None, parts), f"iss={sim.tokens.v1_issuer}"])


def place(vault: Json) -> str:
    """How Key Vault names a vault in its refusals."""
    return f"{route(vault['id']).name};location={vault.get('location')}"
