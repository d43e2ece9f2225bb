"""`evidence`: the pack for auditors, from the app; `evidence-check`: is a pack whole? Computed here, asking nobody."""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.chain import broken
from cli.commands.reporting import written
from cli.output import Output
from cli.safe import plain
from cli.session import FAULT, USAGE, NoColor, Session, connected

_MANIFEST = "manifest.json"
_HISTORY = "history.jsonl"
_PIECE = 1 << 16
_LONGEST = 1 << 26  # bytes of the manifest, or of one record: a pack may come from anywhere


@connected
def evidence(
    session: Session,
    output_file: Annotated[Path, typer.Option("--output-file", help="Where to put the pack, as pack.zip.")],
    framework: Annotated[list[str] | None, typer.Option("--framework", help="Only this: cis, pci, hipaa, nist, iso or mcsb. Can be repeated.")] = None,
) -> None:  # fmt: skip
    """Get the evidence pack: a readable page and a sheet for each framework, every history, a manifest to check them by.

    Keep the SHA-256 that it prints somewhere else: it is what proves later that the pack is the one of today.

    Example: cmkwarden evidence --framework pci --framework iso --output-file pack.zip
    """
    content = session.app.file("/api/evidence", framework=",".join(framework or ()))
    written(content, output_file)
    session.output.line(f"{hashlib.sha256(content).hexdigest()}  {plain(output_file)}")


def evidence_check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pack, as `evidence` has written it.")],
    no_color: NoColor = False,
) -> None:
    """Check a pack: every file's size and SHA-256, and every chain. Asks no app. Ends with 3 where something is wrong.

    Example: cmkwarden evidence-check pack.zip
    """
    output = Output(no_color=no_color)
    try:
        with zipfile.ZipFile(file) as pack:
            wrong, said = list(_wrong(pack)), _said(pack)
    except (OSError, zipfile.BadZipFile) as error:
        output.say(f"{plain(file)} cannot be read: {plain(error)}", "red")
        raise typer.Exit(USAGE) from None
    for it in wrong:
        output.line(plain(it), "red")
    output.line(said if not wrong else f"{len(wrong)} thing(s) are wrong: this is not the pack that was made")
    if wrong:
        raise typer.Exit(FAULT)


def _wrong(pack: zipfile.ZipFile) -> Iterator[str]:
    """Yield what is wrong with a pack, in words."""
    try:
        manifest = _manifest(pack)
        listed = {str(it["name"]): (int(it["size"]), str(it["sha256"])) for it in manifest["files"]}
        records = int(manifest["counts"]["records"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        yield f"{_MANIFEST} cannot be read: {error}"
        return
    there = Counter(pack.namelist())
    yield from (f"{name} is there {count} times" for name, count in there.items() if count > 1)
    yield from (f"{name} is not in the manifest" for name in there if name not in {*listed, _MANIFEST})
    for name, (size, digest) in listed.items():
        if name not in there:
            yield f"{name} is missing"
        elif _measured(pack, name, size) != (size, digest):
            yield f"{name} is not as it was when the pack was made"
    yield from _chains(pack, records) if _HISTORY in there else [f"{_HISTORY} is missing"]


def _measured(pack: zipfile.ZipFile, name: str, size: int) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file, reading not much more than it should have."""
    found, digest = 0, hashlib.sha256()
    try:
        with pack.open(name) as entry:
            while found <= size and (piece := entry.read(_PIECE)):
                digest.update(piece)
                found += len(piece)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError):
        return -1, ""
    return found, digest.hexdigest()


def _chains(pack: zipfile.ZipFile, records: int) -> Iterator[str]:
    """Yield which histories are broken."""
    seen = set[str]()
    try:
        for number, record in enumerate(_records(pack), start=1):
            name = str(record["id"])
            problem = broken(record["history"], str(record["newest"])) if record["newest"] else "it has no newest hash"
            if problem:
                yield f"the history of {name} is broken: {problem}"
            if name in seen:
                yield f"the record {name} is there twice, line {number}"
            seen.add(name)
    except (KeyError, TypeError, ValueError, RecursionError, zipfile.BadZipFile, OSError) as error:
        yield f"{_HISTORY} cannot be read: {error}"
        return
    if len(seen) != records:
        yield f"the manifest tells of {records} records, there are {len(seen)}"


def _records(pack: zipfile.ZipFile) -> Iterator[Mapping[str, Any]]:
    with pack.open(_HISTORY) as lines:
        while line := lines.readline(_LONGEST):
            found = json.loads(line)
            if not isinstance(found, dict):
                raise TypeError("a line is no record")
            yield found


def _manifest(pack: zipfile.ZipFile) -> Mapping[str, Any]:
    with pack.open(_MANIFEST) as entry:
        found = json.loads(entry.read(_LONGEST))
    if not isinstance(found, dict):
        raise TypeError("it is no object")
    return found


def _said(pack: zipfile.ZipFile) -> str:
    """Return what a whole pack is; '' for one whose manifest does not tell."""
    try:
        it = _manifest(pack)
        unread = f", {len(it['unread'])} thing(s) could not be read" if it["unread"] else ""
        broken_then = (
            f", {len(it['broken_chains'])} chain(s) were broken when it was made" if it["broken_chains"] else ""
        )
        return (
            f"whole: made {plain(it['made'])} by {plain(it['by'])} with {plain(it['product'])} {plain(it['version'])}: "
            f"{len(it['files'])} files, {plain(it['counts']['records'])} histories{unread}{broken_then}"
        )
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
