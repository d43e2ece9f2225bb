"""What checkov says of our templates and is left as it is, each with the reason. An excuse that nothing needs fails."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tests.infra.judges.complaint import Complaint


class Excuse(NamedTuple):
    """Which findings are left: of a resource type, of a check (all where it is empty), in cases whose name fits a pattern."""

    kind: str
    check: str
    reason: str
    case: str = ""

    def fits(self, case: str, complaint: Complaint) -> bool:
        """Say whether a finding is meant."""
        meant = complaint.kind == self.kind and self.check in {"", complaint.text.split()[0]}
        return meant and bool(re.search(self.case, case))


SITE, CONFIG, PLAN = "Microsoft.Web/sites", "Microsoft.Web/sites/config", "Microsoft.Web/serverfarms"
STORAGE = "Microsoft.Storage/storageAccounts"
PRIVATE, PUBLIC = "private", "^(?!.*private)"  # by the sentence of the values

EXCUSES = [
    Excuse(CONFIG, "", "checkov takes every `config` of a site for the site itself, which it also judges"),
    Excuse(SITE, "CKV_AZURE_17", "neither Event Grid nor a browser brings a client certificate; hand lets nobody in"),
    Excuse(SITE, "CKV_AZURE_212", "Flex Consumption scales by itself, from none on; work waits in queues"),
    Excuse(SITE, "CKV_AZURE_213", "Flex Consumption has no health check; a late sweep is an alert"),
    Excuse(SITE, "CKV_AZURE_222", "Event Grid and people come from outside; hand refuses every address", PUBLIC),
    Excuse(PLAN, "CKV_AZURE_225", "it keeps two instances of each function ready, and billed; work waits in queues"),
    Excuse(STORAGE, "CKV_AZURE_206", "three zones by default; `storageSku` copies it to another region"),
    Excuse(STORAGE, "CKV_AZURE_35", "an app without a network has no address to let in; keys are off", PUBLIC),
    Excuse(STORAGE, "CKV_AZURE_36", "stricter than asked: no service of Azure writes to hand's storage", PRIVATE),
    Excuse(STORAGE, "CKV_AZURE_59", "as above; private, networkAcls let in nobody but Event Grid"),
]


def unexcused(case: str, complaints: Iterable[Complaint]) -> list[str]:
    """Return the findings that nothing excuses, as texts."""
    return [str(one) for one in complaints if not any(excuse.fits(case, one) for excuse in EXCUSES)]
