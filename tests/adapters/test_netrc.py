"""A ~/.netrc on the machine takes the place of no token of ours."""

from pathlib import Path

import pytest

from shared.adapters.inventory import ResourceGraph
from shared.adapters.pipeline import Pipeline
from simulator.client import Client
from tests.adapters.conftest import identity


def test_resource_manager_is_asked_with_our_token(
    environment: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a default entry that speaks of every host."""
    (tmp_path / "netrc").write_text("default login corp password hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    graph = ResourceGraph(Pipeline(identity(environment, "reader"), environment.facts["arm"]), ())

    assert len(graph.subscriptions()) >= 3
