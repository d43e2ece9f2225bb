"""What can be taken away, for other tools and for auditors; and what would happen if the settings were others."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput
from shared.core.frameworks import FRAMEWORKS
from shared.core.ports.standing import Standing
from shared.core.supposition import Fate
from shared.flow.suppose import suppose
from shared.web.answers import problem_of
from shared.web.console import words
from shared.web.console.pages import page
from shared.web.console.plan import called
from shared.web.supposing import MODES, variation

SHOWN = 50  # findings, one by one
# What each form is good for.
USES = {
    "html": "a page to read and to print", "csv": "a sheet", "json": "everything, for programs",
    "sarif": "code scanning, as GitHub's", "junit": "a build that shows findings as failed tests",
    "ocsf": "a security lake or SIEM (OCSF 1.5.0, compliance findings)",
}  # fmt: skip
FATES: Mapping[Fate, str] = {
    Fate.AUTO: "happens by itself", Fate.APPROVAL: "is asked for", Fate.TICKET: "is a ticket",
    Fate.OBSERVE: "is only recorded", Fate.SUPPRESSED: "is left out: a person has said so",
    Fate.UNDER_WAY: "is on its way already", Fate.RESTS: "stays rejected, failed or expired",
    Fate.ENDS: "ends: its control would be off", Fate.NOT_KNOWN: "is not known: the record does not say enough",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportPages:
    """The endpoints. What they are given has no port that writes."""

    ports: Standing

    def reports(self, request: Request) -> Response:
        """Show what can be taken away."""
        return page(request, "reports.html", uses=USES, frameworks=tuple(FRAMEWORKS.values()))

    def what_if(self, request: Request) -> Response:
        """Show what would become of every finding under the settings that the form names; nothing is written."""
        query = request.query_params
        # An empty mode is the one that is; an empty scope is nowhere, as in the setting.
        wanted = {name: text for name, text in query.items() if text or name == "auto_scope"}
        found, told = None, None
        try:
            found = suppose(self.ports, variation(wanted, self.ports.remediators))
        except BadInput as error:
            told = words.for_people(problem_of(error))
        scope = wanted.get("auto_scope", ",".join(self.ports.choices.auto_scope))
        return page(
            request, "whatif.html", told.status if told else 200, found=found, told=told, is_now=self.ports.choices.mode,
            scope=scope[:4000], mode=wanted.get("mode", ""), modes=wanted.get("modes", "")[:1000], choices=MODES,
            shown=SHOWN, fates=FATES, called=called,
        )  # fmt: skip
