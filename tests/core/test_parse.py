"""ARM bodies -> facts, on real recorded ones and on broken ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediators import REMEDIATORS
from shared.core import ids, parse
from shared.core.choices import Choices, VaultScope
from shared.core.control import Memory
from shared.core.errors import BadInput
from shared.core.facts import Absent, Deleted, Snapshot
from tests.bricks import key_body
from tests.fakes import NOON, vault_body, vault_id, workspace_body
from tests.reference import bodies, needs_reference, recorded

KEY = key_body("/keys/k", "kv-one", "k", NOON, "1" * 32)
ANY = st.recursive(
    st.none() | st.booleans() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it), max_leaves=8
)
ODD_ADDRESSES = [
    "https://kv/keys/k",
    "https://kv/keys/k/",
    "https://kv/keys//1",
    "https://kv/keys/a b/1",
    "https://kv/keys/k/1?x",
    "keys",
]


@needs_reference
def test_every_recorded_vault_gets_a_verdict() -> None:
    """Each vault body in the recordings is judged, or refused with the reason."""
    found = bodies("keyvault_vaults", ids.VAULT)
    verdicts = [_verdict(body) for body in found]

    assert len(found) > 100
    assert set(verdicts) <= {"Compliant", "NonCompliant", "Unknown", "BadInput"}
    assert verdicts.count("Compliant") > 20
    assert verdicts.count("NonCompliant") > 50
    # Only rows of generic lists, which hold no properties, are refused.
    assert all("properties" not in body for body, verdict in zip(found, verdicts, strict=True) if verdict == "BadInput")


def _verdict(body: dict[str, Any]) -> str:
    try:
        snapshot = Snapshot(ids.parse(body["id"]), vault=parse.vault(body))
    except BadInput as error:
        assert error.message
        return "BadInput"
    (verdict,) = REMEDIATORS[0].judge(snapshot, Memory(), Choices(vault_scope=VaultScope.ALL), NOON)
    return type(verdict).__name__


@needs_reference
def test_every_recorded_workspace_parses() -> None:
    """Each workspace body in the recordings becomes facts, with the keys that its layers name."""
    parsed = [parse.workspace(body) for body in bodies("databricks_workspaces", ids.WORKSPACE)]
    keyed = {layer.name for workspace in parsed for layer in workspace.layers if layer.key}

    assert len(parsed) > 20
    assert keyed == {"managedServices", "managedDisk"}  # the selection holds no DBFS key


@needs_reference
def test_recorded_vaults_say_true_or_nothing_of_purge_protection() -> None:
    """The recordings bear out the rule that purge protection is read by: true or absent (AZURE 0.4)."""
    said = {
        str((record["response_body"].get("properties") or {}).get("enablePurgeProtection"))
        for record in recorded("keyvault_vaults")
        if isinstance(record.get("response_body"), dict)
    }

    assert said == {"True", "None"}


def test_a_key_source_decides_whether_a_layer_has_a_key() -> None:
    """While DBFS goes back to a platform key, the old key's fields still stand there and do not count."""
    body = workspace_body()
    old = {"KeyName": "k", "keyvaulturi": "https://kv-one.vault.azure.net/", "keyversion": "1"}
    body["properties"]["parameters"] = {"encryption": {"value": {"keySource": "Default", **old}}}
    default = parse.workspace(body)
    body["properties"]["parameters"]["encryption"]["value"]["keySource"] = "Microsoft.Keyvault"
    custom = parse.workspace(body)

    assert default.layers_in("kv-one.vault.azure.net") == ("managedServices",)
    assert custom.layers_in("kv-one.vault.azure.net") == ("managedServices", "dbfsRoot")


@pytest.mark.parametrize(
    "uri", ["https://KV-One.vault.azure.net", "https://kv-one.vault.azure.net:443/", "kv-one.vault.azure.net"]
)
def test_vault_uris_are_compared_by_host(uri: str) -> None:
    """Port, slash and case of a vault URI vary in Azure and do not matter."""
    assert parse.vault(vault_body(vaultUri=uri)).host == "kv-one.vault.azure.net"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"id": 5},
        workspace_body(),
        {**vault_body(), "properties": None},
        {**vault_body(), "properties": []},
        {**vault_body(), "tags": ["a"]},
        vault_body(enableSoftDelete="yes"),
        vault_body(enablePurgeProtection="true"),
        vault_body(softDeleteRetentionInDays="90"),
        vault_body(vaultUri=7),
    ],
)
def test_what_is_no_vault_is_refused(body: Any) -> None:
    """A needed field of a wrong type is never guessed at: `"true"` is not true."""
    with pytest.raises(BadInput):
        parse.vault(body)


@given(ANY)
def test_no_body_crashes(properties: Any) -> None:
    """Whatever a body holds, it parses or is refused in our own words."""
    for read, body in ((parse.vault, vault_body()), (parse.workspace, workspace_body()), (parse.key, KEY)):
        try:
            read({**body, "properties": properties})
        except BadInput as error:
            assert error.reason == "BadArmAnswer"


@given(
    st.dictionaries(st.sampled_from(["keyUriWithVersion", "kty", "keySize", "keyOps", "attributes"]), ANY),
    st.dictionaries(st.sampled_from(["enabled", "created", "nbf", "exp"]), ANY | st.integers()),
)
def test_no_key_crashes(properties: dict[str, Any], attributes: dict[str, Any]) -> None:
    """Nor does one whose single fields are of any kind, or whose times lie outside of all time."""
    own = {**KEY["properties"], **properties}
    for body in ({"properties": own}, {"properties": {**own, "attributes": attributes}}):
        try:
            found = parse.key(body)
        except BadInput as error:
            assert error.reason == "BadArmAnswer"
        else:
            assert "" not in {found.name, found.version}


@pytest.mark.parametrize(
    "body",
    [None, [], "key", {}, {"properties": None}, *({"properties": {"keyUriWithVersion": uri}} for uri in ODD_ADDRESSES)],
)
def test_what_is_no_key_is_refused(body: Any) -> None:
    """Above all one without a version: that is no key that a layer could be put on."""
    with pytest.raises(BadInput):
        parse.key(body)


def test_a_key_is_read() -> None:
    """With its version from the address, operations in lower case, and times in UTC."""
    found = parse.key(KEY, versions=2)

    assert (found.name, found.version, found.kind, found.size, found.versions) == ("k", "1" * 32, "RSA", 3072, 2)
    assert found.operations == {"wrapkey", "unwrapkey"}
    assert (found.created, found.enabled, found.expires) == (NOON, True, None)


@given(st.lists(st.fixed_dictionaries({}, optional={"name": ANY, "properties": ANY})))
def test_no_list_below_a_vault_crashes(rows: list[dict[str, Any]]) -> None:
    """Whatever stands in the lists of keys, secrets and diagnostic settings: facts, or BadInput."""
    for read in (lambda: parse.contents(rows, rows), lambda: parse.log_settings(rows)):
        try:
            read()
        except BadInput as error:
            assert error.reason == "BadArmAnswer"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "<b>", "../k", "x" * 128, "k\n"])
def test_what_is_no_name_of_a_key_makes_the_whole_list_unknown(name: str) -> None:
    """Leaving it out would be taking it for nothing."""
    with pytest.raises(BadInput):
        parse.contents([{"name": "k"}, {"name": name}], [])
    with pytest.raises(BadInput):
        parse.contents([], [{"name": name}])


@needs_reference
def test_every_recorded_deleted_vault_is_found_by_its_id() -> None:
    """Each entry is found among all of its list, whatever its shape, with both dates; a vault of no entry is absent."""
    rows = bodies("keyvault_deleted_vaults", "Microsoft.KeyVault/deletedVaults")
    rows = [row for row in rows if row["properties"].get("vaultId", "").count("/") == 8]
    found = [parse.deleted(rows, ids.parse(row["properties"]["vaultId"].upper())) for row in rows]

    assert len(found) > 20
    assert all(isinstance(it, Deleted) and it.deleted and it.purged and it.purged > it.deleted for it in found)
    assert isinstance(parse.deleted(rows, ids.parse(vault_id("kv-none"))), Absent)


@pytest.mark.parametrize(
    "broken",
    [
        {"deletionDate": "yesterday"},
        {"deletionDate": "2026-01-01T00:00:00"},
        {"tags": []},
        {"purgeProtectionEnabled": "no"},
    ],
)
def test_a_deleted_vault_that_makes_no_sense_is_refused(broken: dict[str, Any]) -> None:
    """A date without a zone, or none at all, is not guessed; another vault's entry does not matter."""
    entry = {"properties": {"vaultId": vault_id(), **broken}}
    with pytest.raises(BadInput):
        parse.deleted([entry], ids.parse(vault_id()))

    assert parse.deleted([entry], ids.parse(vault_id("kv-two"))) == Absent()
