"""What an exemption of KEY-KNOWN covers in a vault of very many keys: never one that it does not speak of."""

from datetime import UTC, datetime

from remediators.key_known import KEY_KNOWN
from shared.core import ids
from shared.core.choices import Choices, VaultScope
from shared.core.control import Finding, Memory
from shared.core.facts import Contents, HeldKey, Snapshot, Vault
from tests.fakes import vault_id

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def _found(names: list[str]) -> Finding:
    vault = Vault(
        ids.parse(vault_id()), "westeurope", {}, "kv-one.vault.azure.net", "Succeeded", True, True, 90, rbac=True
    )
    contents = Contents(tuple(HeldKey(name, None) for name in names), ())
    snapshot = Snapshot(ids.parse(vault_id()), vault=vault, dependants=(), contents=contents)
    (verdict,) = KEY_KNOWN.judge(snapshot, Memory(), Choices(vault_scope=VaultScope.ALL), NOW)
    return verdict.finding


def test_a_thousand_keys_are_named_and_the_rest_by_a_digest() -> None:
    """One key more, or another in its place, is not what was exempted; the order in which Azure lists them is."""
    names = [f"k{number:04}" for number in range(1002)]
    whole = _found(names).evidence["beyond"]

    assert (whole[:1000], len(whole), len(whole[1000])) == (names[:1000], 1001, 32)
    assert _found(names[::-1]).evidence["beyond"] == whole
    assert _found([*names, "k9999"]).evidence["beyond"][1000] != whole[1000]
    assert _found([*names[:1001], "k9999"]).evidence["beyond"][1000] != whole[1000]


def test_the_evidence_shows_the_first() -> None:
    """Twenty are told in full: the sentence says how many there are."""
    found = _found([f"k{number:04}" for number in range(30)])

    assert [it["name"] for it in found.evidence["strays"]] == [f"k{number:04}" for number in range(20)]
    assert found.message.startswith("30 key(s)")
