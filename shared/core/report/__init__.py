"""What was found, as one value, and its forms for programs: JSON, CSV, SARIF, JUnit, OCSF. Pure: the time is part of the value."""

from shared.core.report.cells import csv_text
from shared.core.report.junit import junit_text
from shared.core.report.model import SEVERITIES, Gap, Line, Report, line_of, rank
from shared.core.report.objects import json_text
from shared.core.report.ocsf import ocsf_text
from shared.core.report.sarif import sarif_text

__all__ = [
    "SEVERITIES",
    "Gap",
    "Line",
    "Report",
    "csv_text",
    "json_text",
    "junit_text",
    "line_of",
    "ocsf_text",
    "rank",
    "sarif_text",
]
