"""What every command that speaks to the app shares: how it is reached, who asks, and how it fails without a traceback."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cli import local, login, problems
from cli.app_client import Answer, AppClient, BadAddress, Refused, Unreachable
from cli.output import Output
from cli.safe import command, plain

REFUSED, USAGE, FAULT = 1, 2, 3
_WHOLE = 16  # characters of an id
_RECORD = frozenset({"id", "state", "control", "target", "plan", "finding", "decision", "history", "history_problem"})
_SHORTEST = 4  # of its beginning, where that says which is meant

Url = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="CMKWARDEN_URL",
        help="Where the app is, as https://YOUR-APP.azurewebsites.net",
        rich_help_panel="Connection",
    ),
]
Scope = Annotated[
    str,
    typer.Option(
        "--scope",
        envvar="CMKWARDEN_SCOPE",
        help="What the token is asked for, where CMKWARDEN_TOKEN holds none.",
        rich_help_panel="Connection",
    ),
]
Local = Annotated[bool, typer.Option("--local", help="Use the local Azure of `make up`.", rich_help_panel="Connection")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help="Who you are in the local Azure: part of a name, as Ada. The reader, if you do not say.",
        rich_help_panel="Connection",
    ),
]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.", rich_help_panel="Connection")
]


class Usage(Exception):  # noqa: N818 - a situation
    """What was typed does not go together. The text says what would."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one command."""

    app: AppClient
    output: Output
    is_local: bool
    person: str

    def record(self, row_id: str) -> Answer:
        """Return a record with its version. The beginning of an id is enough where only one begins so. Raises Refused, Usage."""
        return self.asked(f"/api/remediations/{self.whole(row_id)}", _RECORD)

    def asked(self, path: str, needed: frozenset[str], **query: str) -> Answer:
        """Read an object that has these fields. Raises Refused, or Unreachable where it has not: that is another app."""
        answer = self.app.get(path, **query)
        if not isinstance(answer.body, dict) or not set(answer.body) >= needed:
            raise Unreachable(
                f"{self.app.url} answers with something else: is it the right address, and of this version?"
            )
        return answer

    def whole(self, row_id: str) -> str:
        """Return the id that a beginning of one stands for. Raises Usage where none or several begin so."""
        text = row_id.strip().lower()
        if len(text) >= _WHOLE or not text.isalnum():
            return text
        if len(text) < _SHORTEST:
            raise Usage(f"{plain(row_id)!r}: give at least {_SHORTEST} characters of the id")
        found = [str(row["id"]) for row in self.app.rows("/api/remediations", None) if str(row["id"]).startswith(text)]
        if len(found) != 1:
            several = f"{len(found)} ids begin so: {', '.join(plain(it) for it in found[:5])}"
            raise Usage(f"{plain(row_id)!r}: {several if found else 'no id begins so'}")
        return found[0]

    def again(self, *words: str, decides: bool = False) -> str:
        """Return a command of ours as it can be typed next; in the local Azure as somebody who may do what it does."""
        here = ["--local", *(["--as", "Ada"] if decides else [])] if self.is_local else []
        return command("cmkwarden", *words, *here)


def connected(run: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose first parameter is a Session, with the options of the connection after its own."""

    @functools.wraps(run)
    def connected_run(*, url: str, scope: str, is_local: bool, as_: str, no_color: bool, **own: Any) -> None:
        output = Output(no_color=no_color)
        code = guarded(output, url, lambda: run(_session(output, url, scope, is_local=is_local, part=as_), **own))
        if code:
            raise typer.Exit(code)

    shared = (
        ("url", Url, ""), ("scope", Scope, login.SCOPE), ("is_local", Local, False), ("as_", As, ""),
        ("no_color", NoColor, False),
    )  # fmt: skip
    own = list(inspect.signature(run).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [inspect.Parameter(name, keyword, default=default, annotation=kind) for name, kind, default in shared]
    named = [it.replace(kind=keyword) for it in own]
    connected_run.__signature__ = inspect.Signature([*named, *options])  # type: ignore[attr-defined]
    connected_run.__annotations__ = {it.name: it.annotation for it in (*named, *options)}
    return connected_run


def guarded(output: Output, url: str, run: Callable[[], None]) -> int:
    """Run; say what went wrong and what to do; return the exit code. Whatever is no situation of ours is a bug and rises."""
    try:
        run()
    except Refused as error:
        output.say(f"{plain(error.title)} ({plain(error.reason)}): {plain(error.detail)}", "red")
        for line in problems.lines(error.extra):
            output.say(line)
        output.say(f"What to do: {problems.todo(error.status, plain(error.reason))}")
        return REFUSED
    except Unreachable as error:
        output.say(f"The app could not be asked{f' at {plain(url)}' if url else ''}: {plain(error)}", "red")
        return REFUSED
    except (login.NotSignedIn, local.NoStack) as error:
        output.say(plain(error), "red")
        return REFUSED
    except (Usage, BadAddress) as error:
        output.say(plain(error), "red")
        return USAGE
    return 0


def _session(output: Output, url: str, scope: str, *, is_local: bool, part: str) -> Session:
    if is_local:
        it = local.person(part)
        return Session(AppClient(it.url, lambda: it.token), output, is_local=True, person=it.name)
    if part:
        raise Usage("--as is for the local Azure: add --local")
    if not url:
        raise Usage("where is the app? Give --url, or set CMKWARDEN_URL; --local is for the local Azure of `make up`")
    return Session(AppClient(url, lambda: login.token(scope)), output, is_local=False, person="")
