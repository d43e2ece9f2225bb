"""The HTML of the sign-in: a page to pick somebody, and a page that says that it is done.

Everything is escaped, nothing is loaded, and the only style is allowed by its hash.
"""

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping

from aiohttp import web

from simulator.host.config import Person

STYLE = """
:root { color-scheme: light dark }
body { background: Canvas; color: CanvasText }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; display: grid; place-items: center; min-height: 100vh }
main { max-width: 28rem; padding: 2rem }
ul { list-style: none; padding: 0 }
button { font: inherit; width: 100%; text-align: start; padding: .75rem 1rem; margin-block: .25rem; cursor: pointer }
small { display: block }
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The empty icon keeps browsers from asking the app for one.
FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""


def picker(people: Iterable[Person], fields: Mapping[str, str]) -> web.Response:
    """Return the page with a button for each of these people; `fields` come back with whoever is picked."""
    hidden = "\n".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )
    buttons = "\n".join(f"<li>{_button(person)}</li>" for person in people)
    return _page(
        "Pick an account",
        "<p>This is the sign-in of the local Azure. The people are invented and need no password.</p>\n"
        f'<form method="post" action="/.auth/login/aad/callback">\n{hidden}\n<ul>\n{buttons}\n</ul>\n</form>',
    )


def done(title: str) -> web.Response:
    """Return the page for whoever has named no path to go on to."""
    return _page(title, '<p><a href="/">Return to the website</a></p>')


def _button(person: Person) -> str:
    roles = ", ".join(person.roles) or "no role"
    name, value = html.escape(person.name), html.escape(person.object_id)
    return f'<button name="account" value="{value}">{name} <small>{html.escape(roles)}</small></button>'


def _page(title: str, content: str) -> web.Response:
    text = FRAME.format(title=html.escape(title), style=STYLE, content=content)
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return web.Response(text=text, content_type="text/html", headers=headers)
