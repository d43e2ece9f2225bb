"""Spans and logs on their way to Application Insights, where the deployment has installed the exporter for it."""

from azure.monitor.opentelemetry import configure_azure_monitor

# Of HTTP only azure-core tells, which leaves queries out. The libraries below it would tell the whole address, and the
# address of a long operation is signed (DESIGN 5).
_SILENT = ("requests", "urllib", "urllib3", "httpx", "fastapi", "flask", "django", "psycopg2")


def options() -> dict[str, dict[str, bool]]:
    """Return which instrumentations stay off."""
    return {name: {"enabled": False} for name in _SILENT}


def start() -> None:
    """Send from now on. Where to is the host's own setting, APPLICATIONINSIGHTS_CONNECTION_STRING."""
    configure_azure_monitor(logger_name="cmkwarden", instrumentation_options=options())
