"""What goes to Application Insights. The exporter is an extra that is not installed here: a stand-in takes its calls."""

import sys
from types import ModuleType
from typing import Any

import pytest

from shared.settings import read
from shared.wiring import build
from tests.test_settings import LEAST


def test_no_instrumentation_below_the_sdks_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """They write whole addresses into their spans, and the address of a long operation is signed: whoever has it may use it."""
    asked: list[dict[str, Any]] = []
    stand_in = ModuleType("azure.monitor.opentelemetry")
    stand_in.configure_azure_monitor = lambda **options: asked.append(options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "azure.monitor.opentelemetry", stand_in)
    try:
        build(read({**LEAST, "CMK_TELEMETRY": "azure-monitor"}, ()), ())
    finally:
        sys.modules.pop("shared.adapters.telemetry", None)  # it has the stand-in; whoever comes next reads it anew

    [options] = asked
    off = {name for name, it in options["instrumentation_options"].items() if it == {"enabled": False}}
    assert {"requests", "urllib", "urllib3"} <= off
    assert "azure_sdk" not in options["instrumentation_options"]  # its spans leave queries out, and are wanted
