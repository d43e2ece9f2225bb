"""The README of a pack: what is in it, what it proves and what it does not, and how to check it without us."""

from collections.abc import Sequence

from shared.core.report import Report

_TEXT = """\
Evidence on customer-managed keys of Azure Databricks
=====================================================

Made by {tool} {version} at {made} (UTC).
Estate: {scope}
Frameworks: {frameworks}

What is in here
---------------
manifest.json           every other file with its size and SHA-256, when and by whom the pack was made, what could not be read
report.json             what was found: a verdict for each control on each target, as the last look at it has left it
frameworks/NAME.html    a framework, readable: requirement, our controls, counts, and what is not as it should be
frameworks/NAME.csv     the same with every line, one a row
history.jsonl           every record with its whole history, one JSON object a line, hash-chained

How to read it
--------------
"official"    the framework, or a published mapping of it that is named, speaks of this very thing.
"supporting"  the control speaks of something alike, or only of the reason. It is no proof that the requirement is met.
"unknown"     nobody could judge it. It is never to be counted as compliant.
"exempted"    it is not compliant, and a person has said so, with a reason and until a date.
"not judged"  the control is switched off, or not part of this version. It is evidence of nothing.

The pack shows what was on record when it was made: each target as its last look found it. report.json and history.jsonl
were read one after the other; a record that changed in between is in the later one as it was then.

How to check it without us
--------------------------
1. The files. For each file of manifest.json compare its SHA-256:
       python3 -c "import hashlib, json
for f in json.load(open('manifest.json'))['files']:
 print(hashlib.sha256(open(f['name'], 'rb').read()).hexdigest() == f['sha256'], f['name'])"
   No other file may be there.
2. The chains. Each line of history.jsonl is a record; `history` holds its entries, oldest first. The hash of an entry is the
   SHA-256, in hex, of its JSON with `hash` empty, keys sorted, no spaces, everything beyond ASCII escaped, and `time` in
   ISO 8601 with an offset (+00:00, microseconds where there are any). `previous` is the hash of the entry before, 64 zeros
   for the first; `n` counts from 1. `newest` of the record is the hash of its last entry.
3. Both at once, if you have the command line; it asks no app and no network:
       cmkwarden evidence-check PACK.zip

What it does not prove
----------------------
A chain proves that nobody changed or removed a part of it, not that nobody wrote all of it anew. Whoever makes packs can make
a false one. Keep the SHA-256 of the whole pack elsewhere on the day it is made, and compare histories with packs from
earlier days: a history only ever grows.
"""


def readme(report: Report, frameworks: Sequence[str]) -> str:
    """Return the text."""
    return _TEXT.format(
        tool=report.tool, version=report.version, made=report.made.strftime("%Y-%m-%d %H:%M:%S"), scope=report.scope,
        frameworks=", ".join(frameworks),
    )  # fmt: skip
