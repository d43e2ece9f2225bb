"""The cold start: CPU from process start until the first event has become a message, with and without bytecode.

    python -m bench.cold [PACKAGE]

The package (built, unless one is named) is unzipped and made read-only. A fresh process that has nothing but what is in it
imports `function_app` and handles one event as the worker would. The import of `azure.functions` alone, which no Python
function can avoid, is measured in the same run. Python's own modules have their bytecode in any case.
"""

import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.package.build import build
from infra.package.cost import cpu
from infra.package.unpacked import unpack

RUNS = 9
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


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = Path(sys.argv[1]) if len(sys.argv) > 1 else build(folder).archive
        places = {
            "with bytecode": unpack(archive, folder / "1"),
            "without": unpack(archive, folder / "2", bytecode=False),
        }
        print(f"CPU in ms, median of {RUNS} fresh processes [least - most]")
        for case, code in CASES.items():
            for label, place in places.items():
                runs = [cpu(code, place) for _ in range(RUNS)]
                print(f"  {case:24} {label:14} {statistics.median(runs):6.0f} [{min(runs):.0f} - {max(runs):.0f}]")


if __name__ == "__main__":
    main()
