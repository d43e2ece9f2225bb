"""What the tests of the pages share: a browser without a screen that signs in by cookie, reads pages and fills in forms."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from tests.web.entry import HOST, RUNNER, Answer, Entry, id_token

COOKIE = "__Host-cmkwarden-form"


@dataclass
class Found:
    """A form of a page: where it goes, and its fields as the page fills them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: list[tuple[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads the forms, links, tags and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Found] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += own.items()
        if tag == "form":
            self.forms.append(Found(own.get("action", ""), own.get("method", "get")))
        elif tag == "a" and "href" in own:
            self.links.append(own["href"])
        elif tag == "select":
            self._select = own["name"]
        elif (tag == "option" and self.forms and self._select not in self.forms[-1].fields) or "selected" in own:
            self.forms[-1].fields[self._select] = own.get("value", "")
        elif tag in {"input", "textarea"} and self.forms and "name" in own:
            if own.get("type") == "checkbox":
                self.forms[-1].boxes.append((own["name"], own["value"]))
            else:
                self.forms[-1].fields[own["name"]] = own.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass
class Browser:
    """Somebody at a browser: the platform adds the token of their sign-in, the browser its cookies and where it comes from."""

    entry: Entry
    person: str = "ada-oid"
    roles: tuple[str, ...] = ("Approver",)
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._sent("GET", path, headers, b"")

    def read(self, path: str) -> Reader:
        """Open a page that must be there."""
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return Reader(answer.body.decode())

    def form(self, path: str, action: str) -> Found:
        """Return the form of a page that goes to an address."""
        (found,) = [it for it in self.read(path).forms if it.action.endswith(action)]
        return found

    def post(self, form: Found, boxes: list[tuple[str, str]] | None = None, **fields: str) -> Answer:
        """Send a form with what was typed into it."""
        body = urlencode([*{**form.fields, **fields}.items(), *(boxes or [])]).encode()
        return self.send(form.action, body)

    def send(self, action: str, body: bytes, **headers: str) -> Answer:
        """Post a body as a form, as if from a page of the site; headers replace what the browser would say."""
        own = {
            "content-type": "application/x-www-form-urlencoded", "origin": f"https://{HOST}", "sec-fetch-site": "same-origin",
        }  # fmt: skip
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._sent("POST", action, {name: it for name, it in {**own, **named}.items() if it}, body)

    def follow(self, answer: Answer) -> Reader:
        """Go where an answer leads."""
        assert answer.status == 303, answer.body
        return self.read(answer.headers["location"])

    def _sent(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        signed: dict[str, Any] = {"host": HOST, "x-ms-token-aad-id-token": id_token(*self.roles, oid=self.person)}
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = RUNNER.run(self.entry.send(method, path, {**signed, "cookie": cookie, **headers}, body))
        given = re.match("([^=]+)=([^;]+)", answer.headers.get("set-cookie", ""))
        if given:
            self.cookies[given[1]] = given[2]
        return answer
