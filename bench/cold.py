"""The cold start: CPU from process start until the first event has become a message, with and without bytecode.

    python -m bench.cold

A fresh process of the app's own environment imports `function_app` and handles one event as the worker would. The
import of `azure.functions` alone, which no Python function can avoid, is measured in the same run.
"""

import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 9
_CPU = "import resource; u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
_EVENT = """
import json, sys
import azure.functions as func
import function_app

class Out:
    def set(self, message):
        self.message = message

out = Out()
function_app.pass_on(json.dumps({
    "id": "1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "dataVersion": "2",
    "subject": "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv-one",
    "data": {"operationName": "Microsoft.KeyVault/vaults/write", "claims": {}},
}), out)
assert json.loads(out.message[0])["id"].endswith("/vaults/kv-one")
if "azure.mgmt" in " ".join(sys.modules) or "azure.identity" in sys.modules:
    raise SystemExit("the event path has imported an SDK that it does not need")
"""
# What the host's Python worker adds: Microsoft's library, and the index of our functions.
_WORKER = "import azure_functions_runtime, function_app; assert len(function_app.app.get_functions()) > 10\n"
CASES: Mapping[str, str] = {
    "python alone": "",
    "import azure.functions": "import azure.functions",
    "first event handled": _EVENT,
    "the same in the worker": _WORKER + _EVENT,
}


def cpu(code: str, prefix: str = "") -> float:
    """Return the CPU milliseconds of a fresh process that runs this code."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "AzureWebJobsStorage__accountName": "bench",
        "CMK_WRITER_CLIENT_ID": "w",
        **({"PYTHONPYCACHEPREFIX": prefix, "PYTHONDONTWRITEBYTECODE": "1"} if prefix else {}),
    }
    command = [str(ROOT / ".app/bin/python"), "-c", f"{code}\n{_CPU}"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout) * 1000


def main() -> None:
    """Print the table."""
    cpu(_EVENT)  # writes what bytecode is missing
    print(f"CPU in ms, median of {RUNS} fresh processes [least - most]")
    with tempfile.TemporaryDirectory() as empty:
        for name, code in CASES.items():
            for label, prefix in (("with bytecode", ""), ("without", empty)):
                runs = [cpu(code, prefix) for _ in range(RUNS if not prefix else 3)]
                shown = f"{statistics.median(runs):6.0f} [{min(runs):.0f} - {max(runs):.0f}]"
                print(f"  {name:24} {label:14} {shown}")


if __name__ == "__main__":
    main()
