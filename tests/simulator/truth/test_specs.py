"""The check against the official documents: it sees what is known to be wrong in Azure's answers, and what is made wrong."""

import json
from functools import cache

import pytest

from tests.reference import REFERENCE, needs_reference
from tests.simulator.truth.specs import Sample, Specs, audit, recorded_samples
from tests.simulator.truth.swagger import family

pytestmark = needs_reference
VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"


@cache
def specs() -> Specs:
    """The documents, read once."""
    return Specs()


def _vault(**changes: object) -> Sample:
    properties = {
        "tenantId": "11111111-0000-4000-8000-000000000001",
        "sku": {"family": "A", "name": "standard"},
        **changes,
    }
    return Sample("GET", VAULT, "2026-05-15", 200, {"id": VAULT, "name": "v", "properties": properties})


def test_it_finds_what_azure_is_known_to_get_wrong() -> None:
    """Every listed kind of deviation of workspaces and role assignments is seen in the recordings again, and none more."""
    listed = json.loads((REFERENCE / "arm_traffic/_deviations_from_swagger.json").read_text())
    for name in ("databricks_workspaces", "role_assignments", "user_assigned_identities"):
        wanted = {each.removeprefix("value.[].") for each in listed[name]["deviations"]}
        document = family(listed[name]["spec"])
        found: set[str] = set()
        for sample in recorded_samples():
            operation = specs().operation(sample)
            if operation is not None and operation.family == document:
                found |= specs().deviations(operation, sample)

        assert wanted <= found
        assert len(found - wanted) <= 2  # the sequences hold a little more than the collection that was counted


@pytest.mark.parametrize(
    ("sample", "wrong"),
    [
        (_vault(surprise=1), "properties: undeclared property surprise"),
        (_vault(provisioningState="Happy"), "properties.provisioningState: value 'Happy' not in the spec's list"),
        (_vault(enableSoftDelete="true"), "properties.enableSoftDelete: str where boolean is declared"),
        (_vault(sku={"name": "standard"}), "properties.sku: required: 'family' is a required property"),
        (Sample("GET", VAULT, "2023-07-01", 204, None), "status 204 is not declared"),
        (Sample("DELETE", VAULT, "2023-07-01", 200, {"a": 1}), "a body with 200 is not declared"),
    ],
)
def test_what_is_made_wrong_fails(sample: Sample, wrong: str) -> None:
    """Another name, word, type, status or body, and a name left out."""
    result = audit(specs(), [sample])

    assert [line.partition("): ")[2] for line in result.wrong] == [wrong]


def test_the_nearest_document_is_asked() -> None:
    """The newest that is not newer than the request, the oldest otherwise; a preview only when one was asked for."""
    space = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w"
    versions = {}
    for asked in ("2016-01-01", "2018-04-01", "2023-05-01", "2026-01-01"):
        operation = specs().operation(Sample("GET", space, asked, 200, {}))
        versions[asked] = operation.version if operation else None

    assert versions == {
        "2016-01-01": "2018-04-01",
        "2018-04-01": "2018-04-01",
        "2023-05-01": "2023-02-01",
        "2026-01-01": "2024-05-01",
    }
    assert specs().operation(Sample("GET", "/subscriptions", "2022-12-01", 200, {})) is None


def test_a_right_answer_passes() -> None:
    """What Azure's own deviations cover passes as well."""
    assert audit(specs(), [_vault(), _vault(sku={"family": "A", "name": "Standard"})]).wrong == []
