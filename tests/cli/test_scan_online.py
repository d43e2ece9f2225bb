"""A scan of a local Azure: what it finds, what it reads for that, and how it goes on where Azure will not answer."""

import json
from typing import Any

from tests.cli.desk import Desk, verdicts

UNSEEN = "99999999-2c6d-4f0a-8b1e-5d9c7a3e0009"


def scanned(desk: Desk, *args: str, **environ: str) -> tuple[int, dict[str, Any], str]:
    """Scan for JSON; return the exit code, the report and what was said."""
    done = desk.scan("-o", "json", *args, **environ)
    return done.returncode, json.loads(done.stdout), done.stderr


def test_the_estate_is_judged_as_the_app_would(desk: Desk) -> None:
    """Each planted fault is found, nothing else is, and what is sound is said to be."""
    code, whole, said = scanned(desk)
    found = verdicts(whole["items"])
    databricks = desk.facts["identities"]["azure_databricks"]["principal_id"]

    assert {name: text for name, text in found.items() if text.startswith("NonCompliant")} == {
        ("kv-open", "KV-RECOVERY", ""): "NonCompliant PurgeProtectionIsOff",
        ("kv-open", "KV-LOGS", ""): "NonCompliant AuditLogIsOff",
        ("kv-broad", "KV-ACCESS", databricks): "NonCompliant KeyPermissionsTooBroad",
        ("dbw-bare", "DBX-CMK", ""): "NonCompliant PlatformKey",
        ("dbw-bare", "DBX-TAGS", ""): "NonCompliant TagMissing",
        ("dbw-kv-broad", "DBX-TAGS", ""): "NonCompliant TagMissing",
        ("dbw-kv-sound", "DBX-TAGS", ""): "NonCompliant TagMissing",
        ("dbw-kv-broad", "KEY-ROTATION", "managedServices"): "NonCompliant NoRotationPolicy",
        ("dbw-kv-sound", "KEY-ROTATION", "managedServices"): "NonCompliant NoRotationPolicy",
    }
    assert found["kv-sound", "KV-RECOVERY", ""] == "Compliant Recoverable"
    assert found["dbw-kv-sound", "DBX-CMK", "managedServices"] == "Compliant OnCustomerKey"
    assert found["kv-sound", "KV-LOGS", ""] == "Compliant AuditLogIsSent"
    assert found["kv-sound", "KV-DEDICATED", ""] == "Compliant Dedicated"
    assert found["kv-sound", "KEY-KNOWN", ""] == "NotApplicable NoRecord"
    assert found["kv-plain", "KV-RECOVERY", ""] == "NotApplicable NotACmkVault"
    assert whole["counts"]["findings"] == {"critical": 1, "high": 2, "medium": 3, "low": 3}
    assert (code, whole["counts"]["targets"], whole["unread"]) == (3, 7, [])
    assert "looked at 7 of 7" in said


def test_a_scan_only_reads(desk: Desk) -> None:
    """Not one write goes out; of a vault that is no CMK vault nothing is read but itself, and nothing is read twice."""
    desk.azure.manage("DELETE", "/journal")
    desk.scan()
    calls = [(it["method"], it["path"]) for it in desk.azure.manage("GET", "/journal")["items"]]

    assert {method for method, path in calls if "ResourceGraph" not in path} == {"GET"}
    assert [path for _, path in calls if "kv-plain" in path] == [desk.vault("kv-plain")]
    asked = [call for call in calls if "ResourceGraph" not in call[1] and "roleDefinitions" not in call[1]]
    assert sorted(asked) == sorted(set(asked))


def test_one_subscription(desk: Desk) -> None:
    """Only what lies in it is judged. All of it is sound, and so the scan ends well."""
    code, whole, _ = scanned(desk, "--subscription", desk.subscription(1).upper())

    assert {it["target"].rsplit("/", 1)[1] for it in whole["items"]} == {"kv-sound", "dbw-kv-sound"}
    assert code == 0


def test_a_management_group(desk: Desk) -> None:
    """Every subscription below it."""
    _, whole, _ = scanned(desk, "--management-group", str(desk.facts["tenant"]))

    assert whole["counts"]["targets"] == 7


def test_a_group_that_cannot_be_seen_is_not_everything(desk: Desk) -> None:
    """Nothing below it can be seen: nothing is scanned, and that is no clean end."""
    code, whole, _ = scanned(desk, "--management-group", "mg-nowhere")

    assert (code, whole["items"]) == (4, [])
    assert [it["what"] for it in whole["unread"]] == ["management group mg-nowhere"]


def test_a_subscription_that_cannot_be_seen_is_named(desk: Desk) -> None:
    """The rest is judged, the missing one is a gap, and the scan is partial."""
    code, whole, said = scanned(desk, "--subscription", desk.subscription(1), "--subscription", UNSEEN)

    assert [(it["what"], it["reason"]) for it in whole["unread"]] == [(f"subscription {UNSEEN}", "NotVisible")]
    assert (code, whole["counts"]["targets"]) == (4, 2)
    assert "1 thing(s) could not be read" in said


def test_a_vault_that_may_not_be_read_is_unknown(desk: Desk) -> None:
    """It is named with Azure's reason, never compliant, and makes the scan partial."""
    fault = {"method": "GET", "path": "vaults/kv-sound$", "times": 0, "status": 403, "code": "AuthorizationFailed"}
    desk.azure.manage("POST", "/faults", [fault])
    code, whole, _ = scanned(desk, "--subscription", desk.subscription(1))
    found = verdicts(whole["items"])

    assert found["kv-sound", "KV-RECOVERY", ""] == "Unknown AuthorizationFailed"
    assert found["kv-sound", "KV-ACCESS", ""] == "Unknown AuthorizationFailed"
    assert found["dbw-kv-sound", "DBX-CMK", ""].startswith("NotApplicable")  # no rule asks for anything there
    assert code == 4


def test_what_else_could_be_read_is_still_judged(desk: Desk) -> None:
    """Who is denied what cannot be read: access is unknown, recovery is not."""
    fault = {
        "method": "GET",
        "path": "vaults/kv-sound/providers/.*/locks$",
        "times": 0,
        "status": 403,
        "code": "AuthorizationFailed",
    }
    desk.azure.manage("POST", "/faults", [fault])
    _, whole, _ = scanned(desk, "--subscription", desk.subscription(1))
    found = verdicts(whole["items"])

    assert found["kv-sound", "KV-RECOVERY", ""] == "Compliant Recoverable"
    assert found["kv-sound", "KV-ACCESS", ""] == "Unknown AuthorizationFailed"


def test_findings_outweigh_what_is_unknown(desk: Desk) -> None:
    """Whoever makes one vault unreadable does not hide the finding of another; without 3 there is still 4."""
    fault = {"method": "GET", "path": "vaults/kv-plain$", "times": 0, "status": 403, "code": "AuthorizationFailed"}
    desk.azure.manage("POST", "/faults", [fault])

    assert desk.scan().returncode == 3
    assert desk.scan("--soft-fail").returncode == 4
    assert desk.scan("--fail-on", "never").returncode == 4


def test_throttling_is_waited_out(desk: Desk) -> None:
    """Azure says when to come back, and then it answers: the report is whole."""
    fault = {"method": "GET", "path": "vaults/kv-sound$", "times": 2, "status": 429, "headers": {"Retry-After": "1"}}
    desk.azure.manage("POST", "/faults", [fault])
    code, whole, said = scanned(desk, "--subscription", desk.subscription(1))

    assert (code, verdicts(whole["items"])["kv-sound", "KV-RECOVERY", ""]) == (0, "Compliant Recoverable")
    assert "2 calls were put off by Azure" in said


def test_what_never_gets_better_is_given_up(desk: Desk) -> None:
    """After some tries it is a fact that it could not be read."""
    fault = {"method": "GET", "path": "vaults/kv-sound$", "times": 0, "status": 503, "headers": {"Retry-After": "0"}}
    desk.azure.manage("POST", "/faults", [fault])
    code, whole, _ = scanned(desk, "--subscription", desk.subscription(1))
    line = next(it for it in whole["items"] if it["control"] == "KV-RECOVERY")

    assert (code, line["verdict"]) == (4, "Unknown")
    assert "asked 6 times" in line["message"]


def test_who_databricks_is_must_be_known(desk: Desk) -> None:
    """Without its object id nobody can say who holds what: unknown, and a person is told how to find it."""
    code, whole, said = scanned(desk, "--subscription", desk.subscription(1), CMK_DATABRICKS_PRINCIPAL_ID="")

    assert verdicts(whole["items"])["kv-sound", "KV-ACCESS", ""] == "Unknown DatabricksPrincipalUnknown"
    assert (code, "az ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d" in said) == (4, True)


def test_what_is_shown_and_what_counts(desk: Desk) -> None:
    """--severity hides lines, not failures; --fail-on says from where on a finding is one."""
    code, whole, _ = scanned(desk, "--severity", "critical")

    assert {it["severity"] for it in whole["items"]} == {"critical"}
    assert code == 3
    assert desk.scan("--fail-on", "critical", "--severity", "critical").returncode == 3
    assert desk.scan("--soft-fail").returncode == 0
    assert desk.scan("--fail-on", "never").returncode == 0


def test_the_settings_count(desk: Desk) -> None:
    """The same rules by the same settings: in CMK_VAULT_SCOPE=all the plain vault is one to judge."""
    _, whole, _ = scanned(desk, "--subscription", desk.subscription(0), CMK_VAULT_SCOPE="all")

    assert verdicts(whole["items"])["kv-plain", "KV-RECOVERY", ""] == "NonCompliant PurgeProtectionIsOff"


def test_nobody_is_signed_in(desk: Desk) -> None:
    """No token and no Azure CLI: one sentence that says what to do, and no report."""
    done = desk.scan(CMKWARDEN_ARM_TOKEN="", PATH="/nonexistent")

    assert (done.returncode, done.stdout) == (1, "")
    assert "az login" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_that_is_none(desk: Desk) -> None:
    """Azure refuses it."""
    done = desk.scan(CMKWARDEN_ARM_TOKEN="not-a-token")

    assert (done.returncode, done.stdout) == (1, "")
    assert "InvalidAuthenticationToken" in done.stderr


def test_azure_is_not_to_be_had(desk: Desk) -> None:
    """Nobody listens there."""
    done = desk.scan("--arm-url", "https://127.0.0.1:9")

    assert (done.returncode, done.stdout) == (1, "")
    assert "ConnectionLost" in done.stderr
