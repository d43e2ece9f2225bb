"""Hints of the steps of a migration: whatever stands in a name, the shell gets it as one word and a template as a literal."""

import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.commands import az_rotate, az_rotation_policy
from shared.core.moves import grant, key, workspace
from shared.core.refs import DISKS, key_name, key_version
from shared.core.render import hints
from shared.core.steps import Step
from tests.fakes import vault_id, workspace_id

HOSTILE = [
    "$(reboot)", "`reboot`", "; reboot #", "' || reboot '", '" && reboot "', "a b", "-rf", "\n reboot", "${file('/etc/passwd')}",
    "%{ if true }x%{ endif }", "\\", "'\\''", "'; param x string = 'y", "=cmd()", "<script>", "*", "~", "!!", key_name(""), DISKS,
]  # fmt: skip
NAMES = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=12).filter(lambda it: "$$" not in it and "%%" not in it)


def _encrypt(layer: str, host: str, name: str, version: str) -> Step:
    after = {"layer": layer, "vault": f"https://{host}/", "key": name, "version": version}
    return _step(workspace.ENCRYPT, after)


def _step(kind: str, after: dict[str, Any], resource: str = workspace_id()) -> Step:
    return Step(kind=kind, resource=resource, before={}, after=after, permission="")


def _key(name: str, vault: str = "kv-one") -> Step:
    after = {"name": name, "kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"]}
    return _step(key.CREATE, after, vault_id(vault))


def _az(step: Step) -> list[str]:
    (command,) = hints([step])["az"]
    return shlex.split(command)


def test_making_a_key_by_hand() -> None:
    """The command makes what the step would, and names the operations each as a word."""
    assert _az(_key("cmk-one")) == [
        "az", "keyvault", "key", "create", "--vault-name", "kv-one", "--name", "cmk-one", "--kty", "RSA", "--size", "3072",
        "--ops", "wrapKey", "unwrapKey",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("managedServices", ["--managed-services-key-vault", "https://kv/", "--managed-services-key-name", "k", "--managed-services-key-version", "1"]),
        ("managedDisk", ["--disk-key-vault", "https://kv/", "--disk-key-name", "k", "--disk-key-version", "1", "--disk-key-auto-rotation", "true"]),
        ("dbfsRoot", ["--key-source", "Microsoft.Keyvault", "--key-vault", "https://kv/", "--key-name", "k", "--key-version", "1"]),
    ],
)  # fmt: skip
def test_putting_a_layer_on_a_key_by_hand(layer: str, words: list[str]) -> None:
    """In the words of Azure CLI's extension for Databricks, which differ from layer to layer."""
    assert _az(_encrypt(layer, "kv", "k", "1")) == [
        "az",
        "databricks",
        "workspace",
        "update",
        "--ids",
        workspace_id(),
        *words,
    ]


def test_upgrading_and_preparing_by_hand() -> None:
    """Each is one word more than the workspace."""
    whole = ["az", "databricks", "workspace", "update", "--ids", workspace_id()]

    assert _az(_step(workspace.UPGRADE, {"sku": "premium"})) == [*whole, "--sku", "premium"]
    assert _az(_step(workspace.PREPARE, {"prepareEncryption": True})) == [*whole, "--prepare-encryption"]


@pytest.mark.parametrize("layer", ["managedServices", "managedDisk", "dbfsRoot"])
def test_templates_keep_a_layer_on_its_key(layer: str) -> None:
    """Terraform's argument and Bicep's property of that layer, with the address of the key."""
    found = hints([_encrypt(layer, "kv", "k", "1")])
    argument = {
        "managedServices": "azurerm_databricks_workspace: managed_services_cmk_key_vault_key_id",
        "managedDisk": "azurerm_databricks_workspace: managed_disk_cmk_key_vault_key_id",
        "dbfsRoot": "azurerm_databricks_workspace_root_dbfs_customer_managed_key: key_vault_key_id",
    }[layer]

    more = ", managed_disk_cmk_rotation_to_latest_version_enabled = true" if layer == "managedDisk" else ""
    assert found["terraform"] == [f'{argument} = "https://kv/keys/k/1"{more}']
    assert found["bicep"] == [
        {
            "managedServices": (
                "Microsoft.Databricks/workspaces: properties.encryption.entities.managedServices: { keySource: "
                "'Microsoft.Keyvault', keyVaultProperties: { keyVaultUri: 'https://kv/', keyName: 'k', keyVersion: '1' } }"
            ),
            "managedDisk": (
                "Microsoft.Databricks/workspaces: properties.encryption.entities.managedDisk: { keySource: "
                "'Microsoft.Keyvault', keyVaultProperties: { keyVaultUri: 'https://kv/', keyName: 'k', keyVersion: '1' }, "
                "rotationToLatestKeyVersionEnabled: true }"
            ),
            "dbfsRoot": (
                "Microsoft.Databricks/workspaces: properties.parameters.encryption.value: { keySource: "
                "'Microsoft.Keyvault', keyvaulturi: 'https://kv/', KeyName: 'k', keyversion: '1' }"
            ),
        }[layer]
    ]


@pytest.mark.parametrize("layer", ["managedServices", "managedDisk", "dbfsRoot"])
def test_a_newer_version_by_hand_changes_nothing_else(layer: str) -> None:
    """The same words as for a first key; whether disks follow their key is left as its owner has it."""
    after = {"layer": layer, "vault": "https://kv/", "key": "k", "version": "2"}
    found = hints([_step(workspace.REPOINT, after)])
    whole = "".join([*found["az"], *found["terraform"], *found["bicep"]]).lower()

    assert [len(lines) for lines in found.values()] == [1, 1, 1]
    assert "2" in _az(_step(workspace.REPOINT, after))
    assert "rotation" not in whole


def test_the_commands_for_a_key_are_words_of_the_shell() -> None:
    """A policy is one word, and JSON; it rotates and sets no end."""
    words = shlex.split(az_rotation_policy("kv", "k; reboot", 335))

    assert shlex.split(az_rotate("kv", "$(reboot)")) == [
        "az", "keyvault", "key", "rotate", "--vault-name", "kv", "--name", "$(reboot)"
    ]  # fmt: skip
    assert words[:8] == ["az", "keyvault", "key", "rotation-policy", "update", "--vault-name", "kv", "--name"]
    assert words[8] == "k; reboot"
    assert json.loads(words[10]) == {
        "lifetimeActions": [{"trigger": {"timeAfterCreate": "P335D"}, "action": {"type": "Rotate"}}],
        "attributes": {},
    }


def test_a_step_of_a_person_has_no_command() -> None:
    """What is restarted and when is theirs to say."""
    assert hints([_step(workspace.RESTART, {"restarted": "all"})]) == {"az": [], "terraform": [], "bicep": []}


@given(st.sampled_from(["managedServices", "managedDisk", "dbfsRoot"]), NAMES, NAMES, NAMES)
def test_every_name_is_one_word_of_the_shell(layer: str, host: str, name: str, version: str) -> None:
    """Nothing that a name holds is run, expanded, or split."""
    words = _az(_encrypt(layer, host, name, version))

    assert [words[words.index(f"https://{host}/") + step] for step in (0, 2, 4)] == [f"https://{host}/", name, version]
    assert len(words) == {"managedServices": 12, "managedDisk": 14, "dbfsRoot": 14}[layer]
    assert name in _az(_key(name))


@given(st.sampled_from(["managedServices", "managedDisk", "dbfsRoot"]), NAMES, NAMES)
def test_every_name_is_a_literal_of_a_template(layer: str, name: str, version: str) -> None:
    """Terraform gets no template of its own to work out, Bicep no end of its string."""
    found = hints([_encrypt(layer, "kv", name, version)])
    address = f"https://kv/keys/{name}/{version}"

    terraform = (
        found["terraform"][0]
        .partition(" = ")[2]
        .removesuffix(", managed_disk_cmk_rotation_to_latest_version_enabled = true")
    )
    assert _terraform(terraform) == address
    (bicep,) = found["bicep"]
    # What is not a string is ours: with the strings taken out nothing of the names is left.
    literals = re.findall(r"'(?:[^'\\]|\\.)*'", bicep)
    assert [_bicep(it) for it in literals] == ["Microsoft.Keyvault", "https://kv/", name, version]
    assert re.fullmatch(r"[A-Za-z./{}:, ]+", re.sub(r"'(?:[^'\\]|\\.)*'", "", bicep))


def _terraform(literal: str) -> str:
    """Read a quoted template of HCL. Fails where it holds something to be worked out."""
    assert not re.search(r"(?<![$])(?:[$]{2})*[$]\{|(?<!%)(?:%%)*%\{", literal), f"{literal} is worked out"
    return str(json.loads(literal)).replace("$${", "${").replace("%%{", "%{")


def _bicep(literal: str) -> str:
    """Read a string of Bicep. Fails where it is none, or is not one as a whole."""
    found = re.fullmatch(r"'((?:[^'\\$\n\r]|\\[\\'$]|\\u\{[0-9a-f]+\}|[$](?!\{))*)'", literal)
    assert found, f"{literal!r} is no string of Bicep"
    return re.sub(r"\\(?:u\{([0-9a-f]+)\}|(.))", lambda it: it[2] or chr(int(it[1], 16)), found[1])


def test_principals_of_grants_are_literals_too() -> None:
    """Also where they are references: those stand for people, and are not for Terraform to work out."""
    named = {"tenantId": "t", "objectId": DISKS, "keys": ["get"]}
    role = {"principalId": DISKS, "principalType": "ServicePrincipal", "roleDefinitionId": "/roles/r"}
    at = f"{vault_id()}/keys/{key_name('')}"
    for step in (_step(grant.POLICY_SET, named, vault_id()), _step(grant.ROLE_ASSIGN, role, at)):
        found = hints([step])
        (terraform,) = found["terraform"]

        assert "$${managedDiskIdentity.principalId}" in terraform
        assert not re.search(r"(?<![$])[$]\{", terraform)
        assert "\\${managedDiskIdentity.principalId}" in found["bicep"][0]
        assert DISKS in _az(step)


def test_references_reach_the_shell_as_they_are() -> None:
    """A plan that was not carried out yet shows what is still to be filled in, and the shell does not fill it in."""
    words = _az(_encrypt("managedDisk", "kv", key_name(""), key_version("")))

    assert key_name("") in words
    assert key_version("") in words
