"""The planted estate is what it says: forty of each, every combination, and findings that follow from the bodies."""

from itertools import product

from simulator.arm.answer import Json
from simulator.clients import vaults, workspaces
from simulator.clients.vaults import VAULTS
from simulator.clients.workspaces import VERSIONLESS, WORKSPACES


def test_there_are_forty_of_each_with_names_of_their_own() -> None:
    """Names tell findings apart, whatever their case."""
    assert len({each.name.lower() for each in VAULTS}) == len(VAULTS) == 40
    assert len({each.name.lower() for each in WORKSPACES}) == len(WORKSPACES) == 40


def test_every_combination_is_planted() -> None:
    """Three switches of a vault, three layers of a workspace."""
    switches = {(each.soft, each.purge, each.rbac) for each in VAULTS}
    layers = {frozenset(each.layers) for each in WORKSPACES}

    assert switches == set(product((True, False, None), (True, None), (True, False, None)))
    assert layers == {frozenset(x) for x in ("", "M", "D", "F", "MD", "MF", "DF", "MDF")}
    assert {each.policies for each in VAULTS} == set(vaults.POLICIES)


def test_what_is_not_said_of_a_vault_is_not_there() -> None:
    """Null and absent are different things to a client."""
    bodies = {each.name: vaults.body(each)["properties"] for each in VAULTS}

    assert "enablePurgeProtection" not in bodies["kvp-no-purge"]
    assert "enableSoftDelete" not in bodies["kvp-nothing-said"]
    assert "enableRbacAuthorization" not in bodies["kvp-nothing-said"]
    assert all(each.get("enablePurgeProtection", True) is True for each in bodies.values())


def test_the_findings_on_vaults_follow_from_their_bodies() -> None:
    """A second way to the same findings: from the body that is seeded, not from the table."""
    for each in VAULTS:
        properties = vaults.body(each)["properties"]
        letters = {
            "S": properties.get("enableSoftDelete") is not True,
            "P": properties.get("enablePurgeProtection") is not True,
            "R": properties.get("enableRbacAuthorization") is not True,
            "W": any(_is_too_much(policy["permissions"]) for policy in properties["accessPolicies"]),
        }

        assert set(each.custodian) == {letter for letter, holds in letters.items() if holds}, each.name
        assert ("V" in each.prowler) == (letters["S"] or letters["P"]), each.name
        assert ("B" in each.prowler) == letters["R"], each.name


def test_the_findings_on_workspaces_follow_from_their_bodies() -> None:
    """The same for the three layers."""
    for each in (*WORKSPACES, VERSIONLESS):
        properties = workspaces.body(each)["properties"]
        entities = (properties.get("encryption") or {}).get("entities") or {}
        keys = {
            name: (entities.get(name) or {}).get("keyVaultProperties") for name in ("managedServices", "managedDisk")
        }
        root = ((properties.get("parameters") or {}).get("encryption") or {}).get("value") or {}
        letters = {
            "M": not keys["managedServices"],
            "D": not keys["managedDisk"],
            "F": root.get("keySource", "").lower() != "microsoft.keyvault",
        }

        assert set(each.custodian) == {letter for letter, holds in letters.items() if holds}, each.name
        assert ("C" in each.prowler) == letters["D"], each.name


def test_nothing_of_the_data_is_left_to_chance() -> None:
    """A member marked as gone is not seeded, and the versionless key has no version."""
    legacy = next(workspaces.body(each) for each in WORKSPACES if each.name == "dbwp-2018")
    layer = workspaces.body(VERSIONLESS)["properties"]["encryption"]["entities"]["managedDisk"]

    assert "sku" not in legacy
    assert "parameters" not in legacy["properties"]
    assert sorted(layer["keyVaultProperties"]) == ["keyName", "keyVaultUri"]


def _is_too_much(permissions: Json) -> bool:
    keys = {each.lower() for each in permissions.get("keys") or ()}
    return bool(keys - {"get", "wrapkey", "unwrapkey"} or permissions.get("secrets") or permissions.get("certificates"))
