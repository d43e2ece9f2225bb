"""The evidence pack: a zip written piece by piece, every file of it named with its SHA-256.

The same record and the same time make the same bytes.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

import msgspec

from shared.core import chain
from shared.core.evidence import chapter_of, readme, sheet
from shared.core.frameworks import FRAMEWORKS
from shared.core.ports.standing import Standing
from shared.core.record import Exemption
from shared.core.report import Report, json_text
from shared.flow import standing
from shared.flow.account import account
from shared.web import shapes
from shared.web.paper import evidence_html


@dataclass
class _Pack:
    """A zip that remembers what was put into it."""

    zip: zipfile.ZipFile
    report: Report
    files: list[Mapping[str, Any]] = field(default_factory=list)

    def put(self, name: str, pieces: Iterable[str]) -> None:
        """Write one file, a piece at a time."""
        size, digest = 0, hashlib.sha256()
        # The time of the report: that of the clock would make each pack another.
        entry = zipfile.ZipInfo(name, self.report.made.timetuple()[:6])
        entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
        with self.zip.open(entry, "w", force_zip64=True) as out:
            for piece in pieces:
                encoded = piece.encode("utf-8", "backslashreplace")
                out.write(encoded)
                digest.update(encoded)
                size += len(encoded)
        self.files.append({"name": name, "size": size, "sha256": digest.hexdigest()})


@dataclass
class _Trails:
    """The histories on their way into the pack, and what is learnt on the way."""

    records: int = 0
    broken: list[str] = field(default_factory=list)
    exemptions: dict[str, Exemption] = field(default_factory=dict)

    def lines(self, ports: Standing) -> Iterator[str]:
        """Yield each record with its history as a line of JSON; `newest` is the hash that its chain must end with."""
        for it in standing.trails(ports):
            row, problem = it.stored.row, chain.verify(it.history, it.stored.head, it.stored.newest)
            self.records += 1
            if problem:
                self.broken.append(row.id)
            if row.exemption:
                self.exemptions[row.id] = row.exemption
            whole = msgspec.to_builtins(shapes.with_history(row, it.history, problem))
            yield json.dumps({**whole, "newest": it.stored.newest}, sort_keys=True, separators=(",", ":")) + "\n"


def write_pack(ports: Standing, version: str, person: str, keys: Sequence[str], out: BinaryIO) -> None:
    """Write the pack for these frameworks; `person` is the object id of whoever asked for it."""
    report, trails = account(ports, version), _Trails()
    off = [it.id for it in report.controls if not ports.choices.is_on(it.id)]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        pack = _Pack(archive, report)
        pack.put("README.txt", [readme(report, [FRAMEWORKS[it].name for it in keys])])
        pack.put("report.json", [json_text(report)])
        pack.put("history.jsonl", trails.lines(ports))
        for name in keys:
            chapter = chapter_of(FRAMEWORKS[name], report, trails.exemptions, off)
            pack.put(f"frameworks/{name}.html", evidence_html(chapter, report))
            pack.put(f"frameworks/{name}.csv", sheet(chapter))
        manifest = _manifest(ports, pack, trails, person, keys)
        pack.put("manifest.json", [json.dumps(manifest, indent=2) + "\n"])


def _manifest(ports: Standing, pack: _Pack, trails: _Trails, person: str, keys: Sequence[str]) -> Mapping[str, Any]:
    report = pack.report
    return {
        "product": report.tool, "version": report.version, "made": report.made.isoformat(), "by": person,
        "scope": report.scope, "subscriptions": list(ports.choices.subscriptions), "frameworks": list(keys),
        "unread_subscriptions": list(standing.unread(ports)), "unread": [asdict(it) for it in report.gaps],
        "counts": {"lines": len(report.lines), "verdicts": dict(report.counted()), "records": trails.records},
        "broken_chains": trails.broken, "files": list(pack.files),
    }  # fmt: skip
