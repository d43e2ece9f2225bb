"""What an unmodified Azure CLI says of vaults that the app has narrowed, and what the app's own commands do when typed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.client import until
from simulator.clients.app_stage import AppStage
from simulator.clients.azure_cli import NAME, AzureCli
from simulator.clients.report import Report
from simulator.clients.stage import SECRET
from simulator.used_vault import CRYPTO_OFFICER, CRYPTO_USER, NARROW, UsedVault, assignment, guid

STRANGER = guid("a stranger at the vault")
THREE = ["get", "unwrapKey", "wrapKey"]
GROUPS = ("keys", "secrets", "certificates", "storage")
ADA, AMIT, DANA = 1, 2, 3  # places in the list of people
_VAULTS = "2023-07-01"


def check(stage: AppStage, report: Report) -> None:
    """A vault of each model: narrowed by the app, read and written by Azure CLI."""
    az = AzureCli(stage, "narrowing")
    client = stage.azure.facts["identities"]["operator"]["client_id"]
    ran = az.run(f"login --service-principal --username {client} --password {SECRET} --tenant {stage.tenant}")
    report.expect_done(NAME, "login, beside the app", ran)
    known = [{"id": STRANGER, "type": "User", "displayName": "A stranger"}]
    stage.tell("POST", "/seed", {"principals": known})
    _policies(stage, az, report)
    _roles(stage, az, report)


def _policies(stage: AppStage, az: AzureCli, report: Report) -> None:
    at = UsedVault(stage.azure.facts, "kv-narrow-policies", _group(stage))
    stranger = at.policy(STRANGER, ["Get", "Purge", "all"], secrets=["Set"])
    too_much = {
        "managedServices": at.policy(at.identities["managedServices"], ["all"], secrets=["Get", "List"]),
        "managedDisk": at.policy(at.identities["managedDisk"], ["get", "wrapkey", "unwrapkey", "GetRotationPolicy"]),
        "dbfsRoot": at.policy(at.identities["dbfsRoot"], ["GET", "wrapKey", "unwrapKey", "recover"], secrets=["get"]),
    }
    stage.seed(at.bodies([too_much["managedServices"], stranger, too_much["dbfsRoot"], too_much["managedDisk"]]))
    _narrowed(stage, at)
    show = f"keyvault show --name {at.name} --query properties.accessPolicies"
    ran = az.run(show)
    shown = {entry["objectId"]: entry["permissions"] for entry in ran.json() or []}
    for layer, principal in at.identities.items():
        held = sorted((shown.get(principal) or {}).get("keys") or [])
        report.expect(NAME, f"keyvault show: keys, {layer}", ran if layer == "dbfsRoot" else ran.again(), THREE, held)
    kept = {group: words for group, words in (shown.get(STRANGER) or {}).items() if words}
    report.expect(NAME, "keyvault show: a stranger's policy", ran.again(), stranger["permissions"], kept)
    before = _said(shown)
    for layer, principal in at.identities.items():
        (line,) = _record(stage, at, principal)["hints"]["az"]
        report.expect_done(NAME, f"keyvault set-policy, as hinted, {layer}", az.run(line.removeprefix("az ")))
    ran = az.run(show)
    after = _said({entry["objectId"]: entry["permissions"] for entry in ran.json() or []})
    report.expect(NAME, "  and every policy is as it was", ran, before, after, f"{len(before)} policies")


def _roles(stage: AppStage, az: AzureCli, report: Report) -> None:
    at = UsedVault(stage.azure.facts, "kv-narrow-roles", _group(stage), rbac=True)
    stage.seed(at.bodies())
    stage.seed([assignment(at.id, it, CRYPTO_OFFICER) for it in at.identities.values()])
    stage.seed([assignment(at.id, STRANGER, CRYPTO_USER, "User")])
    stranger = [STRANGER, CRYPTO_USER, at.id]
    broad = sorted([*([it, CRYPTO_OFFICER, at.id] for it in at.identities.values()), stranger])
    listing = f"role assignment list --scope {at.id}"
    ran = az.run(listing)
    report.expect(NAME, "role assignment list: before", ran, broad, _held(ran.json()), "all broad")
    _narrowed(stage, at)
    narrow = sorted([*([it, NARROW, at.id] for it in at.identities.values()), stranger])
    ran = az.run(listing)
    report.expect(NAME, "role assignment list: after", ran, narrow, _held(ran.json()), "the narrow role, nothing else")
    for layer, principal in at.identities.items():
        for command in _undo(stage, _record(stage, at, principal)):
            report.expect_done(
                NAME, f"role assignment create, as proposed, {layer}", az.run(command.removeprefix("az "))
            )
    ran = az.run(listing)
    # An undo gives back; what was given meanwhile stays beside it.
    back = [it for it in _held(ran.json()) if it[1] != NARROW]
    report.expect(NAME, "  and the start is back", ran, broad, back, "same role, principal, scope")


def _group(stage: AppStage) -> str:
    subscription = stage.azure.facts["subscriptions"][0]
    stage.azure.put_group(subscription, "rg-narrowing").raise_for_status()
    return f"/subscriptions/{subscription}/resourceGroups/rg-narrowing"


def _narrowed(stage: AppStage, at: UsedVault) -> None:
    """Write the vault's tags as its owner: an event follows, and what the app makes of it is waited for."""
    stage.azure.arm("PATCH", at.id, _VAULTS, {"tags": {"touched": "once"}}).raise_for_status()
    until(lambda: set(at.identities.values()) <= _resolved(stage, at), f"{at.name} narrowed", 60)


def _resolved(stage: AppStage, at: UsedVault) -> set[str]:
    rows = stage.azure.app("/api/remediations", target=at.id, control="KV-ACCESS", state="resolved")["items"]
    return {str(row["subject"]) for row in rows}


def _record(stage: AppStage, at: UsedVault, principal: str) -> Any:
    row = stage.azure.row(at.id, "KV-ACCESS", principal)
    return stage.azure.app(f"/api/remediations/{row['id']}") if row else {}


def _undo(stage: AppStage, record: Any) -> list[str]:
    """Ask for the way back and have somebody else agree; returns the commands that it then proposes to the owner."""
    wish = {"comment": "still needed", "until": (datetime.now(UTC) + timedelta(days=10)).isoformat()}
    answer = stage.azure.call("POST", f"/api/remediations/{record['id']}/undo", ADA, body=wish)
    answer.raise_for_status()
    undo = answer.json()
    path = f"/api/remediations/{undo['id']}"
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    yes = {"fingerprint": undo["plan"]["fingerprint"], "comment": "seen", "expires": soon}
    # Two, in case the Activity Log does not say yet who made the last change.
    for person in (AMIT, DANA):
        if stage.azure.app(path)["state"] == "awaiting_approval":
            stage.azure.call("POST", f"{path}/approve", person, body=yes).raise_for_status()
    until(lambda: stage.azure.app(path)["state"] == "observed", "the owner's turn", 60)
    commands: list[str] = undo["finding"]["evidence"]["proposed"]
    return commands


def _said(shown: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """What policies allow, by principal: the CLI keeps neither order nor case, and nothing may be an empty list or none."""
    return {
        who: {group: sorted(word.lower() for word in permissions[group]) for group in GROUPS if permissions.get(group)}
        for who, permissions in shown.items()
    }


def _held(rows: Any) -> list[list[str]]:
    return sorted([it["principalId"], it["roleDefinitionId"].rsplit("/", 1)[1], it["scope"]] for it in rows or [])
