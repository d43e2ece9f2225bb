"""The doctor from outside: which doors App Service's sign-in shuts, and which it must leave to us; the hand has none at all.

A refusal of App Service's sign-in says how to sign in (`WWW-Authenticate`, or a redirect). The Functions host's own for a
missing key says nothing: UNVERIFIED on Azure, as read in its sources.
"""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from cli.app_client import Answer, AppClient, Unreachable
from cli.outside import FAIL, PASS, UNKNOWN, WARN, Check, is_ours

WEBHOOK = "/runtime/webhooks/eventgrid"
_SENT_AWAY = frozenset({301, 302, 303, 307, 308})
_LEAVE_OUT = "put /runtime/webhooks/* into excludedPaths of the app's authsettingsV2"


def checks(app: AppClient) -> Iterator[Check]:
    """Yield what is seen of the console and of the door for Event Grid, without a sign-in and without a key."""
    yield _console(_tried(app, "GET", "/overview"))
    yield _webhook(_tried(app, "POST", WEBHOOK))


def _console(answer: Answer | None) -> Check:
    name = "console"
    if answer is None or answer.status == 429 or answer.status >= 500:
        return Check(name, "outside", UNKNOWN, f"the console gave no answer{_status(answer)}", "ask again")
    if answer.status == 401 or answer.status in _SENT_AWAY or answer.status == 403:
        return Check(name, "outside", PASS, f"the console shows nothing without a sign-in{_status(answer)}")
    if answer.status == 404:
        return Check(name, "outside", UNKNOWN, "there is no console at this address", "is the app of this version?")
    return Check(
        name, "outside", FAIL, f"the console answers without a sign-in{_status(answer)}",
        "take the app off the network until you know why: every page asks who is there",
    )  # fmt: skip


def _webhook(answer: Answer | None) -> Check:
    """Judge the door for Event Grid. Behind a sign-in each delivery is refused, and a refusal is final for Event Grid."""
    name = "event-grid-door"
    if answer is None or answer.status == 429 or answer.status >= 500:
        return Check(name, "outside", UNKNOWN, f"the door for Event Grid gave no answer{_status(answer)}", "ask again")
    if answer.status in _SENT_AWAY or (answer.status == 401 and "www-authenticate" in answer.headers):
        said = f"App Service's sign-in answers Event Grid{_status(answer)}: no event comes through"
        return Check(name, "outside", FAIL, said, _LEAVE_OUT)
    if answer.status == 401:
        return Check(name, "outside", PASS, "the door for Event Grid asks for its own key, and for no sign-in")
    if answer.status == 403:
        said = "something in front of the app shuts the door for Event Grid to you (403): nobody here can tell whether to Event Grid, too"
        return Check(
            name,
            "outside",
            WARN,
            said,
            "let the service tag AzureEventGrid through, or have events sent to the queue `wake`",
        )
    if answer.status == 404:
        said = "there is no door for Event Grid at this address"
        return Check(
            name,
            "outside",
            WARN,
            said,
            "look at the app's log: are its functions on_vault_write and on_workspace_write there?",
        )
    said = f"the door for Event Grid answers without a key{_status(answer)}"
    return Check(
        name, "outside", FAIL, said, "take the app off the network until you know why: anybody may send events"
    )


def hand(url: str) -> Check:
    """Try to reach the app that writes, and be refused. Raises BadAddress."""
    name, shut = "hand", "shut its public network access: whoever gets in there gets at the writer"
    app = AppClient(url, lambda: "")
    answer = _tried(app, "GET", "/api/health")
    if answer is None:
        if not _is_known(app.url):
            return Check(name, "outside", UNKNOWN, f"nobody knows the name in {app.url}", "look at --hand")
        return Check(name, "outside", PASS, f"nobody answers at {app.url}")
    if answer.status == 403:
        return Check(name, "outside", PASS, f"{app.url} lets nobody in (403)")
    if is_ours(answer):
        said = f"{app.url} serves the API: it is not the app that only writes"
        return Check(name, "outside", FAIL, said, "set CMK_PART to hand there, and " + shut)
    return Check(
        name, "outside", WARN, f"{app.url} can be reached ({answer.status}): none of ours answers, its host does", shut
    )


def _is_known(url: str) -> bool:
    try:
        return bool(socket.getaddrinfo(urlsplit(url).hostname, None))
    except OSError:
        return False


def _status(answer: Answer | None) -> str:
    return f" ({answer.status})" if answer else ""


def _tried(app: AppClient, method: str, path: str) -> Answer | None:
    try:
        return app.raw(method, path, {}, bearer=False)
    except Unreachable:
        return None
