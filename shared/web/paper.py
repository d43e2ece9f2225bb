"""A report as one HTML page: no script, nothing loaded from anywhere, everything from outside escaped."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.core.report import Line, Report
from shared.core.report.objects import evidence_text
from shared.core.ticket.escape import line as visible

_FOLDER = Path(__file__).parent / "templates"
_LONGEST = 4000  # characters of one text


def html_text(report: Report) -> str:
    """Return the page. Its style is allowed by its hash: a style from anywhere else does not apply."""
    style = (_FOLDER / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    env = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    env.filters["seen"] = lambda text: visible(text, _LONGEST)
    return env.get_template("report.html").render(
        report=report,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704 - our own file, and its hash is of exactly this
        evidence=_evidence,
        others=tuple(it for it in report.lines if not it.is_finding and not it.is_unknown),
    )


def _evidence(it: Line) -> str:
    return visible(evidence_text(it), _LONGEST)
