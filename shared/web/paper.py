"""A report as one HTML page: no script, nothing loaded from anywhere, everything from outside escaped."""

import base64
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.core.evidence import Chapter
from shared.core.report import Line, Report
from shared.core.report.objects import evidence_text
from shared.core.ticket.escape import line as visible

_FOLDER = Path(__file__).parent / "templates"
_LONGEST = 4000  # characters of one text


def html_text(report: Report) -> str:
    """Return the page. Its style is allowed by its hash: a style from anywhere else does not apply."""
    others = tuple(it for it in report.lines if not it.is_finding and not it.is_unknown)
    return "".join(_made("report.html", report=report, evidence=_evidence, others=others))


def evidence_html(chapter: Chapter, report: Report) -> Iterator[str]:
    """Yield the page of a framework, piece by piece: with all its lines it may be long."""
    return _made("evidence.html", chapter=chapter, report=report)


def _made(template: str, **shown: Any) -> Iterator[str]:
    return _environment().get_template(template).generate(**shown)


@functools.cache
def _environment() -> Environment:
    style = (_FOLDER / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    env = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    env.filters["seen"] = lambda text: visible(text, _LONGEST)
    env.globals |= {
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        "style": Markup(style),  # noqa: S704 - our own file, and its hash is of exactly this
    }
    return env


def _evidence(it: Line) -> str:
    return visible(evidence_text(it), _LONGEST)
