"""Resource Graph: the part of Kusto that is there, and the form of its answers."""

import json
import re
from typing import Any

import pytest
from azure.mgmt.resourcegraph import ResourceGraphClient

from simulator.arm.kql import Invalid, compile_query
from tests.reference import REFERENCE, bodies, needs_reference
from tests.simulator.arm.stage import SUB, Stage

API = "2021-03-01"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
TABLES = {"resources": ("id", "name", "type", "location", "tags", "properties")}
ROWS: list[dict[str, Any]] = [
    {
        "id": "/a",
        "name": "Alpha-one",
        "type": "t/v",
        "location": "eastus",
        "tags": {"env": "prod"},
        "properties": {"on": True, "n": 7},
    },
    {
        "id": "/b",
        "name": "beta",
        "type": "t/v",
        "location": "westeurope",
        "tags": None,
        "properties": {"n": 90, "list": [1, 2]},
    },
    {"id": "/c", "name": "gamma", "type": "t/w", "location": "eastus", "tags": {}, "properties": None},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("where type == 't/v'", ["/a", "/b"]),
        ("where type =~ 'T/V' and name != 'beta'", ["/a"]),
        ("where name !~ 'BETA'", ["/a", "/c"]),
        ("where name contains 'AMM' or name startswith 'alp'", ["/a", "/c"]),
        ("where name has 'one'", ["/a"]),
        ("where name has 'on'", []),
        ("where name in~ ('BETA', \"gamma\")", ["/b", "/c"]),
        ("where name !in ('beta')", ["/a", "/c"]),
        ("where properties.on == true", ["/a"]),
        ("where properties.on != true", ["/b", "/c"]),
        ("where tostring(properties.on) == 'true'", ["/a"]),
        ("where properties.n > 7", ["/b"]),
        ("where isnotempty(tags.env)", ["/a"]),
        ("where tags['env'] =~ 'PROD'", ["/a"]),
        ("where not(type == 't/v') // a comment", ["/c"]),
        ("where (location == 'eastus' and type == 't/w') or tolower(name) == 'beta'", ["/b", "/c"]),
        ("where array_length(properties.list) == 2", ["/b"]),
        ("where split(name, '-')[-1] == 'one'", ["/a"]),
        ("order by name", ["/c", "/b", "/a"]),
        ("order by location asc, name desc | take 2", ["/c", "/a"]),
        ("top 1 by properties.n", ["/b"]),
        ("extend big = properties.n > 50 | where big | project-away big", ["/b"]),
        ("where tostring(properties) contains '\"list\":[1,2]'", ["/b"]),
    ],
)
def test_operators(query: str, expected: list[str]) -> None:
    """Each operator picks the rows it should, with Kusto's ideas of case, nulls and order."""
    rows = compile_query(f"resources | {query}", TABLES).run(ROWS)

    assert [row["id"] for row in rows] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("project id | limit 1", [{"id": "/a"}]),
        ("project n = properties.n, tags.env | take 1", [{"n": 7, "tags_env": "prod"}]),
        ("summarize count()", [{"count_": 3}]),
        ("where name == 'x' | summarize count()", [{"count_": 0}]),
        ("summarize c = count() by type", [{"type": "t/v", "c": 2}, {"type": "t/w", "c": 1}]),
        ("summarize countif(location == 'eastus'), m = max(properties.n)", [{"countif_": 2, "m": 90}]),
        ("distinct location", [{"location": "eastus"}, {"location": "westeurope"}]),
        ("count", [{"Count": 3}]),
        ("project x = iff(isnull(properties), 'none', strcat(name, '!')) | top 1 by x", [{"x": "none"}]),
    ],
)
def test_shaping(query: str, expected: list[dict[str, Any]]) -> None:
    """Projections, sums and counts have Kusto's column names."""
    assert compile_query(f"Resources | {query}", TABLES).run(ROWS) == expected


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("resources | where", "<EOF>"),
        ("resources | where name ==", "<EOF>"),
        ("resources | project nonsense", "nonsense"),
        ("resources | parse name with x", "parse"),
        ("resources | where name = 'x'", "="),
        ("resources | where dostuff(name)", "dostuff"),
        ("nowhere | where 1 == 1", "nowhere"),
        ("resources |", "<EOF>"),
        ("resources | where name == 'open", "'"),
    ],
)
def test_what_cannot_be_parsed_is_refused_with_its_place(query: str, token: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Invalid) as refused:
        compile_query(query, TABLES)

    assert refused.value.token.text == token


@pytest.fixture
def many(stage: Stage) -> str:
    """Five vaults in a group; returns the start of a query that finds them."""
    group = f"/subscriptions/{SUB}/resourceGroups/RG-Graph"
    bodies = [
        {
            "id": f"{group}/providers/Microsoft.KeyVault/vaults/kv-graph{n}",
            "type": "Microsoft.KeyVault/vaults",
            "location": "eastus",
            "properties": {"sku": {"name": "standard"}},
        }
        for n in range(5)
    ]
    stage.tell("POST", "/seed", {"resources": bodies})
    return "resources | where name startswith 'kv-graph' | order by id asc"


def ask(stage: Stage, query: str, who: str = "reader", version: str = API, **more: Any) -> Any:
    """POST a query."""
    return stage.call("POST", GRAPH, {"query": query, **more}, who=who, version=version)


def test_the_sdk_asks_and_pages(stage: Stage, many: str) -> None:
    """Rows, counts and the token; `resultTruncated` is a string on the wire."""
    client = ResourceGraphClient(stage.credential("reader"), **stage.sdk())
    body: Any = {"subscriptions": [SUB], "query": f"{many} | project id, name", "options": {"$top": 2}}

    first = client.resources(body)
    raw = ask(stage, f"{many} | project id", options={"$top": 2, "$skip": 3}).json()

    assert (first.total_records, first.count) == (5, 2)
    rows: Any = first.data
    assert [row["name"] for row in rows] == ["kv-graph0", "kv-graph1"]
    assert first.skip_token
    assert raw["resultTruncated"] == "false"
    assert raw["facets"] == []
    assert [row["id"][-1] for row in raw["data"]] == ["3", "4"]
    assert "$skipToken" not in raw


def test_a_token_leads_to_the_next_page_and_needs_an_id(stage: Stage, many: str) -> None:
    """Without `id` among the columns there is no token and the answer says so."""
    first = ask(stage, f"{many} | project id", options={"$top": 3}).json()
    second = ask(stage, f"{many} | project id", options={"$top": 3, "$skipToken": first["$skipToken"]}).json()
    blind = ask(stage, f"{many} | project name", options={"$top": 3}).json()

    assert [row["id"][-1] for row in first["data"] + second["data"]] == list("01234")
    assert ("$skipToken" in blind, blind["resultTruncated"]) == (False, "true")


def test_rows_look_as_in_azure(stage: Stage, many: str) -> None:
    """Types are in lower case, the group too; nothing that is missing is left out."""
    row = ask(stage, f"{many} | take 1").json()["data"][0]

    assert (row["type"], row["subscriptionId"]) == ("microsoft.keyvault/vaults", SUB)
    assert row["id"].startswith(f"/subscriptions/{SUB}/resourceGroups/RG-Graph/")
    assert row["resourceGroup"] == "rg-graph"
    assert (row["kind"], row["tags"], row["identity"]) == ("", None, None)


def test_old_versions_answer_with_a_table(stage: Stage, many: str) -> None:
    """Before 2021-03-01 without a wish; later only when asked."""
    old = ask(stage, f"{many} | project id, name | take 1", version="2020-04-01-preview").json()["data"]
    wished = ask(stage, f"{many} | project name | take 1", options={"resultFormat": "table"}).json()["data"]

    assert [column["name"] for column in old["columns"]] == ["id", "name"]
    assert old["rows"][0][1] == "kv-graph0"
    assert wished == {"columns": [{"name": "name", "type": "string"}], "rows": [["kv-graph0"]]}


def test_only_what_the_caller_may_read_is_found(stage: Stage, many: str) -> None:
    """An identity without a role sees nothing, and a subscription that was not asked for is left out."""
    assert ask(stage, many, who="azure_databricks").json()["totalRecords"] == 0
    assert ask(stage, many, subscriptions=["22222222-0000-4000-8000-000000000002"]).json()["totalRecords"] == 0


def test_the_index_may_lag(stage: Stage, many: str) -> None:
    """A new vault is found when the clock has moved on."""
    stage.tell("POST", "/knobs", {"graph_lag": 30})
    late = f"/subscriptions/{SUB}/resourceGroups/RG-Graph/providers/Microsoft.KeyVault/vaults/kv-graphlate"
    stage.tell("POST", "/seed", {"resources": [{"id": late}]})
    before = ask(stage, many).json()["totalRecords"]
    stage.tell("POST", "/clock", {"advance": 31})
    after = ask(stage, many).json()["totalRecords"]
    stage.call("DELETE", late)
    stage.tell("POST", "/clock", {"advance": 31})

    assert (before, after) == (5, 6)


@needs_reference
def test_a_bad_query_is_refused_as_recorded(stage: Stage) -> None:
    """Same keys at every level; the quota headers are there too."""
    samples = json.loads((REFERENCE / "samples/recorded_arm_errors.json").read_text())["errors"]
    known = next(each["response_body"]["error"] for each in samples if "InvalidQuery" in str(each))

    answer = ask(stage, "where where")
    error = answer.json()["error"]

    assert answer.status_code == 400
    assert error.keys() == known.keys()
    assert error["code"] == known["code"]
    assert error["details"][0] == known["details"][0]
    assert error["details"][1].keys() == known["details"][1].keys()
    assert answer.headers["x-ms-user-quota-remaining"].isdigit()


def test_subscriptions_and_assignments_have_tables_of_their_own(stage: Stage) -> None:
    """They are called resourcecontainers and authorizationresources."""
    kinds = ask(stage, "resourcecontainers | summarize count() by type | project type", who="owner").json()["data"]
    grants = ask(stage, "authorizationresources | where type has 'roleassignments' | count", who="owner").json()

    assert {"type": "microsoft.resources/subscriptions/resourcegroups"} in kinds
    assert grants["data"][0]["Count"] >= 3


def azure_queries() -> list[str]:
    """The queries that AZURE.md section 6 recommends, as they stand there."""
    page = (REFERENCE.parent / "AZURE.md").read_text()
    section = page.partition("\n## 6.")[2].partition("\n## 7.")[0]
    return re.findall(r"```kusto\n(.*?)```", section, re.DOTALL)


@needs_reference
def test_the_inventory_query_gives_the_facts_of_recorded_bodies(stage: Stage) -> None:
    """Every recorded workspace and vault is a row, with what its body says."""
    found = [body for category in ("keyvault_vaults", "databricks_workspaces") for body in _recorded(category)]
    stage.tell("POST", "/seed", {"resources": found})
    rows = {row["id"].lower(): row for row in _all(stage, azure_queries()[0])}

    for body in found:
        row, properties = rows[body["id"].lower()], body["properties"]
        layer = (properties.get("encryption") or {}).get("entities", {}).get("managedServices", {})
        assert row["state"] == (properties.get("provisioningState") or "")
        assert row["purge"] == properties.get("enablePurgeProtection")
        assert row["vaultUri"] == str(properties.get("vaultUri") or "").lower()
        assert row["msKey"] == layer.get("keyVaultProperties", {}).get("keyName", "")
        assert row["policies"] == (len(properties["accessPolicies"]) if "accessPolicies" in properties else None)
    assert {row["isWs"] for row in rows.values() if "isWs" in row} == set()


def test_the_query_for_role_assignments_finds_those_on_vaults(stage: Stage, many: str) -> None:
    """Their scopes and roles in lower case; what lies on other resources is left out."""
    if not (REFERENCE.parent / "AZURE.md").exists():
        pytest.skip("no reference page")
    role = "/providers/Microsoft.Authorization/roleDefinitions/E147488A-F6F5-4113-8E2D-B22465E65BF6"
    for name, scope in (("kv-graph0", "KeyVault/vaults/kv-graph0"), ("x", "Databricks/workspaces/x")):
        where = f"/subscriptions/{SUB}/resourceGroups/RG-Graph/providers/Microsoft.{scope}"
        properties = {
            "principalId": name,
            "scope": where,
            "roleDefinitionId": role,
            "createdOn": "2026-01-02T03:04:05Z",
        }
        identity = f"{where}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-0000000000ff"
        stage.tell("POST", "/seed", {"resources": [{"id": identity, "properties": properties}]})

    rows = ask(stage, azure_queries()[1], who="owner").json()["data"]

    mine = [row for row in rows if row["principalId"] in {"kv-graph0", "x"}]
    assert [(row["principalId"], row["roleGuid"]) for row in mine] == [("kv-graph0", role.rsplit("/", 1)[1].lower())]
    assert mine[0]["createdOn"] == "2026-01-02T03:04:05.0000000Z"


def test_roles_that_are_built_in_have_rows(stage: Stage) -> None:
    """And other tables that Azure has are empty here, not unknown."""
    query = "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' and name =~ '{}'"
    guid = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    found = ask(stage, f"{query.format(guid)} | project role = tostring(properties.roleName)").json()["data"]

    assert found == [{"role": "Key Vault Crypto Service Encryption User"}]
    assert ask(stage, "securityresources | count").json()["data"] == [{"Count": 0}]


def test_a_join_over_the_port(stage: Stage, many: str) -> None:
    """Both sides are what the caller may read."""
    right = "join kind=leftouter (resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
    query = f"{many} | project id, subscriptionId | {right}| project subscriptionId, owner = name) on subscriptionId"
    rows = ask(stage, query, who="owner").json()["data"]

    assert {row["owner"] for row in rows} == {"main"}
    assert len(rows) == 5


def test_too_many_joins_are_refused(stage: Stage) -> None:
    """With a code of their own in the details."""
    error = ask(stage, "resources" + " | union resourcecontainers" * 4).json()["error"]

    assert (error["code"], error["details"][0]["code"]) == ("BadRequest", "DisallowedMaxNumberOfRemoteTables")


def test_fifteen_queries_in_five_seconds(stage: Stage, many: str) -> None:
    """The quota is counted for each user, shown always, held when the knob says so, and refilled by the clock."""
    stage.tell("POST", "/clock", {"advance": 6})
    stage.tell("POST", "/knobs", {"throttling": "on"})
    answers = [ask(stage, f"{many} | count") for _ in range(16)]
    other = ask(stage, many, who="owner")
    stage.tell("POST", "/clock", {"advance": 6})
    later = ask(stage, many)

    assert [int(each.headers["x-ms-user-quota-remaining"]) for each in answers] == [*range(14, -1, -1), 0]
    assert [each.status_code for each in answers] == [200] * 15 + [429]
    assert answers[15].json()["error"]["code"] == "RateLimiting"
    assert answers[15].headers["x-ms-user-quota-resets-after"].startswith("00:00:0")
    assert "Retry-After" not in answers[15].headers
    assert (other.status_code, later.status_code) == (200, 200)


def _recorded(category: str) -> list[dict[str, Any]]:
    kind = "Microsoft.KeyVault/vaults" if category == "keyvault_vaults" else "Microsoft.Databricks/workspaces"
    return list({each["id"].lower(): each for each in bodies(category, kind) if each.get("properties")}.values())


def _all(stage: Stage, query: str) -> list[dict[str, Any]]:
    """Every page."""
    rows, options = [], dict[str, Any]()
    while True:
        reply = ask(stage, query, who="owner", options=options).json()
        rows += reply["data"]
        if "$skipToken" not in reply:
            return rows
        options = {"$skipToken": reply["$skipToken"]}
