"""Reports over the API: the findings of the whole estate from what is on record, in the forms that other tools read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput
from shared.core.ports.standing import Standing
from shared.core.report import SEVERITIES, Report, csv_text, json_text, junit_text, ocsf_text, sarif_text
from shared.flow.account import account
from shared.web.answers import said
from shared.web.openapi import Operation, Parameter

FORMS: Mapping[str, tuple[str, str]] = {
    "json": ("application/json", "report.json"),
    "csv": ("text/csv; charset=utf-8", "report.csv"),
    "sarif": ("application/sarif+json", "report.sarif"),
    "junit": ("application/xml", "report-junit.xml"),
    "ocsf": ("application/x-ndjson", "report-ocsf.jsonl"),
    "html": ("text/html; charset=utf-8", "report.html"),
}
_PARAMETERS = (
    Parameter("format", "the form; json where it is not given", {"type": "string", "enum": list(FORMS)}),
    Parameter("severity", "leave out controls below this severity", {"type": "string", "enum": list(SEVERITIES)}),
)


@dataclass(frozen=True, slots=True)
class ReportApi:
    """The endpoint."""

    ports: Standing
    version: str

    def report(self, request: Request) -> Response:
        """Hand out the findings of the whole estate, as the last looks have left them: a file in the form that is asked for."""
        query = request.query_params
        form, least = query.get("format", "json"), query.get("severity", SEVERITIES[0])
        if form not in FORMS or least not in SEVERITIES or set(query) - {it.name for it in _PARAMETERS}:
            forms, severities = ", ".join(FORMS), ", ".join(SEVERITIES)
            raise BadInput(
                "BadFormat", f"format must be one of {forms}; severity one of {severities}; there is nothing else"
            )
        media_type, name = FORMS[form]
        text = _written(form)(account(self.ports, self.version).from_severity(least))
        return attached(text.encode("utf-8", "backslashreplace"), media_type, name)


def operations(ports: Standing, version: str) -> Sequence[Operation]:
    """Return its row of the route table."""
    files = [media_type.partition(";")[0] for media_type, _ in FORMS.values()]
    return (Operation("GET", "/api/report", ReportApi(ports, version).report, str, _PARAMETERS, files=files),)


def attached(body: bytes, media_type: str, name: str) -> Response:
    """Return a file to be kept: no browser shows it as a page of this site."""
    return said(200, body, media_type, {"Content-Disposition": f'attachment; filename="{name}"'})


def _written(form: str) -> Callable[[Report], str]:
    if form == "html":
        from shared.web.paper import html_text  # noqa: PLC0415 - the other forms need no template engine

        return html_text
    texts = {"json": json_text, "csv": csv_text, "sarif": sarif_text, "junit": junit_text, "ocsf": ocsf_text}
    return texts[form]
