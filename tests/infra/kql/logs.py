"""Rows as Azure keeps them: log records of the service in AppTraces, calls of a vault in either table of its audit log."""

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes import vault_id
from tests.infra.kql.tables import TABLES

type Row = dict[str, Any]

OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_LEVELS = {logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3}


def ago(**back: float) -> datetime:
    """Return a time that is past."""
    return datetime.now(UTC) - timedelta(**back)


def traces(records: Iterable[logging.LogRecord], at: datetime | None = None) -> list[Row]:
    """Return what the Functions host makes of log records of the service, written a minute ago unless told."""
    return [
        {
            "TimeGenerated": at or ago(minutes=1),
            "Message": record.getMessage(),
            "SeverityLevel": _LEVELS[record.levelno],
            "Properties": {"Category": "Function.evaluate.User"},
        }
        for record in records
        if record.name.startswith("cmkwarden")
    ]


def dedicated(operation: str, who: str = "", at: datetime | None = None, **more: Any) -> Row:
    """Return a call in AZKVAuditLogs, the table that our own diagnostic settings write to."""
    return _known("AZKVAuditLogs", {
        "TimeGenerated": at or ago(minutes=5),
        "OperationName": operation,
        "HttpStatusCode": 200,
        "CallerIpAddress": "198.51.100.7",
        "Identity": {"claim": {OID: who, "appid": "d"}} if who else {},
        "_ResourceId": vault_id(),
        **more,
    })  # fmt: skip


def diagnostics(operation: str, who: str = "", at: datetime | None = None, **more: Any) -> Row:
    """Return the same call in AzureDiagnostics, where older settings write to: ids as they come, codes as real numbers."""
    return _known("AzureDiagnostics", {
        "TimeGenerated": at or ago(minutes=5),
        "ResourceProvider": "MICROSOFT.KEYVAULT",
        "Category": "AuditEvent",
        "OperationName": operation,
        "httpStatusCode_d": 200.0,
        "CallerIPAddress": "198.51.100.7",
        "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g": who,
        "_ResourceId": vault_id().upper(),
        **more,
    })  # fmt: skip


def recorded(record: Mapping[str, Any], at: datetime) -> Row:
    """Return a record of the log as Microsoft prints it, as a row of AZKVAuditLogs: property x is column X."""
    own = record["properties"]
    return _known("AZKVAuditLogs", {
        "TimeGenerated": at,
        "OperationName": record["operationName"],
        "HttpStatusCode": own["httpStatusCode"],
        "CallerIpAddress": record["callerIpAddress"],
        "Identity": json.loads(json.dumps(record["identity"])),
        "Id": own["id"],
        "_ResourceId": record["resourceId"].lower(),
    })  # fmt: skip


def _known(table: str, row: Row) -> Row:
    """Return the row; a column that the table has not is a mistake of the test."""
    assert set(row) <= set(TABLES[table]), set(row) - set(TABLES[table])
    return row
