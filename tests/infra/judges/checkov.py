"""Judges what is deployed by checkov's rules: one run over all templates, expanded, for it reads no expressions.

Traps (all seen): without --skip-download it calls home; a file that it cannot read is no failure; a resource whose name
is an expression is not looked at.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.infra.judges.azmcp import need
from tests.infra.judges.complaint import Complaint
from tests.infra.judges.expand import Expansion

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def checkov(expansions: Mapping[str, Expansion], folder: Path) -> dict[str, list[Complaint]]:
    """Return what checkov refuses in each expansion, by its name. Fails where it could not read one."""
    names = list(expansions)
    for number, name in enumerate(names):
        bodies = [resource.body for resource in expansions[name].resources if not resource.nested]
        whole = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": bodies}
        (folder / f"{number}.json").write_text(json.dumps(whole, indent=1))
    command = [need("checkov"), "--directory", str(folder), "--framework", "arm", "--skip-download", "--soft-fail"]
    done = subprocess.run([*command, "--compact", "--output", "json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)

    assert report["summary"]["parsing_errors"] == 0, report["results"]["parsing_errors"]
    looked_at = {row["file_path"] for kind in ("passed_checks", "failed_checks") for row in report["results"][kind]}
    silent = [
        name for number, name in enumerate(names) if _known(expansions[name]) and f"/{number}.json" not in looked_at
    ]
    assert silent == []
    found: dict[str, list[Complaint]] = {name: [] for name in names}
    for failed in report["results"]["failed_checks"]:
        name = names[int(Path(failed["file_path"]).stem)]
        found[name].append(_complaint(failed, expansions[name]))
    return found


def _known(expansion: Expansion) -> bool:
    """Say whether there is something that checkov has rules for."""
    return any(one.kind in {"Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"} for one in expansion.resources)


def _complaint(failed: dict[str, str], expansion: Expansion) -> Complaint:
    """Return a finding with the path of its resource, which checkov calls `Type.name`."""
    text = f"{failed['check_id']} {failed['check_name']}"
    for resource in expansion.resources:
        if f"{resource.kind}.{resource.body['name']}" == failed["resource"]:
            return Complaint(resource.path, text, resource.kind)
    return Complaint(failed["resource"], text)
