"""Settings: read once, all problems at once, and documented everywhere they must be."""

import json
import sys
from datetime import timedelta

import pytest

from remediators import REMEDIATORS
from shared.core.choices import Mode, VaultScope
from shared.settings import SETTINGS, SettingsError, read
from shared.wiring import build
from simulator.stack import ROOT

CONTROLS = tuple(it.control.id for it in REMEDIATORS)
LEAST = {"AzureWebJobsStorage__accountName": "acct", "CMK_WRITER_CLIENT_ID": "w"}


def test_the_least_that_must_be_set() -> None:
    """With a storage account and a writer everything else has a default, and the default does nothing by itself."""
    found = read(LEAST, CONTROLS)

    assert (found.part, found.choices.mode, found.choices.auto_scope) == ("all", Mode.AUTO, ())
    assert found.queue_url == "https://acct.queue.core.windows.net"


def test_everything_is_read() -> None:
    """Each kind of value comes out as what the core works with."""
    found = read(
        {
            **LEAST,
            "CMK_AUTO_SCOPE": "11111111-2C6D-4f0a-8b1e-5d9c7a3e0001, /subscriptions/s/resourceGroups/RG/",
            "CMK_VAULT_SCOPE": "ALL",
            "CMK_MODE_KV_RECOVERY": "observe",
            "CMK_FREEZE": "2026-12-20T00:00Z/2027-01-03T00:00+01:00",
            "CMK_SANDBOXES": "Lab, play ",
            "CMK_VAULT_TAG": "holds = Keys",
            "CMK_RETRY_DELAY": "5",
            "CMK_KILL_SWITCH": "TRUE",
            "CMK_API_AUDIENCE": "api://Mixed-Case,abc",
        },
        CONTROLS,
    )
    choices = found.choices

    assert choices.auto_scope == (
        "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001",
        "/subscriptions/s/resourcegroups/rg",
    )
    assert (choices.vault_scope, choices.mode_of("KV-RECOVERY")) == (VaultScope.ALL, Mode.OBSERVE)
    assert choices.freezes[0].ends - choices.freezes[0].begins == timedelta(days=13, hours=23)
    assert (choices.sandboxes, choices.vault_tag) == (frozenset({"lab", "play"}), ("holds", "Keys"))
    assert (choices.retry_delay, choices.kill_switch) == (timedelta(seconds=5), True)
    assert found.api_audiences == ("api://Mixed-Case", "abc")


def test_all_problems_are_reported_together() -> None:
    """A tired person mends all settings in one go: the error lists every problem, with what would be right."""
    wrong = {
        "CMK_MODE": "yes",
        "CMK_SHARE": "101",
        "CMK_FREEZE": "tomorrow",
        "CMK_AUTO_SCOPE": "/tenants/x",
        "CMK_VAULT_TAG": "tag",
        "CMK_ARM_URL": "http://plain",
        "CMK_MOOD": "x",
        "CMK_MODE_KV_RECOVERIES": "auto",
        "CMK_MODE_KV_RECOVERY": "maybe",
    }
    with pytest.raises(SettingsError) as caught:
        read(wrong, CONTROLS)

    text = str(caught.value)
    assert all(name in text for name in wrong)
    assert "did you mean CMK_MODE?" in text
    assert "AzureWebJobsStorage__queueServiceUri" in text
    assert "CMK_WRITER_CLIENT_ID must be set" in text


def test_one_control_can_be_off_and_never_all_of_them() -> None:
    """Whoever wants nothing written has CMK_KILL_SWITCH, which says so everywhere."""
    with pytest.raises(SettingsError) as caught:
        read({"CMK_MODE": "off", "CMK_MODE_KV_RECOVERY": "off"}, CONTROLS)

    assert "CMK_MODE='off': must be one of observe, approve, auto" in str(caught.value)
    assert "CMK_MODE_KV_RECOVERY" not in str(caught.value)


def test_the_front_needs_no_writer() -> None:
    """The part that takes events and requests holds no identity that can write."""
    assert read({"AzureWebJobsStorage__accountName": "a", "CMK_PART": "front"}, CONTROLS).writer_client_id == ""


def test_the_sample_and_the_docs_hold_every_setting() -> None:
    """local.settings.sample.json and docs/settings.md name each setting; the docs say what it means."""
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    docs = (ROOT / "docs/settings.md").read_text()

    names = {setting.name for setting in SETTINGS}
    modes = {f"CMK_MODE_{control.replace('-', '_')}" for control in CONTROLS}
    azures_own = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage__credential"}
    assert set(values) == names | modes | azures_own | {"AzureWebJobsStorage__blobServiceUri"}
    assert [setting.name for setting in SETTINGS if f"`{setting.name}`" not in docs] == []
    assert [setting.name for setting in SETTINGS if setting.meaning not in docs] == []


def test_the_sample_is_readable() -> None:
    """The sample starts an app as it stands."""
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]

    assert read(values, CONTROLS).part == "all"


def test_telemetry_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter is an extra: asked for and not installed, the app says so at its start."""
    monkeypatch.setitem(sys.modules, "azure.monitor.opentelemetry", None)
    settings = read({**LEAST, "CMK_TELEMETRY": "azure-monitor"}, ())

    with pytest.raises(SettingsError, match=r"requirements-telemetry\.txt"):
        build(settings, ())
