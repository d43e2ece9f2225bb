"""Whatever a page points at is there: files, headings, modules that are to be run, functions of a named file."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reference import ROOT
from tests.test_architecture import tracked

PAGES = tracked("*.md")
FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Give file and heading of each link to a page of ours; code is no link."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            file, _, heading = target.partition("#")
            yield file, heading


def headings(page: Path) -> set[str]:
    """Return the anchors of a page, made as the hosts of repositories make them."""
    words = re.findall(r"^#+ +(.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", it.strip().lower()).replace(" ", "-") for it in words}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """Each relative link names a file that is there and, after #, a heading of it."""
    page = ROOT / name
    lost = [
        f"{file}#{heading}"
        for file, heading in links(page)
        if not (there := page.parent / file if file else page).exists() or (heading and heading not in headings(there))
    ]

    assert lost == []


@pytest.mark.parametrize("name", PAGES)
def test_what_is_to_be_run_is_there(name: str) -> None:
    """Each `python -m` of a module of ours names one that Python can run."""
    ours = re.findall(r"python -m ((?:bench|cli|infra|simulator|tests)\b[\w.]*)", (ROOT / name).read_text())
    paths = [ROOT / module.replace(".", "/") for module in ours]

    assert [str(it) for it in paths if not it.with_suffix(".py").exists() and not (it / "__main__.py").exists()] == []


@pytest.mark.parametrize("name", [it for it in PAGES if not it.startswith("docs/decisions/")])
def test_what_is_said_to_be_in_a_file_is_in_it(name: str) -> None:
    """`name` in `file.py`, or both in the columns of the life of an event. Decisions tell of the code of their day."""
    said = re.findall(
        r"((?:`\w+`(?:, )?)+) (?:in|\|) `((?:cli|infra|remediators|shared|simulator)/[\w/]+\.py)`((?:, `[\w/]+\.py`)*)",
        (ROOT / name).read_text(),
    )
    lost = []
    for words, first, more in said:
        files = [ROOT / it for it in (first, *re.findall(r"`([^`]+)`", more))]
        code = "".join(it.read_text() for it in files if it.exists())
        lost += [f"{word} in {first}" for word in re.findall(r"`(\w+)`", words) if not re.search(rf"\b{word}\b", code)]

    assert lost == []
