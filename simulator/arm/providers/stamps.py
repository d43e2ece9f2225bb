"""Who did it and when, as resource providers write it into the bodies they keep.

Forms are those of databricks_workspaces.jsonl: `createdBy` of Databricks has object ids, `systemData` of ARM has names.
"""

import uuid

from simulator.arm.answer import Json
from simulator.arm.clock import stamp
from simulator.arm.providers.shape import Call


def who(call: Call) -> Json:
    """The caller as Databricks notes it; only people have a puid (recorded: INDEX, shape 5)."""
    named: Json = {"oid": call.caller.oid}
    if call.caller.is_person:
        named["puid"] = "1003" + uuid.uuid5(uuid.NAMESPACE_OID, call.caller.oid).hex[:12].upper()
    return {**named, "applicationId": str(call.caller.claims.get("appid", ""))}


def system_data(call: Call, old: Json | None) -> Json:
    """ARM's own note: the first caller stays, the last one changes."""
    now = stamp()[:-1] + "+00:00"
    kind = "User" if call.caller.is_person else "Application"
    born = {"createdBy": call.caller.shown, "createdByType": kind, "createdAt": now}
    kept = {name: each for name, each in ((old or {}).get("systemData") or {}).items() if name.startswith("created")}
    return {
        **(born if old is None else kept),
        "lastModifiedBy": call.caller.shown,
        "lastModifiedByType": kind,
        "lastModifiedAt": now,
    }
