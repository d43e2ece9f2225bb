"""Who holds a role for how long, as Privileged Identity Management (PIM) shows it: every assignment as an instance of a schedule.

Fields are those of the client of 2020-10-01 [SDK authorization 4.0.0]; what Azure puts into them is recorded nowhere. An
instance that is seeded stands in place of the one that follows from its `originRoleAssignmentId`.
"""

import uuid

from simulator.arm.answer import Answer, Json
from simulator.arm.providers.authorization import reaching
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route

TYPE = "Microsoft.Authorization/roleAssignmentScheduleInstances"


def list_instances(call: Call) -> Answer:
    """Those of the assignments that a list of assignments at this scope, with this filter, would show."""
    seeded = {_origin(body): body for body in call.sim.world.of_kind(fold(TYPE))}
    return page(call, [seeded.get(fold(str(each["id"]))) or _instance(each) for each in reaching(call)])


def _origin(instance: Json) -> str:
    return fold(str((instance.get("properties") or {}).get("originRoleAssignmentId")))


def _instance(assignment: Json) -> Json:
    """An assignment that was made outside PIM: it holds from its creation on, without end."""
    held = assignment.get("properties") or {}
    target = route(str(assignment["id"]))
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, target.id))
    where = "" if target.scope == "/" else target.scope
    return {
        "properties": {
            **{field: held.get(field) for field in ("scope", "roleDefinitionId", "principalId", "principalType")},
            "roleAssignmentScheduleId": None,
            "originRoleAssignmentId": assignment["id"],
            "linkedRoleEligibilityScheduleId": None,
            "linkedRoleEligibilityScheduleInstanceId": None,
            "status": "Provisioned",
            "startDateTime": held.get("createdOn"),
            "endDateTime": None,
            "assignmentType": "Assigned",
            "memberType": "Direct",
            "condition": held.get("condition"),
            "conditionVersion": held.get("conditionVersion"),
            "createdOn": held.get("createdOn"),
        },
        "id": f"{where}/providers/{TYPE}/{name}",
        "type": TYPE,
        "name": name,
    }


KINDS = (Kind(TYPE, collection={"GET": list_instances}),)
