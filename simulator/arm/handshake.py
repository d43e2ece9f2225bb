"""The handshake: a webhook says that it wants the events before it gets any. Failing it is final (AZURE 5.4).

Functions need none: Event Grid knows the app as an Azure resource.
"""

import uuid

import aiohttp
import msgspec

from simulator.arm.clock import stamp
from simulator.arm.subscribers import Subscriber

ORIGIN = "eventgrid.azure.net"
ANSWER_WITHIN = 30


async def shake_hands(session: aiohttp.ClientSession, one: Subscriber) -> str:
    """Ask the webhook; 'Succeeded' or 'Failed', which is also the subscriber's state from now on."""
    try:
        agreed = await (_asked_for_leave(session, one) if one.is_cloud else _answered_the_code(session, one))
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
        agreed = False
    one.state = "Succeeded" if agreed else "Failed"
    return one.state


async def _answered_the_code(session: aiohttp.ClientSession, one: Subscriber) -> bool:
    """Event Grid's own schema: an event with a code that has to come back (data/samples/events)."""
    code = str(uuid.uuid4())
    event = {
        "id": str(uuid.uuid4()),
        "topic": one.source or "/subscriptions",
        "subject": "",
        "data": {
            "validationCode": code,
            "validationUrl": f"https://rp-westeurope.eventgrid.azure.net:553/eventsubscriptions/{one.name}/validate?id={code}",
        },
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": stamp(),
        "metadataVersion": "1",
        "dataVersion": "1",
    }
    headers = {"aeg-event-type": "SubscriptionValidation", "Content-Type": "application/json; charset=utf-8"}
    content = msgspec.json.encode([event])
    async with session.post(one.url, data=content, headers=headers, timeout=_timeout()) as reply:
        body = msgspec.json.decode(await reply.read() or b"{}")
        return reply.status == 200 and isinstance(body, dict) and body.get("validationResponse") == code


async def _asked_for_leave(session: aiohttp.ClientSession, one: Subscriber) -> bool:
    """CloudEvents: OPTIONS with our origin, which has to be allowed (CloudEvents HTTP webhook, section 4)."""
    headers = {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"}
    async with session.options(one.url, headers=headers, timeout=_timeout()) as reply:
        return reply.status == 200 and reply.headers.get("WebHook-Allowed-Origin") in {"*", ORIGIN}


def _timeout() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=ANSWER_WITHIN)
