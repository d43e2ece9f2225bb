"""The whole local Azure as a fixture: started once for each test process, on free ports, with storage in memory."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infra.package.unpacked import Unpacked, unpack
from simulator.client import Client
from simulator.nastiness import told, wanted
from simulator.ports import chosen
from simulator.stack import ROOT, Stack
from tests.simulator.answers import answers_file
from tests.simulator.truth import session as truth

# A shared machine may stall for a second: what a test proves must not depend on that.
settings.register_profile("cmkwarden", deadline=None)
settings.load_profile("cmkwarden")


def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed once, so that all processes of a run have the same; have every simulator write down its answers."""
    truth.begin(config)
    order = wanted(os.environ, "mild")
    os.environ["CMK_SEED"] = str(order["seed"])
    config.addinivalue_line("markers", "calm: the local Azure is not nasty while this test runs")


def pytest_report_header() -> str:
    """Say how to meet the same nastiness again."""
    runs = os.environ.get("CMK_PACKAGE", "the checkout")
    return f"{told(wanted(os.environ, 'mild'))} (in tests/journeys; CMK_NASTY=off|mild|nasty); the app: {runs}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that failed says the seed, too."""
    report = yield
    if report.failed and "journeys" in item.nodeid:
        report.sections.append(("nastiness", told(wanted(os.environ, "mild"))))
    return report


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """What the stack runs: the checkout in its own environment, or the package that CMK_PACKAGE names, unzipped."""
    if "CMK_PACKAGE" not in os.environ:
        return Unpacked(ROOT, ROOT / ".app/bin/python")
    return unpack(Path(os.environ["CMK_PACKAGE"]), tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory, app: Unpacked) -> Iterator[Client]:
    """A running stack, as a person in front of it sees it."""
    folder = tmp_path_factory.mktemp("azure") / "local"
    with Stack(chosen("random"), folder, answers=answers_file(), app=app.app, python=app.python) as stack:
        yield Client(stack.facts)


@pytest.fixture(scope="session")
def folder(azure: Client) -> Path:
    """The folder with the logs and configurations of the stack."""
    return Path(azure.facts["ca"]).parent.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the tests of the simulator's truth have measured, under xdist too."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "truth" and report.when == "call":
                terminalreporter.write_sep("-", "truth of the simulator")
                terminalreporter.write_line(str(value))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hold them to the official documents."""
    truth.end(session)
