"""The directory behind role assignments, and Microsoft Graph in front of it."""

from typing import Any

import pytest

from tests.simulator.arm.stage import ADA, IDENTITIES, SUB, TENANT, Stage, vault

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
READER = f"{AUTH}/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
DATABRICKS_APP = IDENTITIES["azure_databricks"]["client_id"]
DATABRICKS = IDENTITIES["azure_databricks"]["principal_id"]
TEAM, NOBODY = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-0000000000ff"


def assign(stage: Stage, scope: str, principal: str, number: int, **more: Any) -> Any:
    """PUT Reader for somebody."""
    body = {"properties": {"roleDefinitionId": READER, "principalId": principal, **more}}
    path = f"{scope}{AUTH}/roleAssignments/aaaaaaaa-0000-4000-8000-{number:012d}"
    return stage.call("PUT", path, body, version=API)


def graph(stage: Stage, path: str, body: Any = None, *, who: str = "owner", host: str = "", **params: str) -> Any:
    """One call to Graph: by path with a token for ARM, or by Host header with the reader's token for Graph."""
    headers = {}
    if host:
        token = stage.token("reader", f"https://{host}")
        who, headers = "", {"Host": host, "Authorization": f"Bearer {token}"}
    method = "POST" if body is not None else "GET"
    return stage.call(method, path, body, who=who, version=None, params=params, headers=headers)


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ("Microsoft.Databricks/workspaces/ws", "storageAccountIdentity"),
        ("Microsoft.Databricks/workspaces/ws", "managedDiskIdentity"),
        ("Microsoft.ManagedIdentity/userAssignedIdentities/mi", "properties"),
        ("Microsoft.Compute/diskEncryptionSets/des", "identity"),
        ("Microsoft.Web/sites/app", "attached"),
    ],
)
def test_identities_of_resources_exist(stage: Stage, where: str, field: str) -> None:
    """Wherever a body names one; with its resource it goes, save when it was only attached."""
    principal = f"bbbbbbbb-0000-4000-8000-{abs(hash((where, field))) % 10**12:012d}"
    group = f"/subscriptions/{SUB}/resourceGroups/rg-id-{field.lower()}"
    identity = {"principalId": principal, "clientId": principal[::-1].replace("-", "-"), "type": "SystemAssigned"}
    bodies: dict[str, Any] = {
        "properties": {"properties": identity},
        "identity": {"identity": identity},
        "attached": {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"/some/id": identity}}},
    }
    body = bodies.get(field, {"properties": {field: identity}})
    before = assign(stage, f"/subscriptions/{SUB}", principal, 1).status_code
    stage.tell("POST", "/seed", {"resources": [{"id": f"{group}/providers/{where}", **body}]})
    made = assign(stage, f"/subscriptions/{SUB}", principal, 1)
    stage.call("DELETE", group)
    left = stage.call("GET", made.json()["id"], version=API).json()["properties"]["principalType"]
    after = assign(stage, f"/subscriptions/{SUB}", principal, 1).status_code
    stage.call("DELETE", made.json()["id"], version=API)

    assert (before, made.status_code) == (400, 201)
    assert made.json()["properties"]["principalType"] == "ServicePrincipal"
    assert (left, after) == (("ServicePrincipal", 201) if field == "attached" else ("Unknown", 400))


def test_an_identity_of_a_resource_has_an_application(stage: Stage) -> None:
    """Azure tells it of every service principal, and Azure CLI does not list roles without it."""
    principal = "bbbbbbbb-0000-4000-8000-00000000aaaa"
    where = f"/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Databricks/workspaces/ws-app"
    properties = {"storageAccountIdentity": {"principalId": principal, "type": "SystemAssigned"}}
    stage.tell("POST", "/seed", {"resources": [{"id": where, "properties": properties}]})
    (shown,) = graph(stage, "/v1.0/directoryObjects/getByIds", {"ids": [principal]}).json()["value"]

    assert shown["servicePrincipalNames"] == [shown["appId"]]
    assert shown["appId"] not in {None, "", principal}


def test_a_new_identity_is_unknown_for_a_while(stage: Stage) -> None:
    """Unless its type is sent; what is seeded is never new."""
    group = stage.group("rg-young")
    stage.tell("POST", "/knobs", {"principal_seconds": 120, "workspace_seconds": 0})
    parameters = {"prepareEncryption": {"value": True}}
    properties = {"computeMode": "Hybrid", "managedResourceGroupId": f"{group}-mrg", "parameters": parameters}
    body = {"location": "westeurope", "sku": {"name": "premium"}, "properties": properties}
    path = f"{group}/providers/Microsoft.Databricks/workspaces/ws-young"
    assert stage.call("PUT", path, body, version="2026-01-01").status_code == 201
    found = stage.call("GET", path, version="2026-01-01").json()["properties"]["storageAccountIdentity"]
    young = assign(stage, group, found["principalId"], 1)
    wrong = assign(stage, group, found["principalId"], 1, principalType="Group")
    typed = assign(stage, group, found["principalId"], 1, principalType="ServicePrincipal")
    stage.call("DELETE", typed.json()["id"], version=API)
    stage.tell("POST", "/clock", {"advance": 121})
    ripe = assign(stage, group, found["principalId"], 1)
    seeded = {"id": "cccccccc-0000-4000-8000-000000000001"}
    stage.tell("POST", "/seed", {"principals": [seeded]})
    old = assign(stage, group, seeded["id"], 2)
    stage.call("DELETE", group)

    assert young.json()["error"]["code"] == wrong.json()["error"]["code"] == "PrincipalNotFound"
    assert (typed.status_code, ripe.status_code, old.status_code) == (201, 201, 201)


def test_seeding_says_who_was_nobody(stage: Stage) -> None:
    """Entries without id or of no known type are refused, the others taken; `removed` takes one out."""
    entries = [{"id": TEAM, "type": "group", "displayName": "Team"}, {"type": "User"}, {"id": TEAM, "type": "Robot"}, 7]
    told = stage.tell("POST", "/seed", {"principals": entries})["principals"]
    stage.tell("POST", "/seed", {"principals": [{"id": TEAM, "removed": True}]})

    assert (told["seeded"], told["refused"]) == (1, entries[1:])
    assert graph(stage, f"/v1.0/groups/{TEAM}").status_code == 404


def test_graph_names_directory_objects(stage: Stage) -> None:
    """What `az role assignment list` asks for: all kinds at once, unknown ids left out, types picked."""
    ids = [DATABRICKS, ADA["object_id"], NOBODY]
    both = graph(stage, "/v1.0/directoryObjects/getByIds", {"ids": ids}).json()
    people = graph(stage, "/v1.0/directoryObjects/getByIds", {"ids": ids, "types": ["user"]}).json()
    wrong = graph(stage, "/v1.0/directoryObjects/getByIds", {"ids": ["x"]})

    assert both["@odata.context"].endswith("$metadata#directoryObjects")
    assert {each["id"]: each["@odata.type"] for each in both["value"]} == {
        DATABRICKS: "#microsoft.graph.servicePrincipal",
        ADA["object_id"]: "#microsoft.graph.user",
    }
    assert [each["displayName"] for each in people["value"]] == ["Ada Approver"]
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (400, "Invalid GUID:x")


@pytest.mark.parametrize("host", ["", "graph.microsoft.com"])
def test_graph_finds_a_service_principal_by_application(stage: Stage, host: str) -> None:
    """Keyed, filtered, and as Azure CLI filters; by Host and by path."""
    keyed = graph(stage, f"/v1.0/servicePrincipals(appId='{DATABRICKS_APP}')", host=host).json()
    texts = [f"appId eq '{DATABRICKS_APP}'", f"servicePrincipalNames/any(c:c eq '{DATABRICKS_APP}')"]
    rows = [graph(stage, "/v1.0/servicePrincipals", host=host, **{"$filter": text}).json()["value"] for text in texts]
    none = graph(stage, f"/v1.0/servicePrincipals(appId='{NOBODY}')", host=host)
    odd = graph(stage, "/v1.0/servicePrincipals", host=host, **{"$filter": "startswith(displayName,'a')"})

    assert (keyed["id"], keyed["displayName"], keyed["appId"]) == (DATABRICKS, "AzureDatabricks", DATABRICKS_APP)
    assert [[each["id"] for each in found] for found in rows] == [[DATABRICKS]] * 2
    assert (none.status_code, none.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert odd.status_code == 400


def test_graph_shows_members_domains_and_the_caller(stage: Stage) -> None:
    """The rest that the clients of LOCAL 8 ask for."""
    stage.tell("POST", "/seed", {"principals": [{"id": TEAM, "type": "Group", "members": [DATABRICKS]}]})
    members = graph(stage, f"/v1.0/groups/{TEAM}/members").json()["value"]
    groups = graph(stage, f"/v1.0/servicePrincipals/{DATABRICKS}/transitiveMemberOf").json()["value"]
    domains = graph(stage, "/v1.0/domains").json()["value"]
    me = graph(stage, "/v1.0/me").json()
    by_name = graph(stage, "/v1.0/users/ada.approver@example.com").json()
    unknown = graph(stage, "/v1.0/devices")
    stage.tell("POST", "/seed", {"principals": [{"id": TEAM, "removed": True}]})

    assert [each["id"] for each in members] == [DATABRICKS]
    assert [each["id"] for each in groups] == [TEAM]
    assert [(each["id"], each["isDefault"]) for each in domains] == [("example.com", True)]
    assert me["userPrincipalName"] == "olga.owner@example.com"
    assert by_name["id"] == ADA["object_id"]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "BadRequest")


def test_the_old_graph_answers_cloud_custodian(stage: Stage) -> None:
    """POST /{tenant}/getObjectsByObjectIds of graph.windows.net."""
    body = {"objectIds": [DATABRICKS, NOBODY], "includeDirectoryObjectReferences": True}
    answer = graph(stage, f"/{TENANT}/getObjectsByObjectIds", body, host="graph.windows.net", **{"api-version": "1.6"})

    assert answer.json()["value"] == [
        {
            "odata.type": "Microsoft.DirectoryServices.ServicePrincipal",
            "objectType": "ServicePrincipal",
            "objectId": DATABRICKS,
            "displayName": "AzureDatabricks",
            "appId": DATABRICKS_APP,
        }
    ]


def test_graph_wants_a_token_for_itself(stage: Stage) -> None:
    """Its own audience by Host, none at all is a 401, and a knob shuts out applications."""
    path, host = "/v1.0/domains", "graph.microsoft.com"
    token = stage.token("reader", "https://graph.microsoft.com/")
    own = stage.call("GET", path, who="", version=None, headers={"Host": host, "Authorization": f"Bearer {token}"})
    arms = stage.token("reader", "https://management.azure.com/")
    wrong = stage.call("GET", path, who="", version=None, headers={"Host": host, "Authorization": f"Bearer {arms}"})
    none = graph(stage, path, who="")
    stage.tell("POST", "/knobs", {"graph_closed": True})
    closed = graph(stage, path, who="reader")
    person = graph(stage, path)

    assert (own.status_code, wrong.status_code, none.status_code) == (200, 401, 401)
    assert (closed.status_code, closed.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert person.status_code == 200


def test_a_group_in_an_assignment_is_named_by_type(stage: Stage) -> None:
    """The directory knows better than a request that says nothing."""
    group = stage.group("rg-typed")
    stage.call("PUT", f"{group}/providers/Microsoft.KeyVault/vaults/kv-typed", vault())
    stage.tell("POST", "/seed", {"principals": [{"id": TEAM, "type": "Group"}]})
    types = [
        assign(stage, group, principal, number).json()["properties"]["principalType"]
        for number, principal in enumerate((TEAM, DATABRICKS, str(ADA["object_id"])))
    ]
    stage.call("DELETE", group)
    stage.tell("POST", "/seed", {"principals": [{"id": TEAM, "removed": True}]})

    assert types == ["Group", "ServicePrincipal", "User"]
