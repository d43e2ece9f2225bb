"""Spans around the verbs, through OpenTelemetry's API alone: without an exporter they cost next to nothing.

`evaluate` carries the cause of the work as `cmk.cause`, `apply` the remediation and `execute` the correlation id that
Azure's own log has: with the row, which holds all three, they join across queues. docs/operations.md has the rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace

_tracer = trace.get_tracer("cmkwarden")


@contextmanager
def span(verb: str, **facts: str | int) -> Iterator[None]:
    """Run something as a span. Exceptions are recorded on it and go on."""
    with _tracer.start_as_current_span(verb, attributes={f"cmk.{name}": value for name, value in facts.items()}):
        yield
