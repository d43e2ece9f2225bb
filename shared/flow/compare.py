"""The two parts of a share: what there is, and what lies in the vaults, each beside what the last look and survey saw.

    the lists     vaults and workspaces by pages, and the grants of the subscription: three lists more, whatever its size
    the keys      one list for each vault that holds customer-managed keys, so many vaults a message

What differs goes to `evaluate`, first; then what was seen is kept. A kill in between finds the difference again.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from shared.core import ids
from shared.core.errors import BadInput, Conflict, Denied, Temporary
from shared.core.facts import Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.keyring import keyring
from shared.core.parse import vault as parse_vault
from shared.core.parse import workspace as parse_workspace
from shared.core.ports import Ports
from shared.core.reach import Reach
from shared.core.survey import Before, Share, counted, differing
from shared.core.wake import Cause
from shared.flow.messages import EVALUATE, Evaluate
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.survey")

LISTED = "-"  # how far a share has come once the lists are done; sorts before every id
VAULTS_AT_ONCE = 500
UNSEEN = "NotVisible: Resource Graph does not show this subscription: the reader has no role there, or there is none"
_PARSERS: Mapping[str, Callable[[object], Vault | Workspace]] = {ids.VAULT: parse_vault, ids.WORKSPACE: parse_workspace}

type Listed = dict[str, Vault | Workspace]


def compare_lists(ports: Ports, survey: str, share: Share) -> Share:
    """Do the first part. Raises Temporary, Denied or BadInput where the subscription cannot be read: nothing is gone then."""
    now = ports.clock.now()
    found = _listed(ports, share.subscription)
    # Workspaces first: what they name is woken by their own looks.
    for kind in (ids.WORKSPACE, ids.VAULT):
        listed, before = found[kind], ports.estate.under(kind, share.subscription)
        why = differing(listed, before, ports.choices, now)
        if "gone" in why.values() and share.subscription not in ports.inventory.subscriptions():
            raise Denied(*UNSEEN.split(": ", 1))
        for target, word in why.items():
            at = listed[target].id if target in listed else ids.parse(before[target].target)
            _send(ports, survey, at)
            if kind == ids.WORKSPACE and word != "old":
                _send_left(ports, survey, at)
        share = counted(share, len(listed), why.values())
    # `before` is that of the vaults, which came last.
    return replace(_compare_grants(ports, survey, share, found[ids.VAULT], before), after=LISTED)


def compare_keys(ports: Ports, survey: str, share: Share) -> tuple[Share, Temporary | None]:
    """Do the second part for as many vaults as one message takes; `after` is '' once all are done.

    Where Azure says not now, the share comes back as far as it has come, with what Azure said.
    """
    before = ports.estate.under(ids.VAULT, share.subscription)
    left = sorted(target for target in before if target > share.after)
    seen, stopped, done = dict[str, str](), None, share.after
    for target in left[:VAULTS_AT_ONCE]:
        try:
            text, is_hidden = _keys_of(ports, ids.parse(before[target].target), ports.clock.now())
        except Temporary as error:
            stopped = error
            break
        done, share = target, replace(share, hidden=share.hidden + is_hidden)
        if text != before[target].keys:
            seen[target] = text
            _send(ports, survey, ids.parse(before[target].target))
    ports.estate.saw(ids.VAULT, share.subscription, "keys", seen)
    if ports.choices.prices:
        _meter(ports, share.subscription, [before[it].target for it in left[:VAULTS_AT_ONCE] if it <= done])
    is_over = stopped is None and len(left) <= VAULTS_AT_ONCE
    return replace(share, looked=share.looked + len(seen), after="" if is_over else done), stopped


def _meter(ports: Ports, subscription: str, vaults: list[str]) -> None:
    from shared.flow.meter import meter  # noqa: PLC0415 - only where prices are set: the event path does without

    meter(ports, subscription, vaults)


def _compare_grants(ports: Ports, survey: str, share: Share, vaults: Listed, before: Mapping[str, Before]) -> Share:
    """Look at every vault on which other grants lie than at the survey before. Policies are part of a vault's body."""
    judged = {target: it for target, it in vaults.items() if target in before and isinstance(it, Vault) and it.rbac}
    if not judged:
        return share
    reach = Reach(
        ports.grants.listed("roleAssignments", share.subscription),
        ports.grants.listed("denyAssignments", share.subscription),
        ports.grants.listed("roleDefinitions", share.subscription, "type eq 'CustomRole'"),
    )
    texts = {target: reach.of(it.id) for target, it in judged.items()}
    fresh = {target: text for target, text in texts.items() if text != before[target].grants}
    for target in fresh:
        _send(ports, survey, judged[target].id)
    ports.estate.saw(ids.VAULT, share.subscription, "grants", fresh)
    return replace(share, looked=share.looked + len(fresh))


def _keys_of(ports: Ports, vault: ResourceId, now: datetime) -> tuple[str, bool]:
    """Return the text of a vault's keys, and whether they are hidden from us: that, too, is something to look at, once."""
    try:
        return keyring(ports.vaults.keys(vault, gives_way=True), ports.choices, now), False
    except (Denied, BadInput) as error:
        say(_log, "hidden", logging.WARNING, target=vault, reason=error.reason)
        return error.reason, True
    except Conflict as error:  # there is no such vault any more
        return error.reason, False


def _send(ports: Ports, survey: str, target: ResourceId) -> None:
    ports.queue.send(EVALUATE, Evaluate(target, Cause("sweep", survey)).body())


def _send_left(ports: Ports, survey: str, workspace: ResourceId) -> None:
    """Have the vaults looked at that a workspace named at its last look: its identities may have no business there now."""
    for vault in ports.records.known(workspace).memory.vaults:
        _send(ports, survey, ids.parse(vault))


def _listed(ports: Ports, subscription: str) -> Mapping[str, Listed]:
    """Return what there is, by kind and by id in lower case. A row that makes no sense is left to the look that an event asks for."""
    found: dict[str, Listed] = {kind: {} for kind in _PARSERS}
    for body, kind in _rows(ports, subscription):
        try:
            it = _PARSERS[kind](body)
        except BadInput as error:
            say(_log, "odd_row", logging.WARNING, kind=kind, subscription=subscription, reason=error.reason)
            continue
        found[kind][it.id.key] = it
    return found


def _rows(ports: Ports, subscription: str) -> Iterator[tuple[Mapping[str, object], str]]:
    kinds = {kind.lower(): kind for kind in _PARSERS}
    for body in ports.inventory.listed(subscription):
        kind = kinds.get(str(body.get("type", "")).lower())
        if kind:
            yield body, kind
