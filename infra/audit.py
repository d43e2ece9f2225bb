"""Are known holes in what is deployed? pip-audit over the locked versions; `skipped` where its data cannot be reached.

pip-audit ends with 0 and "No known vulnerabilities found" where its data knows none of the packages: with an index that
is a mirror, all of them. So its report is counted here, and what it has not judged is not called sound.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# The versions of requirements.txt and those of the exporter: the longer list holds the shorter one.
LIST = ROOT / "requirements-telemetry.txt"
_WAIT = 5  # seconds for one answer; the first that does not come is the end
_LONGEST = 60  # seconds in all
# What pip-audit, or a trace of its, says where nobody answers, or a proxy does.
_UNREACHED = ("ConnectionError", "Could not connect", "Timeout", "ProxyError", "HTTPError")


def main() -> int:
    """Print one line for each hole and a verdict; 1 if there is a hole, or if it cannot be told why nothing was judged."""
    command = [
        *(sys.executable, "-m", "pip_audit", "-r", str(LIST), "--disable-pip", "--require-hashes"),
        *("--format", "json", "--progress-spinner", "off", "--timeout", str(_WAIT)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST)  # noqa: S603 - our own
    except subprocess.TimeoutExpired:
        code, lines = 0, [f"skipped: cannot reach the data within {_LONGEST} s"]
    else:
        code, lines = verdict(done.stdout, done.stderr)
    sys.stdout.write("".join(f"audit: {line}\n" for line in lines))
    return code


def verdict(report: str, said: str) -> tuple[int, list[str]]:
    """Return the exit code and what to print, from pip-audit's report and what it said beside it."""
    if not report.strip():
        lines = said.strip().splitlines() or ["it said nothing"]
        unreached = [line for line in lines if any(word in line for word in _UNREACHED)]
        if unreached:
            return 0, [f"skipped: cannot reach the data: {unreached[-1]}"]
        return 1, [f"FAILED: pip-audit: {lines[-1]}"]
    told: list[dict[str, Any]] = json.loads(report)["dependencies"]
    holes = [f"{_named(it)}: {_hole(hole)}" for it in told for hole in it.get("vulns", [])]
    unjudged = [it["name"] for it in told if "skip_reason" in it]
    if holes:
        return 1, [*holes, f"FAILED: {len(holes)} known holes in what is deployed"]
    if len(unjudged) == len(told):
        return 0, [f"skipped: cannot reach the data: it knows none of {len(told)} packages"]
    if unjudged:
        return 1, [f"FAILED: the data does not know {', '.join(unjudged)}"]
    return 0, [f"no known hole in {len(told)} packages"]


def _named(part: dict[str, Any]) -> str:
    return f"{part['name']} {part['version']}"


def _hole(told: dict[str, Any]) -> str:
    better = ", ".join(told["fix_versions"]) or "no version"
    return f"{told['id']} ({', '.join(told['aliases']) or 'no other name'}), fixed in {better}"


if __name__ == "__main__":
    raise SystemExit(main())
