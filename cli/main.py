"""`cmkwarden`: the command line. Every command but `scan` asks the app; `scan` alone loads the app's own rules."""

import sys
from collections.abc import Callable

import typer

from cli.commands import (
    approving,
    deciding,
    doctor,
    evidence,
    figures,
    history,
    poison,
    reading,
    reporting,
    supposing,
    sweeping,
)
from cli.version import VERSION

_HELP = """Keeps Azure Databricks encrypted under keys that you control: what is wrong, what is decided, what was done.

Say where the app is with --url or CMKWARDEN_URL, and sign in with `az login` or CMKWARDEN_TOKEN.

Ends with 0 if all is well, 1 if something was refused or cannot be reached, 2 if it was typed wrongly, 3 if `doctor`,
`history verify` or `evidence-check` found something, 4 if `sweep --wait` could not read everything, 130 after Ctrl-C.

Examples:

  cmkwarden findings --state awaiting_approval

  cmkwarden show kfvlm4jz

  cmkwarden approve kfvlm4jz --comment "agreed with the owner" --wait
"""
_LOOK, _DECIDE, _CHECK = "Look", "Decide", "Check"


def version() -> None:
    """Print the version of this command line. That of the app is shown by `cmkwarden doctor`.

    Example: cmkwarden version
    """
    sys.stdout.write(f"cmkwarden {VERSION}\n")


def command_line(words: list[str]) -> typer.Typer:
    """Return the commands. `scan` is loaded only where one of the words is its name: it takes the Azure SDKs along."""
    app = typer.Typer(help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    for name, run in (
        ("findings", reading.findings), ("show", reading.show_record), ("explain", reading.explain),
        ("remediations", reading.remediations), ("tickets", reading.tickets),
        ("what-if", supposing.what_if), ("report", reporting.report),
        ("kpis", figures.kpis),
    ):  # fmt: skip
        app.command(name, rich_help_panel=_LOOK)(run)
    for name, run in (
        ("approve", approving.approve), ("reject", deciding.reject), ("cancel", deciding.cancel),
        ("retry", deciding.retry), ("undo", deciding.undo), ("confirm", deciding.confirm), ("pick", deciding.pick),
        ("exempt", deciding.exempt), ("unexempt", deciding.unexempt), ("key-request", deciding.key_request),
    ):  # fmt: skip
        app.command(name, rich_help_panel=_DECIDE)(run)
    app.command("doctor", rich_help_panel=_CHECK)(doctor.doctor)
    app.command("poison", rich_help_panel=_CHECK)(poison.poison)
    app.command("redrive", rich_help_panel=_CHECK)(poison.redrive)
    app.command("sweep", rich_help_panel=_CHECK)(sweeping.sweep)
    app.command("sweeps", rich_help_panel=_CHECK)(sweeping.sweeps)
    app.command("evidence", rich_help_panel=_CHECK)(evidence.evidence)
    app.command("evidence-check", rich_help_panel=_CHECK)(evidence.evidence_check)
    app.add_typer(history.group, name="history", rich_help_panel=_CHECK)
    app.command("scan", rich_help_panel=_CHECK)(_scan(words))
    app.command("version", rich_help_panel=_CHECK)(version)
    return app


def _scan(words: list[str]) -> Callable[..., None]:
    """Return the command, or only its name and its meaning for a list of commands."""
    if "scan" in words:
        from cli.scan.command import scan  # noqa: PLC0415 - it takes a second to load

        return scan

    def named() -> None:
        """Judge an estate from here, without the app: as whoever is signed in, or from exported JSON."""

    return named


def main() -> None:
    """Run the command line; the entry point of the package."""
    words = sys.argv[1:]
    command_line(words)(args=words, prog_name="cmkwarden")


if __name__ == "__main__":
    main()
