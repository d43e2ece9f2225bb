"""`cmkwarden scan`: the app's own rules on Azure as whoever is signed in, or on exported JSON. Nothing is written to Azure."""

# The Azure SDKs take a second to import: not for `--help`, a typing error or a file.
# ruff: noqa: PLC0415
import logging
import os
import re
import ssl
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.scan.output import Form, put, rendered
from cli.scan.say import Say
from cli.version import VERSION
from shared.core.errors import RemediationError
from shared.core.ids import GUID
from shared.core.report import Report

if TYPE_CHECKING:
    from cli.scan.judge import Scanned
    from shared.settings import Settings

CLEAN, FAILED, USAGE, FINDINGS, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
_TOOL = "cmkwarden"
_LONGEST = 500  # characters: azure-identity tells of every way in that it has tried
_NO_SIGN_IN = frozenset({"NoToken", "InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed"})
_GROUP = re.compile(r"[\w().-]{1,90}")


class Severity(StrEnum):
    """How severe a control is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class FailOn(StrEnum):
    """From which severity on a finding is a failure."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NEVER = "never"


class _StopError(Exception):
    """The scan ends here, with a code and a sentence."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be scanned, as it was typed."""

    subscriptions: tuple[str, ...]
    group: str
    file: str
    settings: Path | None
    arm_url: str
    ca: Path | None


def scan(
    *,
    subscription: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A subscription; repeat it for more. None: all that can be seen."),
    ] = None,
    management_group: Annotated[
        str, typer.Option(metavar="ID", help="Every subscription below this management group.")
    ] = "",
    input_: Annotated[
        str, typer.Option("--input", metavar="FILE|-", help="Judge exported JSON instead of Azure; - reads stdin.")
    ] = "",
    output: Annotated[Form, typer.Option("--output", "-o", help="The form of the report.")] = Form.TABLE,
    output_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the report goes, instead of stdout.")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="The lowest severity that is shown.")] = Severity.LOW,
    fail_on: Annotated[
        FailOn, typer.Option(help="The lowest severity that ends with 3, whether it is shown or not.")
    ] = FailOn.HIGH,
    soft_fail: Annotated[
        bool, typer.Option("--soft-fail", help="Never end with 3; what is unknown still ends with 4.")
    ] = False,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings of the app: local.settings.json, or lines NAME=value.")
    ] = None,
    arm_url: Annotated[str, typer.Option(metavar="URL", help="The Resource Manager endpoint, over CMK_ARM_URL.")] = "",
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Certificates to trust, PEM.")
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.")] = False,
) -> None:
    """Judge vaults and workspaces from here, without a deployment.

    Only reads, and keeps nothing. Signs in as `az login` has, or as
    azure-identity finds; CMKWARDEN_ARM_TOKEN holds a token instead.
    The rules go by the app's CMK_ settings. What the sign-in cannot see
    is not in the report.

    Ends with
    0: everything could be judged, and no finding is as severe as --fail-on;
    1: it could not run: no sign-in, no answer, no place for the report;
    2: wrong usage, settings or input;
    3: there are findings as severe as --fail-on, whatever else is unknown;
    4: there are none, but not everything could be read and judged;
    130: interrupted.
    """
    color = not (no_color or os.environ.get("NO_COLOR"))
    say = Say(os.environ, color=color)
    _check(subscription or [], management_group, input_, output_file, ca)
    wanted = Wanted(tuple(subscription or ()), management_group, input_, settings, arm_url, ca)
    try:
        report = _report(wanted, say)
        _write(report.from_severity(severity), output, output_file, color=color)
    except KeyboardInterrupt:
        say.stop()
        say.line(f"interrupted: looked at {say.done} of {say.total or 'nobody knows how many'}; there is no report")
        raise typer.Exit(INTERRUPTED) from None
    except _StopError as error:
        say.stop()
        say.line(error.said)
        raise typer.Exit(error.code) from None
    _hint(report, say)
    raise typer.Exit(exit_code(report, fail_on, soft_fail=soft_fail))


def exit_code(report: Report, fail_on: FailOn, *, soft_fail: bool) -> int:
    """Return how a scan ends. Findings outweigh gaps: whoever can make one vault unreadable must not hide another's finding."""
    if fail_on is not FailOn.NEVER and not soft_fail and report.has_finding_of(fail_on):
        return FINDINGS
    return CLEAN if report.is_whole else PARTIAL


def _check(subscriptions: list[str], group: str, file: str, output_file: Path | None, ca: Path | None) -> None:
    """Refuse what cannot be meant. Raises BadParameter, which ends with 2."""
    for each in subscriptions:
        if not GUID.fullmatch(each):
            raise typer.BadParameter(
                f"{each[:80]!r} is not the id of a subscription (a GUID)", param_hint="--subscription"
            )
    if group and not _GROUP.fullmatch(group):
        raise typer.BadParameter(f"{group[:90]!r} is not the id of a management group", param_hint="--management-group")
    if file and (subscriptions or group):
        raise typer.BadParameter(
            "a file is judged without Azure: no subscription or management group", param_hint="--input"
        )
    if output_file and not output_file.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output_file.absolute().parent}", param_hint="--output-file")
    if ca:
        try:
            ssl.create_default_context(cafile=ca)
        except OSError as error:
            raise typer.BadParameter(f"there are no certificates in {ca}: {error}", param_hint="--ca") from None


def _report(wanted: Wanted, say: Say) -> Report:
    """Scan, whatever is to be scanned."""
    from cli.scan.settings import scan_settings
    from remediators import REMEDIATORS
    from shared.settings import SettingsError

    controls = tuple(it.control for it in REMEDIATORS)
    try:
        settings = scan_settings(os.environ, [it.id for it in controls], file=wanted.settings, arm_url=wanted.arm_url)
    except SettingsError as error:
        raise _StopError(USAGE, str(error)) from None
    logging.getLogger().addHandler(logging.NullHandler())  # what the SDKs warn of is told better here
    seen = _exported(wanted, settings, say) if wanted.file else _of_azure(wanted, settings, say)
    source = Path(wanted.file).as_posix() if wanted.file not in {"", "-"} else ""
    return Report(_TOOL, VERSION, seen.made, seen.scope, controls, seen.lines, seen.gaps, source)


def _of_azure(wanted: Wanted, settings: "Settings", say: Say) -> "Scanned":
    from cli.scan.online import scan_azure

    if wanted.ca:
        os.environ["REQUESTS_CA_BUNDLE"] = str(wanted.ca)  # for every client in this process, and for `az` below it
    try:
        return scan_azure(settings, os.environ, wanted.subscriptions, wanted.group, say)
    except RemediationError as error:
        hint = "sign in with `az login`, or set CMKWARDEN_ARM_TOKEN: " if error.reason in _NO_SIGN_IN else ""
        said = f"the scan could not run: {hint}{error.reason}: {error.message}"
        raise _StopError(FAILED, said[:_LONGEST]) from None
    except OSError as error:
        raise _StopError(FAILED, f"the scan could not run: {error}") from None


def _exported(wanted: Wanted, settings: "Settings", say: Say) -> "Scanned":
    from cli.scan.export import BadExportError, decoded
    from cli.scan.offline import scan_export

    try:
        raw = sys.stdin.buffer.read() if wanted.file == "-" else Path(wanted.file).read_bytes()
        seen, remarks = scan_export(settings, decoded(raw))
    except (OSError, BadExportError) as error:
        said = f"it cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise _StopError(USAGE, f"{'stdin' if wanted.file == '-' else wanted.file}: {said}") from None
    for remark in remarks:
        say.line(remark)
    return seen


def _write(report: Report, form: Form, file: Path | None, *, color: bool) -> None:
    try:
        put(rendered(report, form, color=color and file is None), form, file)
    except OSError as error:
        raise _StopError(FAILED, f"the report could not be written: {error}") from None


def _hint(report: Report, say: Say) -> None:
    """Say what a person could do about what is unknown."""
    if not report.is_whole:
        say.line(
            f"not everything could be judged: {len(report.unknowns)} verdict(s) are unknown, {len(report.gaps)} thing(s) could not be read"
        )
    if any(it.reason in {"DatabricksPrincipalUnknown", "IdentityUnknown"} for it in report.unknowns):
        say.line("set CMK_DATABRICKS_PRINCIPAL_ID: az ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --query id")
