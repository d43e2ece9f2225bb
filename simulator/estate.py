"""Who and what exists in the local Azure before anything is seeded: invented names and fixed ids."""

from typing import Any

TENANT = "7a1c0f5e-0d3b-4b7e-9a52-3f6f2a0c1d00"
AUDIENCE = "api://cmkwarden"
CLIENT_ID = "c11e0001-3d7a-4c52-9f1b-6a0e8d2b0501"  # of the application that browsers sign in to: the app itself
SUBSCRIPTIONS = [
    {"id": "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001", "name": "Claims analytics"},
    {"id": "22222222-2c6d-4f0a-8b1e-5d9c7a3e0002", "name": "Fraud detection"},
    {"id": "33333333-2c6d-4f0a-8b1e-5d9c7a3e0003", "name": "Research"},
]
IDENTITIES: dict[str, dict[str, str]] = {
    "reader": {
        "client_id": "4ead0001-58f1-4a6b-b0c4-1f7d2e9a0101",
        "principal_id": "4ead0002-58f1-4a6b-b0c4-1f7d2e9a0102",
    },
    "writer": {
        "client_id": "3417e001-58f1-4a6b-b0c4-1f7d2e9a0201",
        "principal_id": "3417e002-58f1-4a6b-b0c4-1f7d2e9a0202",
    },
    "azure_databricks": {
        "client_id": "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        "principal_id": "db0c0002-58f1-4a6b-b0c4-1f7d2e9a0302",
    },
    "operator": {  # whoever types commands; holds nothing until it is seeded
        "client_id": "0be4a700-58f1-4a6b-b0c4-1f7d2e9a0401",
        "principal_id": "0be4a700-58f1-4a6b-b0c4-1f7d2e9a0402",
    },
}
# Vaults for keys of workspaces, as the deployment names them: one for each of two regions, and one to be picked.
_KEYS = "/subscriptions/{}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/{}"
KEY_VAULTS: dict[str, str] = {
    f"{SUBSCRIPTIONS[0]['id']}/westeurope": _KEYS.format(SUBSCRIPTIONS[0]["id"], "kv-keys-west"),
    f"{SUBSCRIPTIONS[0]['id']}/northeurope": _KEYS.format(SUBSCRIPTIONS[0]["id"], "kv-keys-north"),
    "": _KEYS.format(SUBSCRIPTIONS[1]["id"], "kv-keys-free"),
}
# Where audit logs of vaults are sent; nothing is kept there, only the right to send is looked at.
LOGS = f"/subscriptions/{SUBSCRIPTIONS[2]['id']}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/log-cmk"
# What the deployment itself consists of; nothing of it is kept, only its ids are shown.
_APP = f"/subscriptions/{SUBSCRIPTIONS[0]['id']}/resourceGroups/rg-cmkwarden/providers"
SITE, ACCOUNT = f"{_APP}/Microsoft.Web/sites/cmkwarden", f"{_APP}/Microsoft.Storage/storageAccounts/devstoreaccount1"
PEOPLE: list[dict[str, Any]] = [
    {"name": "Rada Reader", "object_id": "9e000001-6b1a-4d55-8e0b-aa0000000001", "roles": ["Remediation.Reader"]},
    {"name": "Ada Approver", "object_id": "9e000002-6b1a-4d55-8e0b-aa0000000002", "roles": ["Remediation.Approver"]},
    {"name": "Amit Approver", "object_id": "9e000003-6b1a-4d55-8e0b-aa0000000003", "roles": ["Remediation.Approver"]},
    {"name": "Dana Admin", "object_id": "9e000004-6b1a-4d55-8e0b-aa0000000004", "roles": ["Remediation.Admin"]},
    {"name": "Nora Newcomer", "object_id": "9e000005-6b1a-4d55-8e0b-aa0000000005", "roles": []},
    {  # no person: an application that was given an app role
        "name": "Release pipeline",
        "object_id": "9e000006-6b1a-4d55-8e0b-aa0000000006",
        "roles": ["Remediation.Approver"],
        "client_id": "9e000006-6b1a-4d55-8e0b-aa0000000016",
    },
]
