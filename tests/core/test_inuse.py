"""Keys in use: what each layer is on, as Azure has said it, and a reason where nobody could say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import parse
from shared.core.facts import Absent, Snapshot, Unreadable
from shared.core.ids import parse as parse_id
from shared.core.inuse import KeyInUse, keys_in_use
from shared.flow.evaluate import evaluate
from tests.bricks import key_body
from tests.fakes import NOON, vault_body, vault_id, workspace_id
from tests.flow.conftest import evaluation
from tests.flow.moving import plain_workspace
from tests.flow.rotating import NEW, OLD, make, rotating_world

HOST = "kv-one.vault.azure.net"


def snapshot(keys: dict[str, Any], newest: dict[str, Any], *, follows: bool) -> Snapshot:
    """Return a workspace whose disks are on version 1 of a key, and its vault with these keys."""
    at = {"keyVaultUri": f"https://{HOST}/", "keyName": "k", "keyVersion": OLD}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at, "rotationToLatestKeyVersionEnabled": follows}
    body = plain_workspace(encryption={"entities": {"managedDisk": entity}})
    vault = Snapshot(parse_id(vault_id()), vault=parse.vault(vault_body()), keys=keys, newest=newest)
    return Snapshot(parse_id(workspace_id()), workspace=parse.workspace(body), vaults={HOST: vault})


def key(version: str, kind: str) -> Any:
    """Return a key as it was read."""
    return parse.key(key_body("/k", "kv-one", "k", NOON, version, kty=kind))


def test_what_a_layer_is_on_is_told() -> None:
    """The version that the workspace names; the newest, where the layer follows it by itself."""
    old, new = key(OLD, "RSA"), key(NEW, "RSA-HSM")
    named = keys_in_use(snapshot({f"k/{OLD}": old}, {"k": new}, follows=False))
    followed = keys_in_use(snapshot({f"k/{OLD}": old}, {"k": new}, follows=True))

    assert named == (KeyInUse(HOST, "k", OLD, "RSA", 3072, NOON),)
    assert followed == (KeyInUse(HOST, "k", NEW, "RSA-HSM", 3072, NOON),)


@pytest.mark.parametrize(
    ("found", "why"), [(Absent(), "cannot be seen"), (Unreadable("key k", "Denied", "no right"), "no right"), (None, "nobody")]
)  # fmt: skip
def test_what_is_not_known_of_a_key_has_a_reason(found: Any, why: str) -> None:
    """A key or a vault that is not there, that may not be read, that nobody has asked for."""
    whole = snapshot({} if found is None else {f"k/{OLD}": found}, {}, follows=False)
    (of_key,) = keys_in_use(whole)
    (of_vault,) = keys_in_use(replace(whole, vaults={} if found is None else {HOST: found}))

    for it in (of_key, of_vault):
        assert (it.host, it.name, it.version, it.kind, it.made) == (HOST, "k", "", "", None)
        assert why in it.problem


def test_a_look_keeps_the_keys_of_a_workspace() -> None:
    """As they lie in Azure: of a key that was rotated, and is not followed, the version before; three layers on it are one."""
    world = rotating_world()
    make(world, NEW, timedelta(days=1))
    evaluate(world, evaluation(world, workspace_id()))
    (kept,) = world.estate.kept[workspace_id().lower()].keys

    assert (kept.host, kept.name, kept.version, kept.kind, kept.size) == (HOST, "k", OLD, "RSA", 3072)
    assert kept.made == NOON - timedelta(days=300)
