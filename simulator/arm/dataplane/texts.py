"""What Key Vault says when it says no. Texts with a source are as printed there; those without one are ours."""

from collections.abc import Mapping

from simulator.arm.answer import Refused

AUDIENCE = "https://vault.azure.net"
APPLICATION = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"  # Key Vault itself (keyvault_other.jsonl, register)


def unauthorised(tenant: str, message: str) -> Refused:
    """401 with the challenge that tells a client where to get a token (keyvault_dataplane_keys.jsonl)."""
    challenge = f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{AUDIENCE}"'
    return Refused(401, "Unauthorized", message, {"WWW-Authenticate": challenge})


NO_TOKEN = "AKV10000: Request is missing a Bearer or PoP token."  # keyvault_dataplane_keys.jsonl
BAD_TOKEN = "AKV10046: Unable to resolve the key used for signature validation."
OLD_TOKEN = "Error validating token: IDX10223: Lifetime validation failed. The token is expired."


def wrong_audience(found: str) -> str:
    """The token is for another service (argoproj-labs/argocd-vault-plugin#621)."""
    return f"AKV10022: Invalid audience. Expected {AUDIENCE} or {APPLICATION}, found: {found}."


def wrong_issuer(tenant: str, found: str) -> str:
    """The token is from another tenant than the vault's."""
    return f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{tenant}/, found {found}."


def forbidden(message: str, inner: str) -> Refused:
    """403: the outer code is always the same, the inner one says why."""
    return Refused(403, "Forbidden", message, innererror={"code": inner})


def bad(message: str) -> Refused:
    """400."""
    return Refused(400, "BadParameter", message)


def no_version(version: str) -> Refused:
    """An api-version that the data plane does not know."""
    if not version:
        return bad("api-version must be specified")
    return bad(
        f"The specified version ({version}) is not recognized. Consider using the latest supported version (2025-07-01)."
    )


def no_key(name: str) -> Refused:
    """404 (sigstore/cosign#3094)."""
    return Refused(
        404,
        "KeyNotFound",
        f"A key with (name/id) {name} was not found in this key vault. If you recently deleted this key you may be able "
        "to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def no_deleted_key(name: str) -> Refused:
    """404 under /deletedkeys."""
    return Refused(404, "KeyNotFound", f"Deleted Key not found: {name}")


def held(name: str) -> Refused:
    """409: the name belongs to a deleted key (wording of Azure/azure-rest-api-specs#9222, said there of a secret)."""
    return Refused(
        409,
        "Conflict",
        f"Key {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, "
        "the key can only be recovered or purged.",
        innererror={"code": "ObjectIsDeletedButRecoverable"},
    )


def protected(place: str) -> Refused:
    """403 for a purge under purge protection (microsoft/AzureTRE#1760)."""
    return forbidden(
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will '
        f"automatically purge it after the retention period has passed.\r\nVault: {place}",
        "AccessDenied",
    )


def not_now(operation: str, why: str) -> Refused:
    """403 for a key that is disabled, expired or not yet valid (Azure/azure-sdk-for-python#45342 has the first)."""
    texts: Mapping[str, tuple[str, str]] = {
        "disabled": ("a disabled key", "KeyDisabled"),
        "expired": ("an expired key", "KeyExpired"),
        "early": ("a key that is not yet valid", "KeyNotYetValid"),
    }
    text, inner = texts[why]
    return forbidden(f"Operation {operation} is not allowed on {text}.", inner)


def not_meant(operation: str) -> Refused:
    """403 for an operation that the key's list does not have (Azure/azure-sdk-for-net#11518)."""
    return forbidden(f"Operation {operation} is not permitted on this key.", "KeyOperationForbidden")


def not_imitated(method: str, path: str) -> Refused:
    """What this simulator does not do; no answer of Azure's."""
    return Refused(501, "NotImplemented", f"The simulator does not imitate {method} {path} of Key Vault.")


def firewall(address: str, caller: str, place: str) -> Refused:
    """403 for an address that the vault's network rules do not name (Azure/azure-docs, rest-error-codes.md)."""
    return forbidden(
        "Client address is not authorized and caller is not a trusted service.\r\n"
        f"Client address: {address}\r\nCaller: {caller}\r\nVault: {place}",
        "ForbiddenByFirewall",
    )


def private_only(caller: str, place: str) -> Refused:
    """403 while public network access is disabled."""
    return forbidden(
        "Public network access is disabled and request is not from a trusted service nor via an approved private "
        f"link.\r\nCaller: {caller}\r\nVault: {place}",
        "ForbiddenByConnection",
    )
