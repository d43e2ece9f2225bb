"""Tags at a scope: those of a subscription, a group or a resource, without touching anything else of it.

Names are compared without case, values with it (Azure's page on tags). The body of the tagged resource is what changes.
"""

from simulator.arm.answer import Answer, Json, Refused, bad_content, no_group, no_resource
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route
from simulator.arm.world import GROUP

MOST = 50  # tags that a resource may have


def read(call: Call) -> Answer:
    """GET."""
    return Answer(200, _shown(call, _tags(_tagged(call))))


def replace(call: Call) -> Answer:
    """PUT: these and no others."""
    return _stored(call, _sent(call.body()))


def change(call: Call) -> Answer:
    """PATCH: Merge, Replace or Delete."""
    body = call.body()
    operation, sent, old = str(body.get("operation", "")).lower(), _sent(body), _tags(_tagged(call))
    if operation == "replace":
        return _stored(call, sent)
    if operation == "merge":
        return _stored(call, _merged(old, sent))
    if operation == "delete":
        return _stored(call, _without(old, sent))
    text = f"The operation '{body.get('operation')}' is none of 'Merge', 'Replace', 'Delete'."
    raise Refused(400, "InvalidRequestContent", text)


def clear(call: Call) -> Answer:
    """DELETE: none at all. 200 without a body."""
    _stored(call, {})
    return Answer(200)


def _tagged(call: Call) -> Json:
    scope = route(call.target.scope)
    body = call.sim.world.get(scope.id)
    if body is not None:
        return body
    raise no_group(scope.group) if scope.kind == GROUP else no_resource(scope.type, "/".join(scope.names), scope.group)


def _tags(body: Json) -> dict[str, str]:
    return dict(body.get("tags") or {})


def _sent(body: Json) -> dict[str, str]:
    tags = (body.get("properties") or {}).get("tags")
    if not isinstance(tags, dict):
        raise bad_content("'properties.tags' must be an object")
    return tags


def _merged(old: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
    """Those that were there keep the casing of their names."""
    names = {fold(name): name for name in old}
    return {**old, **{names.get(fold(name), name): value for name, value in sent.items()}}


def _without(old: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
    """By name, and by value where one is given."""
    gone = {fold(name): value for name, value in sent.items()}
    return {
        name: value
        for name, value in old.items()
        if fold(name) not in gone or gone[fold(name)] not in {"", None, value}
    }


def _stored(call: Call, tags: dict[str, str]) -> Answer:
    body = _tagged(call)
    if len(tags) > MOST:
        raise Refused(400, "InvalidTagCount", f"The number of tags must not exceed {MOST}.")
    call.sim.world.put({**body, "tags": tags})
    return Answer(200, _shown(call, tags))


def _shown(call: Call, tags: dict[str, str]) -> Json:
    return {
        "id": call.target.path,
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }


KINDS = (Kind("Microsoft.Resources/tags", item={"GET": read, "PUT": replace, "PATCH": change, "DELETE": clear}),)
