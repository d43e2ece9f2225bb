"""A step that makes a key. Resource Manager hands back a key that is there already, untouched (AZURE 2.3).

So whoever takes the answer for the key that was asked for may be using somebody else's: `is_ours` tells.
"""

from datetime import datetime, timedelta

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.facts.key import Key
from shared.core.facts.vault import Vault
from shared.core.ids import NAME_OF_A_KEY
from shared.core.refs import key_name
from shared.core.steps import Request, Step

CREATE = "key.create"
_CLOCKS = timedelta(minutes=1)  # by which Azure's clock may be behind ours
_AT_ONCE = timedelta(minutes=15)  # longer than a function lives: a name is drawn for one request
_OPERATIONS = frozenset({"wrapkey", "unwrapkey"})


def create(vault: Vault, layer: str, size: int) -> Step:
    """Make a key of a workspace's own, under a name that nobody can guess and that is drawn right before the write."""
    return Step(
        kind=CREATE,
        resource=str(vault.id),
        before={},
        after={"name": key_name(layer), "kty": "RSA", "keySize": size, "keyOps": ["wrapKey", "unwrapKey"]},
        permission="Microsoft.KeyVault/vaults/keys/write",
        note="Key Vault bills its use; in a vault with purge protection a deleted key is kept until its time is over",
    )


def create_request(step: Step) -> Request:
    """PUT the key below its vault."""
    name = str(step.after["name"])
    if not NAME_OF_A_KEY.fullmatch(name):
        raise BadInput("BadKeyName", f"{name[:130]!r} is not the name of a key")
    body = {"properties": {field: step.after[field] for field in ("kty", "keySize", "keyOps")}}
    return Request("PUT", str(ids.parse(step.resource)), body, f"/keys/{name}")


def is_ours(key: Key, recorded: datetime, size: int) -> bool:
    """Whether a key can be the one that we asked for: as we asked for it, one version, made right after its name was drawn."""
    is_as_asked = (key.kind, key.size, key.operations) == ("RSA", size, _OPERATIONS)
    is_of_then = key.created is not None and recorded - _CLOCKS <= key.created <= recorded + _AT_ONCE
    return is_as_asked and is_of_then and key.versions == 1
