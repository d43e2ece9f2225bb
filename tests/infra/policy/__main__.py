"""Prints the verdict tables: ours, and those of the built-ins where the reference data is there."""

from tests.infra.policy.cases import AZURES, OURS
from tests.infra.policy.pack import built_ins
from tests.infra.policy.table import table

print(table(OURS))  # noqa: T201 - this is what it is for
if built_ins():
    print("\n" + table(AZURES))  # noqa: T201 - as above
