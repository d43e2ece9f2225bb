"""Whether events can reach us, and whether they do: event subscriptions, and when one of each kind came last."""

from collections.abc import Iterator, Mapping

from shared.core import ids
from shared.core.checkup import Check, Result, arrivals, topics
from shared.core.errors import Denied
from shared.core.parse import wire
from shared.core.ports import Ports
from shared.core.survey import GONE
from shared.flow.rounds import MOST, Look, estate

_READER = "give the reader the role of infra/roles/reader.json"


def _subscriptions(ports: Ports) -> Iterator[Check]:
    """Look at the topic of each subscription, and at that of each vault that holds keys, as far as there is time."""
    found, subscriptions, vaults = list[Check](), estate(ports), _vaults(ports)
    for subscription in subscriptions[:MOST]:
        sources = [f"/subscriptions/{subscription}", *(it for it in vaults[:MOST] if _where(it) == subscription)]
        try:
            found += _at(ports, subscription, sources)
        except Denied as error:
            said = f"the reader may not read the event subscriptions of {sources[0]}: {error.message}"
            found.append(Check(topics.NAME, topics.AREA, Result.FAIL, said, f"{_READER} there"))
    looked = f"{min(len(subscriptions), MOST)} subscriptions and {min(len(vaults), MOST)} vaults"
    yield from found or [
        Check(
            topics.NAME,
            topics.AREA,
            Result.PASS,
            f"Event Grid sends what it must of {looked}, and keeps what it cannot",
        )
    ]
    more = max(len(subscriptions) - MOST, 0) + max(len(vaults) - MOST, 0)
    if more:
        said = f"{more} more subscriptions and vaults were not looked at: {MOST} of each are all there is time for"
        yield Check(topics.NAME, topics.AREA, Result.UNKNOWN, said)


def _at(ports: Ports, subscription: str, sources: list[str]) -> Iterator[Check]:
    there = ports.vitals.topics(subscription)
    kinds = {source: topics.VAULTS if source.count("/") > 2 else topics.SUBSCRIPTIONS for source in sources}
    found: Mapping[str, topics.Json | None] = {source: topics.of(there, source, kind) for source, kind in kinds.items()}
    yield from topics.without([source for source, topic in found.items() if topic is None])
    for source, topic in found.items():
        if topic is not None:
            yield from topics.at(topic, ports.vitals.subscribed(wire.text(topic, "id")), source, ports.vitals.home)


def _where(vault: str) -> str:
    """Return the subscription that a vault lies in, in lower case."""
    return ids.fold(vault.split("/")[2])


def _vaults(ports: Ports) -> list[str]:
    """Return the vaults that hold keys, as the last looks have left them."""
    left = [it for each in estate(ports)[:MOST] for it in ports.estate.under(ids.VAULT, each).values()]
    return sorted(it.target for it in left if it.digest != GONE)


def _last(ports: Ports) -> Iterator[Check]:
    surveys = ports.surveys.latest(2)
    # What the first survey of all finds nobody could have told us of.
    missed = surveys[0].found if len(surveys) == 2 else 0
    yield from arrivals.judged(ports.pulse.arrivals(), missed, ports.clock.now(), has_vaults=bool(_vaults(ports)))


LOOKS = (
    Look(topics.NAME, topics.AREA, _subscriptions, f"{_READER} on each subscription that is looked after"),
    Look("last-events", topics.AREA, _last, "look at AzureWebJobsStorage and its roles"),
)
