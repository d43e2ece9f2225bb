"""Whether a cluster of a workspace could start now: the only place where a managed disk's key is really tried.

ARM calls a workspace Succeeded whatever its disk encryption set may do; the first new virtual machine finds out
(AZURE 0, hazard 1). Tests ask here what an owner would see.
"""

from simulator.arm.answer import Json
from simulator.arm.keytrial import attempt
from simulator.arm.providers.workspace import entity, is_serverless, properties
from simulator.arm.router import route
from simulator.arm.sim import Sim


def start(sim: Sim, workspace: str) -> Json:
    """`started`, and the error of the machine's disk where it is false."""
    body = sim.world.get(workspace)
    if body is None:
        return _refused("ResourceNotFound", f"The workspace '{workspace}' was not found.")
    if not properties(body).get("workspaceUrl") and properties(body).get("provisioningState") != "Updating":
        # Azure/azure-rest-api-specs#9316
        text = "Current organization does not have any associated worker environments"
        return _refused("INVALID_STATE", text)
    layer = entity(sim.operations.before(workspace) or body, "managedDisk")
    if is_serverless(body) or not layer:
        return {"started": True}
    return _disk(sim, sim.operations.before(workspace) or body, layer)


def _disk(sim: Sim, body: Json, layer: Json) -> Json:
    """With rotation on, the set uses the newest version of the key (AZURE 1.4), else the one that is named."""
    named = layer.get("keyVaultProperties") or {}
    uri, name, version = (str(named.get(part) or "") for part in ("keyVaultUri", "keyName", "keyVersion"))
    oid = str((properties(body).get("managedDiskIdentity") or {}).get("principalId") or "")
    asked = "" if layer.get("rotationToLatestKeyVersionEnabled") else version
    if attempt(sim, oid, uri, name, asked) is None:
        return {"started": True}
    owner = route(str(properties(body).get("diskEncryptionSetId") or "/")).path.rsplit("/", 1)[-1]
    return _refused(  # MicrosoftDocs/azure-docs#96319
        "KeyVaultAccessForbidden",
        f"Unable to access key vault resource '{uri.rstrip('/')}/keys/{name}/{version}' to enable encryption at rest. "
        f"Please grant get, wrap and unwrap key permissions to disk encryption set '{owner}'. "
        "Please visit https://aka.ms/keyvaultaccessssecmk for more information.",
    )


def _refused(code: str, message: str) -> Json:
    return {"started": False, "error": {"code": code, "message": message}}
