"""The sweep's look over the estate for what no event told of: events get lost.

    begin     the survey with a share for each subscription -> then a message for each share
    a share   compare what lists show with what the last looks have left (flow/compare.py); send what differs to `evaluate`

Listing costs calls by the page, not by the resource, and nothing is judged twice: what is as it was when we last looked
is as it was judged then. A share keeps how far it has come, and its message goes on from there; a doubled one is harmless.
While a survey runs another one is not begun: whoever asks gets the one that runs, and its messages once more, for they
may have been lost.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.survey import Progress, Share, Survey, survey_id
from shared.flow import messages
from shared.flow.compare import UNSEEN, compare_keys, compare_lists
from shared.flow.messages import LAST_ATTEMPT, SURVEY
from shared.flow.say import say
from shared.flow.trace import span
from shared.flow.work import advised

_log = logging.getLogger("cmkwarden.survey")

_LONGEST = timedelta(hours=20)  # for which a survey may run before the next night's does not wait for it


def begin(ports: Ports, by: str = "") -> Survey:
    """Begin a survey, or go on with the one that runs. Raises Temporary where nobody can say what subscriptions there are."""
    last = next(iter(ports.surveys.latest(1)), None)
    now = ports.clock.now()
    if last is None or last.is_over or last.began < now - _LONGEST:
        seen = ports.inventory.subscriptions()
        wanted = sorted(set(ports.choices.subscriptions) or seen)
        shares = (Share(it) if it in seen else Share(it, Progress.UNREAD, problem=UNSEEN, ended=now) for it in wanted)
        last = Survey(survey_id(now), now, by, tuple(shares))
        if not ports.surveys.begin(last):  # somebody else has, in the same second
            last = ports.surveys.get(last.id) or last
        say(_log, "survey", survey=last.id, subscriptions=len(wanted), by=by or "timer")
        for share in last.shares:
            if share.progress is Progress.UNREAD:
                _tell(last.id, share)
    for share in last.shares:
        if share.progress is Progress.WAITING:
            _send(ports, last.id, share)
    return last


def take_share(ports: Ports, delivery: Delivery) -> None:
    """Work on one share. Raises Temporary where our own storage is not to be had: the message comes again."""
    try:
        message = messages.share(delivery.body)
    except BadInput as error:
        say(_log, "refused", logging.WARNING, message=delivery.id, reason=error.reason)
        ports.records.poison(Poisoned(SURVEY, delivery.id, error.reason, error.message), ports.clock.now())
        return
    with span("survey", survey=message.survey, subscription=message.subscription):
        _take(ports, message, is_again=delivery.is_again)


def _take(ports: Ports, message: messages.Share, *, is_again: bool) -> None:
    survey = ports.surveys.get(message.survey)
    share = next((it for it in survey.shares if it.subscription == message.subscription), None) if survey else None
    if share is None or share.progress is not Progress.WAITING:
        return  # an old message, or a doubled one
    if message.after != share.after:
        if is_again:  # whoever had it before may have died between keeping how far it came and sending the next
            _send(ports, message.survey, share)
        return
    try:
        _go_on(ports, message, share)
    except Temporary as error:
        _come_back(ports, message, share, error)
    except (Denied, BadInput, Conflict) as error:
        _end(ports, message.survey, _unread(share, error))


def _go_on(ports: Ports, message: messages.Share, share: Share) -> None:
    """Do the next part of a share, keep how far that came, and send for the rest."""
    if not share.after:
        come, stopped = compare_lists(ports, message.survey, share), None
    else:
        come, stopped = compare_keys(ports, message.survey, share)
    if not come.after:
        _end(ports, message.survey, replace(come, progress=Progress.DONE))
    elif come.after == share.after and stopped:
        raise stopped
    else:
        ports.surveys.keep(message.survey, come)
        _send(ports, message.survey, come, advised(ports, 1, stopped.delay) if stopped else timedelta(0))


def _come_back(ports: Ports, message: messages.Share, share: Share, error: Temporary) -> None:
    """Try again later from where the share is; the ninth time in a row it could not be read."""
    if message.attempt >= LAST_ATTEMPT:
        _end(ports, message.survey, _unread(share, error))
        return
    again = replace(message, attempt=message.attempt + 1)
    ports.queue.send(SURVEY, again.body(), advised(ports, message.attempt, error.delay))


def _send(ports: Ports, survey: str, share: Share, delay: timedelta = timedelta(0)) -> None:
    ports.queue.send(SURVEY, messages.Share(survey, share.subscription, after=share.after).body(), delay)


def _end(ports: Ports, survey: str, share: Share) -> None:
    ports.surveys.keep(survey, replace(share, after="", ended=ports.clock.now()))
    _tell(survey, share)


def _tell(survey: str, share: Share) -> None:
    say(
        _log, "surveyed", survey=survey, subscription=share.subscription, progress=share.progress, listed=share.listed,
        missed=share.missed, changed=share.changed, gone=share.gone, looked=share.looked, hidden=share.hidden,
        problem=share.problem,
    )  # fmt: skip


def _unread(share: Share, error: RemediationError) -> Share:
    return replace(share, progress=Progress.UNREAD, problem=f"{error.reason}: {error.message}"[:1000])
