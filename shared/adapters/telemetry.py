"""Spans and logs on their way to Application Insights, where the deployment has installed the exporter for it."""

from azure.monitor.opentelemetry import configure_azure_monitor


def start() -> None:
    """Send from now on. Where to is the host's own setting, APPLICATIONINSIGHTS_CONNECTION_STRING."""
    configure_azure_monitor(logger_name="cmkwarden")
