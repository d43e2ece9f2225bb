"""The sweep's look over the estate for what no event told of: events get lost.

    begin     the survey with a share for each subscription -> then a message for each share
    a share   list what there is -> compare with what the last looks have left -> send what differs to `evaluate` -> end it

Listing costs calls by the page, not by the resource, and nothing is judged twice: what is as it was when we last looked
is as it was judged then. A share that is killed begins anew; a doubled message is harmless. While a survey runs another
one is not begun: whoever asks gets the one that runs, and its messages once more, for they may have been lost.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.core import ids
from shared.core.errors import BadInput, Denied, RemediationError, Temporary
from shared.core.facts import Vault, Workspace
from shared.core.parse import vault as parse_vault
from shared.core.parse import workspace as parse_workspace
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.survey import Progress, Share, Survey, counted, differing, survey_id
from shared.core.wake import Cause
from shared.flow import messages
from shared.flow.messages import EVALUATE, LAST_ATTEMPT, SURVEY, Evaluate
from shared.flow.say import say
from shared.flow.trace import span
from shared.flow.work import advised

_log = logging.getLogger("cmkwarden.survey")

_LONGEST = timedelta(hours=20)  # for which a survey may run before the next night's does not wait for it
_UNSEEN = "NotVisible: Resource Graph does not show this subscription: the reader has no role there, or there is none"
_PARSERS: Mapping[str, Callable[[object], Vault | Workspace]] = {ids.VAULT: parse_vault, ids.WORKSPACE: parse_workspace}


def begin(ports: Ports, by: str = "") -> Survey:
    """Begin a survey, or go on with the one that runs. Raises Temporary where nobody can say what subscriptions there are."""
    last = next(iter(ports.surveys.latest(1)), None)
    now = ports.clock.now()
    if last is None or last.is_over or last.began < now - _LONGEST:
        seen = ports.inventory.subscriptions()
        wanted = sorted(set(ports.choices.subscriptions) or seen)
        last = Survey(survey_id(now), now, by, tuple(Share(it) for it in wanted))
        if not ports.surveys.begin(last):  # somebody else has, in the same second
            last = ports.surveys.get(last.id) or last
        say(_log, "survey", survey=last.id, subscriptions=len(wanted), by=by or "timer")
    for share in last.shares:
        if share.progress is Progress.WAITING:
            ports.queue.send(SURVEY, messages.Share(last.id, share.subscription).body())
    return last


def take_share(ports: Ports, delivery: Delivery) -> None:
    """Work on one share. Raises Temporary where our own storage is not to be had: the message comes again."""
    try:
        message = messages.share(delivery.body)
    except BadInput as error:
        ports.records.poison(Poisoned(SURVEY, delivery.id, error.reason, error.message), ports.clock.now())
        return
    with span("survey", survey=message.survey, subscription=message.subscription):
        _take(ports, message)


def _take(ports: Ports, message: messages.Share) -> None:
    survey = ports.surveys.get(message.survey)
    share = next((it for it in survey.shares if it.subscription == message.subscription), None) if survey else None
    if share is None or share.progress is not Progress.WAITING:
        return  # an old message, or a doubled one
    try:
        ended = _looked_over(ports, share, message)
    except Temporary as error:
        if message.attempt < LAST_ATTEMPT:
            again = replace(message, attempt=message.attempt + 1)
            ports.queue.send(SURVEY, again.body(), advised(ports, message.attempt, error.delay))
            return
        ended = _unread(share, error)
    except (Denied, BadInput) as error:
        ended = _unread(share, error)
    ports.surveys.end(message.survey, replace(ended, ended=ports.clock.now()))
    say(
        _log, "surveyed", survey=message.survey, subscription=share.subscription, progress=ended.progress,
        listed=ended.listed, missed=ended.missed, changed=ended.changed, gone=ended.gone, problem=ended.problem,
    )  # fmt: skip


def _looked_over(ports: Ports, share: Share, message: messages.Share) -> Share:
    """List and compare; send what differs. Nothing is taken for gone where a subscription cannot be seen."""
    if share.subscription not in ports.inventory.subscriptions():
        return replace(share, progress=Progress.UNREAD, problem=_UNSEEN)
    # Workspaces first: what they name is woken by their own looks.
    for kind in (ids.WORKSPACE, ids.VAULT):
        listed = dict(_listed(ports, kind, share.subscription))
        before = ports.estate.under(kind, share.subscription)
        why = differing(listed, before, ports.choices)
        for target in why:
            found = listed[target].id if target in listed else ids.parse(before[target].target)
            ports.queue.send(EVALUATE, Evaluate(found, Cause("sweep", message.survey)).body())
        share = counted(share, len(listed), why.values())
    return replace(share, progress=Progress.DONE)


def _listed(ports: Ports, kind: str, subscription: str) -> Iterator[tuple[str, Vault | Workspace]]:
    """Yield what there is, by id in lower case. A row that makes no sense is left to the look that an event asks for."""
    for body in ports.inventory.listed(kind, subscription):
        try:
            it = _PARSERS[kind](body)
        except BadInput as error:
            say(_log, "odd_row", logging.WARNING, kind=kind, subscription=subscription, reason=error.reason)
            continue
        yield it.id.key, it


def _unread(share: Share, error: RemediationError) -> Share:
    return replace(share, progress=Progress.UNREAD, problem=f"{error.reason}: {error.message}"[:1000])
