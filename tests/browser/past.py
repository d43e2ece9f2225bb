"""Days gone by, for the pictures: figures of an estate of which less was asked, with a gap where nobody made any."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from shared.adapters.credentials import managed_identity
from shared.adapters.figures import TableFigures
from shared.core.figures.census import Count, Group
from simulator.client import Client

_DAYS, _GAP = 80, range(30, 35)


def live(azure: Client, local: Path) -> None:
    """Keep figures of earlier days, as the app of the stack in this folder would have."""
    settings = json.loads((local / "host.json").read_text())["settings"]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[name] = settings[name]
    reader = azure.facts["identities"]["reader"]["client_id"]
    book = TableFigures(azure.facts["storage"]["table"], managed_identity(reader))
    azure.app("/api/kpis")
    today = book.latest()
    assert today is not None
    whole, part = today.count("estate", "all"), today.count("estate", "production")
    for ago in (it for it in range(1, _DAYS) if it not in _GAP):
        other = (Group("estate", "all", _other(whole, ago)), Group("estate", "production", _other(part, ago // 2)))
        book.keep(replace(today, made=today.made - timedelta(days=ago), groups=other))


def _other(count: Count, ago: int) -> Count:
    """Return a count as it was so many days ago, when less was asked for: the longer, the more was compliant."""
    of = 10 * max(1, count.of)
    compliant = min(of, 10 * count.compliant + of * (ago + ago * ago % 7) // 120)
    return Count(compliant, of - compliant)
