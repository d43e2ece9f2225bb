"""A scan of exported JSON: every form that the Azure CLI and Resource Graph print, recorded answers, and garbage."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.scan.export import BadExportError, decoded, exported
from cli.scan.offline import scan_export
from cli.scan.output import Form, rendered
from cli.scan.settings import scan_settings
from remediators import REMEDIATORS
from shared.core.report import Line, Report
from tests.cli.desk import run
from tests.reference import bodies, needs_reference

GROUP = "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001/resourceGroups/rg/providers"
VAULT, WORKSPACE = f"{GROUP}/Microsoft.KeyVault/vaults/kv", f"{GROUP}/Microsoft.Databricks/workspaces/dbw"
TENANT, TAGGED = "7a1c0f5e-0d3b-4b7e-9a52-3f6f2a0c1d00", {"cmk-vault": "true"}
KINDS = {"keyvault_vaults": "Microsoft.KeyVault/vaults", "databricks_workspaces": "Microsoft.Databricks/workspaces"}


def judged(text: str, **environ: str) -> tuple[Line, ...]:
    """Judge an export."""
    seen, _ = scan_export(scan_settings(environ, [it.control.id for it in REMEDIATORS]), text)
    return seen.lines


def verdicts(text: str, **environ: str) -> dict[tuple[str, str, str], str]:
    """Return verdict and reason by name, control and subject."""
    return {(it.name, it.control, it.subject): f"{it.verdict} {it.reason}" for it in judged(text, **environ)}


def vault(tags: Mapping[str, str] | None = None, *, purge: bool = False) -> dict[str, Any]:
    """A vault as `az keyvault show` prints it."""
    properties: dict[str, Any] = {
        "tenantId": TENANT, "enableSoftDelete": True, "enablePurgeProtection": purge or None,
        "vaultUri": "https://kv.vault.azure.net/", "accessPolicies": [], "provisioningState": "Succeeded",
    }  # fmt: skip
    return {
        "id": VAULT, "name": "kv", "type": "Microsoft.KeyVault/vaults", "location": "westeurope", "tags": dict(tags or {}),
        "resourceGroup": "rg", "systemData": None, "properties": properties,
    }  # fmt: skip


def workspace(
    tags: Mapping[str, str] | None = None, *, layers: tuple[str, ...] = ("managedServices",)
) -> dict[str, Any]:
    """A workspace in ARM's shape, its layers under a key of the vault."""
    key = {"keyVaultUri": "https://kv.vault.azure.net:443/", "keyName": "k", "keyVersion": "0" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key}
    properties = {
        "provisioningState": "Succeeded", "workspaceUrl": "adb-1.1.azuredatabricks.net", "computeMode": "Hybrid",
        "encryption": {"entities": dict.fromkeys(layers, entity)} if layers else None,
        "parameters": {"enableNoPublicIp": {"type": "Bool", "value": True}},
    }  # fmt: skip
    return {
        "id": WORKSPACE, "name": "dbw", "type": "Microsoft.Databricks/workspaces", "location": "westeurope", "tags": dict(tags or {}),
        "sku": {"name": "premium"}, "properties": properties,
    }  # fmt: skip


def flattened(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same as `az databricks workspace show` prints it: the properties beside the rest."""
    return {
        **{name: value for name, value in body.items() if name != "properties"},
        **body["properties"],
        "resourceGroup": "rg",
    }


def underscored(value: Any) -> Any:
    """The same with names as older versions spell them."""
    if isinstance(value, dict):
        return {
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name): underscored(each)
            for name, each in value.items()
        }
    return value


def table(*rows: Mapping[str, Any]) -> dict[str, Any]:
    """Rows as Resource Graph answered before 2021."""
    names = ("id", "type", "location", "tags", "sku", "properties")
    columns = [{"name": name, "type": "object"} for name in names]
    return {
        "count": len(rows),
        "data": {"columns": columns, "rows": [[row.get(name) for name in names] for row in rows]},
    }


BOTH = vault(), workspace({"data-sensitivity": "restricted"})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BOTH),
        json.dumps({"value": BOTH, "nextLink": None}),
        json.dumps({"count": 2, "data": BOTH, "skip_token": None, "total_records": 2}),
        json.dumps([{"value": [each]} for each in BOTH]),
        json.dumps(table(*BOTH)),
        "\n".join(json.dumps(each) for each in BOTH),
        "\r\n\r\n".join(json.dumps(each, indent=4) for each in BOTH) + "\n",
        json.dumps([BOTH[0], flattened(BOTH[1])]),
        json.dumps([BOTH[0], underscored(flattened(BOTH[1]))]),
        json.dumps([{**each, "id": each["id"].upper(), "type": each["type"].lower()} for each in BOTH]),
    ],
    ids=["array", "value", "data", "pages", "table", "lines", "pretty", "flattened", "underscored", "casing"],
)
def test_every_form_is_read_alike(text: str) -> None:
    """However it was printed: the workspace uses the vault, whose purge protection is off, and has bare layers."""
    found = {
        (name.lower(), control, subject): said
        for (name, control, subject), said in verdicts(text, CMK_TENANT_ID=TENANT).items()
    }

    assert found["kv", "KV-RECOVERY", ""] == "NonCompliant PurgeProtectionIsOff"
    assert found["kv", "KV-ACCESS", ""] == "Unknown NotInExport"
    assert found["dbw", "DBX-CMK", ""] == "NonCompliant PlatformKey"
    assert found["dbw", "DBX-CMK", "managedServices"] == "NonCompliant VaultNotProtected"


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_coding_that_shells_write(coding: str) -> None:
    """Windows PowerShell redirects in UTF-16."""
    text = decoded(json.dumps(vault({**TAGGED, "owner": "Zoë"}), ensure_ascii=False).encode(coding))

    assert verdicts(text)["kv", "KV-RECOVERY", ""] == "NonCompliant PurgeProtectionIsOff"


def test_that_nobody_in_the_export_uses_a_vault_proves_nothing() -> None:
    """Without a tag and without a user in the export it may still be one: unknown, whatever its protection."""
    for purge in (False, True):
        found = verdicts(json.dumps([vault(purge=purge), workspace(layers=())]))

        assert found["kv", "KV-RECOVERY", ""] == "Unknown NotInExport"
        assert found["kv", "KV-ACCESS", ""] == "Unknown NotInExport"


def test_what_the_vault_itself_says_is_believed() -> None:
    """A tagged, protected vault is recoverable; who may use its keys cannot be told without all who use it."""
    found = verdicts(json.dumps(vault(TAGGED, purge=True)))

    assert found == {
        ("kv", "KV-RECOVERY", ""): "Compliant Recoverable",
        ("kv", "KV-ACCESS", ""): "Unknown NotInExport",
        ("kv", "KV-DELETED", ""): "Unknown NotInExport",
        ("kv", "KV-LOGS", ""): "Unknown NotInExport",
        ("kv", "KV-DEDICATED", ""): "Unknown NotInExport",
        ("kv", "KEY-SHARED", ""): "Unknown NotInExport",
        ("kv", "KEY-KNOWN", ""): "Unknown NotInExport",
    }


def test_a_layer_is_never_sound_by_an_export() -> None:
    """Its key and its grants are not in there: unknown, with or without its vault."""
    for whole in ([vault(purge=True), workspace()], [workspace()]):
        for it in judged(json.dumps(whole), CMK_ALL_WORKSPACES="true", CMK_LAYERS="managedServices"):
            assert it.control not in {"DBX-CMK", "KEY-ROTATION"} or it.verdict != "Compliant"
            # What the body of a target itself says is enough for these three.
            own = it.control in {"KV-RECOVERY", "DBX-TIER", "DBX-TAGS"}
            assert it.subject or it.verdict == "Unknown" or own


def test_declared_identities_are_not_in_an_export() -> None:
    """What they may do cannot be judged: nothing is asked of Azure, and nothing breaks."""
    identity = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id"
    found = verdicts(json.dumps(vault(TAGGED)), CMK_IDENTITIES=identity, CMK_KEY_VAULTS=VAULT)

    assert found["kv", "KV-ACCESS", ""] == "Unknown NotInExport"


def test_a_row_without_properties_says_nothing() -> None:
    """`az resource list` prints no properties: reading that as 'all off' would be a false alarm."""
    rows = [{**each, "properties": None, "provisioningState": "Succeeded"} for each in BOTH]
    found = verdicts(json.dumps(rows))

    assert found["kv", "KV-RECOVERY", ""] == "Unknown BadArmAnswer"
    assert found["dbw", "DBX-CMK", ""] == "Unknown BadArmAnswer"


def test_the_last_that_can_be_read_counts() -> None:
    """Exports are appended to; what says nothing does not outweigh what does."""
    rows = [vault(TAGGED), vault(TAGGED, purge=True), {**vault(), "properties": None}]

    assert verdicts(json.dumps(rows))["kv", "KV-RECOVERY", ""] == "Compliant Recoverable"


def test_what_is_neither_is_counted() -> None:
    """Keys, policies and deleted vaults lie below a vault or beside it; they are none."""
    others = [
        {"id": f"{VAULT}/keys/k", "type": "Microsoft.KeyVault/vaults/keys"},
        {"id": f"{VAULT}/accessPolicies/", "type": "Microsoft.KeyVault/vaults/accessPolicies", "properties": {}},
        {"id": VAULT.replace("vaults", "managedHSMs"), "type": "Microsoft.KeyVault/managedHSMs"},
        {"name": "x"}, 7, None, "text",
    ]  # fmt: skip
    export = exported(json.dumps([*others, vault()]))

    assert (len(export.found), export.strangers) == (1, 7)


def test_the_line_of_the_file() -> None:
    """Reports say where in the file a target stands."""
    text = json.dumps([workspace(), vault(TAGGED)], indent=1)
    line = next(it for it in judged(text) if it.control == "KV-RECOVERY")

    assert f'"id": "{VAULT}"' in text.splitlines()[line.at - 1]


def test_one_without_a_sound_id_is_a_gap() -> None:
    """It says that it is a vault, and nobody can tell which: not judged, not passed over."""
    seen, _ = scan_export(scan_settings({}, ()), json.dumps([{**vault(), "id": "/subscriptions/x"}, vault()]))

    assert [it.reason for it in seen.gaps] == ["BadResourceId"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "it is empty"),
        (b"\xff\x00\x81", "byte 0"),
        (b'{"id": 1,\n "x": }', "line 2, column 7"),
        (b"not json at all", "line 1, column 1"),
        (b'[{"id": "/x"}]', "no vault and no workspace"),
        (b"[" * 100_000, "line 1"),
        (json.dumps(vault()).replace("[]", "[" * 5000 + "]" * 5000).encode(), "nested too deep"),
        (b"7" * 5000, "line 1"),
        (b'{"id": "/x"}\n\n{"id": ', "line 3"),
    ],
    ids=["empty", "bytes", "broken", "text", "strangers", "deep", "body", "digits", "cut"],
)
def test_garbage(raw: bytes, words: str) -> None:
    """Each kind is refused with the place and the reason."""
    with pytest.raises(BadExportError, match=words):
        scan_export(scan_settings({}, ()), decoded(raw))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda it: (
            st.lists(it, max_size=4)
            | st.dictionaries(
                st.sampled_from(["id", "type", "properties", "tags", "value", "data", "sku", "rows", "columns"]),
                it,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_breaks_it(value: Any) -> None:
    """Whatever JSON comes, with or without a vault's id in it: judged or refused, never an error of ours."""
    for whole in (
        value,
        {**vault(), "tags": value},
        {**vault(), "properties": value},
        {**workspace(), "properties": {"encryption": value}},
    ):
        try:
            seen, _ = scan_export(scan_settings({}, ()), json.dumps(whole))
        except BadExportError:
            continue
        assert all(it.verdict for it in seen.lines)


def test_an_empty_list_is_no_error() -> None:
    """An estate without vaults is one."""
    done = run("--input", "-", "-o", "json", given=b"[]")

    assert (done.returncode, json.loads(done.stdout)["items"]) == (0, [])
    assert "nothing to judge" in done.stderr


def test_through_a_pipe() -> None:
    """`az keyvault list ... | cmkwarden scan --input -`; what is neither is said on stderr."""
    done = run("--input", "-", "-o", "sarif", given=json.dumps([vault(TAGGED), {"id": "/x"}]).encode())
    results = json.loads(done.stdout)["runs"][0]["results"]

    assert (done.returncode, [it["ruleId"] for it in results]) == (
        3,
        ["KV-RECOVERY", "KV-DELETED", "KEY-SHARED", "KV-ACCESS", "KEY-KNOWN", "KV-DEDICATED", "KV-LOGS"],
    )
    assert "1 object(s) are neither vaults nor workspaces" in done.stderr
    assert "physicalLocation" not in results[0]["locations"][0]


def test_garbage_through_a_pipe() -> None:
    """It ends with 2, the place, and no traceback; what is foreign in it does nothing to a terminal."""
    done = run("--input", "-", given=b'{"a": \x1b[2J}')

    assert (done.returncode, done.stdout) == (2, "")
    assert "stdin: line 1, column 7" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("form", list(Form))
def test_hostile_words_from_a_workspace_do_nothing(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, a vault's host and a tag of a workspace go into messages and evidence: in no form do they do anything."""
    monkeypatch.setenv("COLUMNS", "400")
    body = json.dumps(workspace({"data-sensitivity": "restricted"}))
    word = "=cmd()<script>@channel$(reboot)\x1b[2J\u202e\ud800"
    hostile = body.replace('"k"', json.dumps(word)).replace("https://kv.", json.dumps(f"https://{word}.")[1:-1])
    settings = scan_settings({"CMK_ALL_WORKSPACES": "true", "CMK_LAYERS": "managedServices"}, ())
    seen, _ = scan_export(settings, hostile)
    controls = tuple(it.control for it in REMEDIATORS)
    whole = Report("cmkwarden", "0", seen.made, seen.scope, controls, seen.lines, seen.gaps, "a file.json")
    text = rendered(whole, form, color=False)

    assert "$(reboot)" in text
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202e\ud800]", text)
    if form in {Form.HTML, Form.JUNIT}:
        assert "<script" not in text


@needs_reference
@pytest.mark.parametrize("category", sorted(KINDS))
def test_recorded_answers_each_get_a_verdict(category: str) -> None:
    """Each body that Azure has ever answered with, alone: a line from every control that speaks of its kind."""
    kind = KINDS[category]
    wanted = {it.control.id for it in REMEDIATORS if kind in it.control.targets}
    found = bodies(category, kind)

    assert len(found) > 20
    for body in found:
        lines = judged(json.dumps(body))
        assert {it.control for it in lines} == wanted, body["id"]
        assert {it.target.lower() for it in lines} == {body["id"].lower()}
        assert not [it for it in lines if it.verdict == "Compliant" and it.control != "KV-RECOVERY"]


@needs_reference
def test_a_recorded_workspace_flattened_is_the_same_workspace() -> None:
    """As the Azure CLI prints it, in both spellings: the same verdicts, word for word."""
    found = bodies("databricks_workspaces", "Microsoft.Databricks/workspaces")
    whole = [verdicts(json.dumps(body), CMK_ALL_WORKSPACES="true") for body in found]

    assert [verdicts(json.dumps(flattened(body)), CMK_ALL_WORKSPACES="true") for body in found] == whole
    assert any("NonCompliant PlatformKey" in it.values() for it in whole)
