"""What-if over the API: what would happen if the settings were others. It reads what is on record and can write nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from shared.core import words
from shared.core.choices import Mode
from shared.core.control import Remediator
from shared.core.errors import BadInput
from shared.core.ports.standing import Standing
from shared.core.supposition import Supposition, Variation
from shared.flow.suppose import suppose
from shared.web.answers import answer
from shared.web.openapi import Operation, Parameter

MODES = tuple(it for it in Mode if it is not Mode.OFF)  # as CMK_MODE takes them
PARAMETERS = (
    Parameter("mode", "as if CMK_MODE were this", {"type": "string", "enum": list(MODES)}),
    Parameter("modes", "as if CMK_MODE_<CONTROL> were these, between commas: KV-ACCESS=auto,DBX-CMK=observe"),
    Parameter("auto_scope", "as if CMK_AUTO_SCOPE were this, as in the setting; empty: nowhere"),
)


@dataclass(frozen=True, slots=True)
class SupposeApi:
    """The endpoint. What it is given has no port that writes."""

    ports: Standing

    def what_if(self, request: Request) -> Response:
        """Say what would become of every finding on record if the settings were others, writing nothing."""
        return answer(suppose(self.ports, variation(request.query_params, self.ports.remediators)))


def operations(ports: Standing) -> Sequence[Operation]:
    """Return its row of the route table."""
    return (Operation("GET", "/api/what-if", SupposeApi(ports).what_if, Supposition, PARAMETERS),)


def variation(query: Mapping[str, str], remediators: Sequence[Remediator]) -> Variation:
    """Read which settings are supposed. Raises BadInput that says what would be right."""
    unknown = set(query) - {it.name for it in PARAMETERS}
    if unknown:
        names = ", ".join(it.name for it in PARAMETERS)
        raise BadInput("UnknownParameter", f"{min(unknown)[:40]!r} is no parameter; there are {names}")
    controls = [it.control.id for it in remediators]
    scope = query.get("auto_scope")
    try:
        return Variation(
            mode=_one_of(query["mode"], MODES) if "mode" in query else None,
            modes=dict(_mode(it, controls) for it in words.names(query.get("modes", ""))),
            auto_scope=None if scope is None else words.scopes(scope),
        )
    except ValueError as error:
        raise BadInput("BadVariation", f"there is no such setting: {error}"[:400]) from None


def _mode(text: str, controls: Sequence[str]) -> tuple[str, Mode]:
    control, _, mode = text.partition("=")
    name = control.strip().upper()
    if name not in controls:
        raise ValueError(f"{control.strip()[:40]!r} is no control; there are {', '.join(controls)}")
    return name, _one_of(mode.strip(), tuple(Mode))


def _one_of(text: str, modes: Sequence[Mode]) -> Mode:
    if text not in modes:
        raise ValueError(f"a mode is one of {', '.join(modes)}")
    return Mode(text)
