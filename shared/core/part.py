"""A part of the deployment as it describes itself: two function apps from one package, and they must agree. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# What each part may have for itself. Two parts must agree on everything else: what one decides the other carries out.
OWN = frozenset({
    "CMK_PART", "CMK_TELEMETRY", "CMK_PATIENCE", "CMK_SWEEP_SCHEDULE", "CMK_FIGURES_SCHEDULE", "CMK_DEAD_LETTERS",
    "CMK_GOALS", "CMK_PRICES", "CMK_PRODUCTION",
    "CMK_AUTHORITY_URL", "CMK_API_AUDIENCE", "CMK_API_REQUESTS", "CMK_API_WRITES", "CMK_API_FAILED_SIGN_INS",
    "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__tableServiceUri",
    "AzureWebJobsStorage__clientId", "WEBSITE_SITE_NAME", "WEBSITE_AUTH_ENABLED",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its CMK_PART, what runs in it and as of when. `settings` holds a fingerprint by name, never a value."""

    name: str
    version: str
    python: str
    settings: Mapping[str, str]
    time: datetime | None = None  # None: it is this app


def fingerprints(texts: Mapping[str, str]) -> dict[str, str]:
    """Return what tells two values apart and shows neither, by name, of the settings that both parts must have alike."""
    return {
        name: hashlib.sha256(text.strip().encode()).hexdigest()[:16] for name, text in texts.items() if name not in OWN
    }
