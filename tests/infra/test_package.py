"""The package holds what runs in production and nothing else, runs alone and read-only, and is the same each time."""

import ast
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import grimp
import pytest

from infra.package.prune import RULES
from infra.package.unpacked import SITE, Unpacked
from simulator.stack import ROOT

# One road each of protecting a vault, of narrowing access to it, and of moving a workspace to keys of its own.
JOURNEYS = (
    "test_vault.py::test_a_written_vault_is_protected_and_on_record",
    "test_access.py::test_policies_are_narrowed_and_nobody_else_is_touched",
    "test_migration.py::test_one_road[policies]",
    "test_api.py::test_the_description_is_true",
)
# Imports each module it is told of, then says what the process has loaded that is neither Python's nor the package's.
ALONE = """
import importlib, json, os, sys, sysconfig
for name in json.load(sys.stdin):
    importlib.import_module(name)
files = {module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
elsewhere = {file for file in files if not file.startswith(os.getcwd() + "/")}
python = tuple(sysconfig.get_path(name) + "/" for name in ("stdlib", "platstdlib"))
print(json.dumps(sorted(it for it in elsewhere if not it.startswith(python) or "-packages/" in it)))
"""


@pytest.fixture(scope="module")
def names(dist: Path) -> list[str]:
    """The files in the package."""
    with ZipFile(dist / "cmkwarden.zip") as package:
        return package.namelist()


def _ours(names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith(".python_packages/") and not name.endswith(".pyc")}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_it_holds_each_module_that_the_app_can_reach_and_no_other(names: list[str]) -> None:
    """Reckoned by another's graph of imports: all that function_app imports, with the packages above them."""
    graph = grimp.build_graph("shared", "remediators", cache_dir=None)
    begin = {name for name in _imports(ROOT / "function_app.py") if name in graph.modules}
    reached = begin.union(*(graph.find_upstream_modules(name) for name in begin))
    above = {".".join(words[:depth]) for it in reached for words in [it.split(".")] for depth in range(1, len(words))}
    places = [ROOT.joinpath(*name.split(".")) for name in reached | above]
    files = [place / "__init__.py" if place.is_dir() else place.with_suffix(".py") for place in places]
    expected = {str(file.relative_to(ROOT)) for file in files}

    assert {name for name in _ours(names) if name.endswith(".py")} == expected | {"function_app.py"}


def test_it_holds_what_the_pages_are_made_of_and_no_papers(names: list[str]) -> None:
    """Every file beside the code but the runbooks; the settings of the host; nothing else of ours."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "shared", "remediators"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    expected = {path for path in listed if not path.endswith((".py", ".md")) and (ROOT / path).exists()}

    assert len(expected) > 20
    assert {name for name in _ours(names) if not name.endswith(".py")} == expected | {"host.json"}


def test_every_module_has_bytecode_that_is_loaded_unchecked(dist: Path) -> None:
    """Made by this Python from this source, and marked as not to be compared with it (PEP 552: flags 1)."""
    with ZipFile(dist / "cmkwarden.zip") as package:
        sources = [name for name in package.namelist() if name.endswith(".py")]
        heads = {package.read(importlib.util.cache_from_source(name))[:8] for name in sources}
        own = package.read("shared/wiring.py"), package.read("shared/__pycache__/wiring.cpython-313.pyc")

    assert len(sources) > 1000
    assert heads == {importlib.util.MAGIC_NUMBER + b"\x01\x00\x00\x00"}
    assert own[1][8:16] == importlib.util.source_hash(own[0])


def test_it_runs_alone(unpacked: Unpacked) -> None:
    """All our modules, and all of others that these name anywhere, load from the package, which stays as it was."""
    before = {path: path.stat().st_mtime_ns for path in unpacked.app.rglob("*")}
    code = [path for path in unpacked.app.rglob("*.py") if SITE not in str(path)]
    own = {".".join(path.relative_to(unpacked.app).with_suffix("").parts).removesuffix(".__init__") for path in code}
    others = {name for path in code for name in _imports(path) if not name.startswith("azure.monitor")}
    wanted = sorted((own | others) - {"shared.adapters.telemetry"})  # that needs the exporter, which is an extra
    environment = {"PYTHONPATH": unpacked.path, "AzureWebJobsStorage__accountName": "none", "CMK_WRITER_CLIENT_ID": "w"}
    done = subprocess.run(
        [str(unpacked.python), "-c", ALONE],
        cwd=unpacked.app, env=environment, input=json.dumps(wanted), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(wanted) > 250
    assert json.loads(done.stdout) == []
    assert {path: path.stat().st_mtime_ns for path in unpacked.app.rglob("*")} == before


def test_it_is_small(dist: Path) -> None:
    """At most 20 MB; each rule of what stays behind has something to keep out."""
    told = (dist / "told").read_text()

    assert (dist / "cmkwarden.zip").stat().st_size <= 20_000_000
    assert told.count("  without ") == len(RULES)
    assert " 0 KB" not in told
    assert "ms of CPU until the app is imported" in told


def test_two_builds_are_the_same(dist: Path, tmp_path: Path) -> None:
    """In other folders, another time zone, with other masks and other hashes: byte for byte the same three files."""
    place = tmp_path / "quite-another-place"
    place.mkdir()
    code = f"from pathlib import Path; from infra.package.build import build; build(Path({str(tmp_path / 'dist')!r}))"
    environment = {**os.environ, "TMPDIR": str(place), "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, umask=0o077, check=True)
    again = {path.name: path.read_bytes() for path in (tmp_path / "dist").iterdir()}

    assert again == {name: (dist / name).read_bytes() for name in again}
    assert sorted(again) == ["cmkwarden.cdx.json", "cmkwarden.zip", "cmkwarden.zip.sha256"]


def test_it_tells_nothing_of_where_it_was_built(dist: Path) -> None:
    """No folder of this machine, no note of an installer, no times, no modes but one."""
    with ZipFile(dist / "cmkwarden.zip") as package:
        entries = package.infolist()
        telling = [entry.filename for entry in entries if str(ROOT).encode() in package.read(entry)]
        notes = [it.filename for it in entries if it.filename.endswith(("/RECORD", "/direct_url.json", "/INSTALLER"))]

    assert (telling, notes) == ([], [])
    assert {(entry.date_time, entry.external_attr) for entry in entries} == {((1980, 1, 1, 0, 0, 0), 0o100644 << 16)}


def test_the_list_of_contents_is_whole(dist: Path, names: list[str]) -> None:
    """Every package of others is on it, with the hash of a locked wheel and a licence, and hangs on the whole."""
    told = json.loads((dist / "cmkwarden.cdx.json").read_text())
    locked = (ROOT / "requirements.txt").read_text()
    inside = {name.split("/")[3].split("-")[0].lower() for name in names if name.endswith(".dist-info/METADATA")}
    parts = told["components"]
    reached, more = set[str](), {"cmkwarden"}
    while more:
        reached |= more
        more = {it for one in told["dependencies"] if one["ref"] in more for it in one.get("dependsOn", [])} - reached

    assert {part["name"].lower().replace("-", "_") for part in parts} == inside
    assert [part["name"] for part in parts if f"sha256:{part['hashes'][0]['content']}" not in locked] == []
    assert [part["name"] for part in parts if not part["licenses"]] == []
    assert reached == {"cmkwarden", *(part["bom-ref"] for part in parts)}
    whole = told["metadata"]["component"]["hashes"][0]["content"]
    assert whole == hashlib.sha256((dist / "cmkwarden.zip").read_bytes()).hexdigest()
    assert (dist / "cmkwarden.zip.sha256").read_text() == f"{whole}  cmkwarden.zip\n"


@pytest.mark.timeout(400)
def test_the_journeys_pass_on_it(dist: Path, tmp_path: Path) -> None:
    """Under the local host, with the package's modules alone, it does what the checkout does."""
    unwanted = ("PYTEST_", "COV_", "SIMULATOR_")  # a run of its own, which writes and clears no folder of this one
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    # The same journeys on the checkout hold the simulator to the official documents, which takes its time.
    environment |= {
        "CMK_PACKAGE": str(dist / "cmkwarden.zip"),
        "CMK_NASTY": "off",
        "REFERENCE_DATA": str(tmp_path / "no"),
    }
    places = [f"tests/journeys/{name}" for name in JOURNEYS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"--basetemp={tmp_path / 'base'}", *places]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    ran = json.loads((tmp_path / "base/azure0/local/host.json").read_text())

    assert done.returncode == 0, done.stdout
    assert f"{len(JOURNEYS)} passed" in done.stdout
    package = tmp_path / "base/package0"
    assert (ran["app"], ran["python"]) == (f"{package}/wwwroot", f"{package}/python/bin/python")
    with ZipFile(dist / "cmkwarden.zip") as zipped:
        there = {path.relative_to(package / "wwwroot") for path in (package / "wwwroot").rglob("*") if path.is_file()}
        assert there == set(map(Path, zipped.namelist()))
