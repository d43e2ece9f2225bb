"""Who we are to Azure, what we see there, and what we may do: no less than infra/roles says, and no more."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.core.checkup import Check, Result, choices, rights
from shared.core.choices import Mode
from shared.core.errors import Conflict, Denied
from shared.core.ids import fold
from shared.core.moves.grant import STRICT
from shared.core.ports import Ports
from shared.flow.rounds import MOST, Look, estate, named

type Definitions = dict[str, Mapping[str, Any]]
_GIVE = "give the reader the role of infra/roles/reader.json"


def _reader(ports: Ports) -> Iterator[Check]:
    identity = ports.vitals.identity("reader")
    yield Check("reader-token", "identities", Result.PASS, f"the reader gets a token; its object id is {identity}")


def _writer(ports: Ports) -> Iterator[Check]:
    identity = ports.vitals.identity("writer")
    if not identity:
        yield Check(
            "writer-identity", "identities", Result.UNKNOWN, "nobody can say who the writer is: its rights are not looked at",
            "set CMK_WRITER_CLIENT_ID; the reader must see that identity, or be in one app with it",
        )  # fmt: skip
    else:
        yield Check("writer-identity", "identities", Result.PASS, f"the writer's object id is {identity}")


def _graph(ports: Ports) -> Iterator[Check]:
    seen, wanted = ports.inventory.subscriptions(), named(ports)
    unseen = [it for it in wanted if it not in seen]
    if unseen:
        yield Check(
            "estate", "rights", Result.FAIL, f"Resource Graph does not show the reader {rights.listed(unseen)}: nothing there is found",
            "give the reader the role of infra/roles/reader.json there, or take the subscription out of the settings",
        )  # fmt: skip
    elif not seen:
        yield Check(
            "estate", "rights", Result.FAIL, "Resource Graph shows the reader no subscription at all",
            "give the reader the role of infra/roles/reader.json on each subscription that is looked after",
        )  # fmt: skip
    else:
        yield Check("estate", "rights", Result.PASS, f"Resource Graph shows {len(seen)} subscriptions")


def _reader_rights(ports: Ports) -> Iterator[Check]:
    identity, found, subscriptions = ports.vitals.identity("reader"), list[Check](), estate(ports)
    known: Definitions = {}
    for subscription in subscriptions[:MOST]:
        scope = f"/subscriptions/{subscription}"
        try:
            held = _held(ports, subscription, identity, known)
            found += [*rights.on_reader(held, scope), *rights.on_width(held, scope, "reader", rights.READS)]
        except Denied as error:
            found.append(Check(
                "reader-role", "rights", Result.FAIL, f"at {scope} the reader may not even see who holds which role: {error.message}",
                f"give the reader the role of infra/roles/reader.json at {scope}",
            ))  # fmt: skip
    yield from found or [
        Check(
            "reader-role",
            "rights",
            Result.PASS,
            f"the reader holds its role and no more, on {min(len(subscriptions), MOST)} subscriptions",
        )
    ]
    yield from _rest(subscriptions, "reader-role")


def _rest(subscriptions: list[str], name: str) -> Iterator[Check]:
    if len(subscriptions) > MOST:
        yield Check(
            name,
            "rights",
            Result.UNKNOWN,
            f"{len(subscriptions) - MOST} more subscriptions were not looked at: {MOST} are all there is time for",
        )


def _held(ports: Ports, subscription: str, identity: str, known: Definitions) -> tuple[rights.Holding, ...]:
    """Return what an identity holds on a subscription. `known` keeps definitions: they are the same everywhere."""
    assignments = ports.vitals.held(subscription, identity)
    for role in rights.roles_in(assignments) - set(known):
        known[role] = ports.vitals.definition(subscription, role)
    return rights.holdings(assignments, known)


def _writer_rights(ports: Ports) -> Iterator[Check]:
    """Judge the writer, and whether its condition names the AzureDatabricks that the settings name."""
    reader, writer = ports.vitals.identity("reader"), ports.vitals.identity("writer")
    ours = frozenset({reader, writer} - {""})
    if not writer:
        yield choices.databricks(ports.choices, ours, None)
        return
    found, condition, subscriptions = list[Check](), frozenset[str](), estate(ports)
    known: Definitions = {}
    for subscription in subscriptions[:MOST]:
        try:
            held = _held(ports, subscription, writer, known)
        except Denied as error:
            found.append(_unseen(subscription, error))
            continue
        found += _on_writer(ports, subscription, held)
        condition |= rights.named_in(held)
    yield from found or [
        Check(
            "writer-role",
            "rights",
            Result.PASS,
            f"the writer holds what it needs and no more, on {min(len(subscriptions), MOST)} subscriptions",
        )
    ]
    yield from _rest(subscriptions, "writer-role")
    yield choices.databricks(ports.choices, ours, condition)


def _unseen(subscription: str, error: Denied) -> Check:
    said = f"nobody sees what the writer holds on {subscription}: {error.message}"
    return Check("writer-role", "rights", Result.UNKNOWN, said, f"{_GIVE} there")


def _on_writer(ports: Ports, subscription: str, held: tuple[rights.Holding, ...]) -> Iterator[Check]:
    scope = f"/subscriptions/{subscription}"
    wanted = [it for it in ports.choices.auto_scope if fold(it.split("/")[2]) == subscription]
    writes = any(it is not Mode.OBSERVE for it in (ports.choices.mode, *ports.choices.modes.values()))
    for place in wanted or [scope]:
        yield from rights.on_writer(held, place, is_needed=bool(wanted) and writes)
    yield from rights.on_excess(held, scope)
    yield from rights.on_width(held, scope, "writer", rights.WRITES | rights.LINKED)
    yield from rights.on_condition(held, scope)
    logs = ports.choices.log_workspace
    if logs and fold(logs.subscription) == subscription:
        yield from rights.on_logs(held, logs.key)


def _key_user(ports: Ports) -> Iterator[Check]:
    """Look at the strict narrow role, where it is the one that is given."""
    if not ports.choices.strict_role:
        yield Check("key-user-role", "rights", Result.PASS, "the narrow role is Azure's own (CMK_NARROW_ROLE)")
        return
    subscription = next(iter(estate(ports)), "")
    try:
        definition = ports.vitals.definition(subscription, STRICT) if subscription else None
    except Conflict:  # Azure: RoleDefinitionDoesNotExist
        definition = None
    yield rights.on_key_user(definition)


LOOKS = (
    Look(
        "reader-token",
        "identities",
        _reader,
        "is the identity of CMK_READER_CLIENT_ID assigned to the app?",
        Result.FAIL,
    ),
    Look(
        "writer-identity",
        "identities",
        _writer,
        "is the identity of CMK_WRITER_CLIENT_ID assigned to the app that writes?",
        Result.FAIL,
    ),
    Look("estate", "rights", _graph, f"{_GIVE} on each subscription; Resource Graph answers from what it may read"),
    Look("reader-role", "rights", _reader_rights, f"{_GIVE} on each subscription that is looked after"),
    Look("key-user-role", "rights", _key_user, f"{_GIVE}: without it no role can be read"),
    Look("writer-role", "rights", _writer_rights, f"{_GIVE}: without it nobody sees what the writer holds"),
)
