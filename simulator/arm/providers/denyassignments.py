"""Deny assignments, to be read: seeded ones and those that come with a Databricks workspace.

Creating them through ARM exists since 2024-07-01-preview (Azure/azure-cli#33109) and is not imitated.
"""

import re

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.denials import EVERYBODY, Denial
from simulator.arm.providers.odata import named
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold

TYPE = "Microsoft.Authorization/denyAssignments"
FILTER = re.compile(
    r"\s*(?:(?P<at>atScope\(\))|denyAssignmentName\s+eq\s+'(?P<name>[^']*)'|principalId\s+eq\s+'(?P<principal>[^']*)'"
    r"|assignedTo\('(?P<assigned>[^']*)'\))\s*",
    re.IGNORECASE,
)


def read(call: Call) -> Answer:
    """GET."""
    for denial in call.sim.access.denials:
        if fold(str(denial.body["id"])) == call.target.id:
            return Answer(200, denial.body)
    raise Refused(404, "DenyAssignmentNotFound", f"The deny assignment '{call.target.name}' is not found.")


def list_denials(call: Call) -> Answer:
    """Those that reach a scope from above, and unless `atScope()` is asked for, those below it (swagger 2022-04-01)."""
    scope, tree = fold(call.target.scope), call.sim.access.tree
    wanted = named(call.query.get("$filter", ""), FILTER)
    above = set(tree.above(scope))
    found: list[Json] = []
    for denial in call.sim.access.denials:
        below = "at" not in wanted and tree.is_above(scope, denial.scope)
        if (denial.scope in above or below) and _fits(call, denial, wanted):
            found.append(denial.body)
    return page(call, sorted(found, key=lambda body: fold(str(body["id"]))))


def _fits(call: Call, denial: Denial, wanted: dict[str, str]) -> bool:
    """By name; by principal, alone or with the groups it is in."""
    if "name" in wanted and fold(denial.name) != wanted["name"]:
        return False
    if "principal" in wanted:
        return wanted["principal"] in denial.principals
    if "assigned" in wanted:
        return bool(denial.principals.intersection([EVERYBODY, *call.sim.directory.circle(wanted["assigned"])]))
    return True


KINDS = (Kind(TYPE, item={"GET": read}, collection={"GET": list_denials}),)
