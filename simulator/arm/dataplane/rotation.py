"""Rotation policies: kept in ARM's form, shown in the data plane's, where actions have a capital letter.

A key without a policy still answers one that only notifies (AZURE 2.3). Nothing rotates by itself here.
"""

import re
import time

from simulator.arm.answer import Answer, Json
from simulator.arm.dataplane import shapes, texts
from simulator.arm.dataplane.call import VaultCall
from simulator.arm.router import fold

SPAN = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", re.IGNORECASE)
DAY = 86_400
SHORTEST = 7 * DAY  # [SECDOCS] in AZURE 2.3
DEFAULT = {"lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}]}


def seconds(span: str) -> int:
    """Length of an ISO 8601 duration of years, months and days; 0 when it is none."""
    match = SPAN.fullmatch(span or "")
    if match is None:
        return 0
    years, months, days = (int(each or 0) for each in match.groups())
    return (years * 365 + months * 30 + days) * DAY


async def read_policy(call: VaultCall) -> Answer:
    """GET …/rotationpolicy; the default body has no id and null for attributes, as recorded."""
    call.need("getrotationpolicy")
    key = call.key()
    policy = key["properties"].get("rotationPolicy")
    if not policy:
        return Answer(200, {**DEFAULT, "attributes": None})
    return Answer(200, _shown(key, policy))


async def write_policy(call: VaultCall) -> Answer:
    """PUT …/rotationpolicy."""
    call.need("setrotationpolicy")
    key, sent = call.key(), call.body()
    policy = policy_of(sent, key["properties"].get("rotationPolicy"))
    call.sim.keys.set_policy(key, policy)
    return Answer(200, _shown(key, policy))


def policy_of(sent: Json, old: Json | None = None) -> Json:
    """What will be kept of a policy that was sent, on either plane; too short a time is refused."""
    now = int(time.time())
    given = sent.get("attributes") or {}
    attributes: Json = {"created": ((old or {}).get("attributes") or {}).get("created", now), "updated": now}
    if given.get("expiryTime"):
        attributes["expiryTime"] = given["expiryTime"]
    actions = [_action(each) for each in sent.get("lifetimeActions") or []]
    spans = [attributes.get("expiryTime"), *(each["trigger"].get("timeAfterCreate") for each in actions)]
    if any(span and seconds(span) < SHORTEST for span in spans):
        raise texts.bad("A rotation policy cannot have a time below seven days (P7D).")
    return {"attributes": attributes, "lifetimeActions": actions}


def _action(sent: Json) -> Json:
    kind = fold(str((sent.get("action") or {}).get("type")))
    trigger = {name: value for name, value in (sent.get("trigger") or {}).items() if value is not None}
    if kind not in {"rotate", "notify"} or len(trigger) != 1:
        raise texts.bad("An action of a rotation policy is rotate or notify, with one trigger.")
    return {"trigger": trigger, "action": {"type": kind}}


def _shown(key: Json, policy: Json) -> Json:
    actions = [
        {**each, "action": {"type": str(each["action"]["type"]).capitalize()}}
        for each in policy.get("lifetimeActions") or []
    ]
    attributes = {
        name: policy["attributes"][name]
        for name in ("expiryTime", "created", "updated")
        if (policy.get("attributes") or {}).get(name) is not None
    }
    return {"id": f"{shapes.base(key)}/rotationpolicy", "lifetimeActions": actions, "attributes": attributes}
