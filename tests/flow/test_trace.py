"""Spans: one around each verb, with the cause that joins them across queues."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from shared.core.errors import Denied
from shared.flow import trace
from tests.fakes import World, vault_body
from tests.flow.conftest import run


class _Tracer:
    """Keeps what the API of OpenTelemetry is told."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Mapping[str, object]]] = []

    @contextmanager
    def start_as_current_span(self, name: str, attributes: Mapping[str, object]) -> Iterator[None]:
        """Begin a span."""
        self.spans.append((name, attributes))
        yield


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> _Tracer:
    """A tracer in place of the one that goes nowhere."""
    own = _Tracer()
    monkeypatch.setattr(trace, "_tracer", own)
    return own


def test_the_road_is_told_in_spans(world: World, tracer: _Tracer) -> None:
    """From evaluation to write: each verb once, the write with the correlation that the history holds."""
    world.arm.put(vault_body())
    world.queue.send("evaluate", {"id": vault_body()["id"], "cause": {"kind": "event", "id": "e-1", "actor": ""}})
    run(world)
    writing = next(entry for entry in world.records.past[world.row().id] if entry.event == "writing")

    assert [name for name, _ in tracer.spans] == ["evaluate", "apply", "execute"]
    assert tracer.spans[0][1]["cmk.cause"] == "e-1"
    assert tracer.spans[2][1]["cmk.correlation"] == writing.detail["correlation"]


def test_what_goes_wrong_goes_on(tracer: _Tracer) -> None:
    """A span never swallows what is raised inside it."""
    with pytest.raises(Denied), trace.span("evaluate", target="t"):
        raise Denied("No", "no")
    assert tracer.spans == [("evaluate", {"cmk.target": "t"})]
