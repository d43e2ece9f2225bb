"""What a start costs: CPU of new processes that run some code on an unpacked package."""

import statistics
import subprocess

from infra.package.unpacked import Unpacked
from infra.package.wheels import RefusedError

IMPORT = "import function_app"
_CPU = "import resource; u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
# The settings without which the app does not start; nobody is called.
_SETTINGS = {"AzureWebJobsStorage__accountName": "none", "CMK_WRITER_CLIENT_ID": "none"}


def cpu(code: str, at: Unpacked) -> float:
    """Return the CPU milliseconds from the start of a process until it has run this; it writes no bytecode."""
    environment = {**_SETTINGS, "PYTHONPATH": at.path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(at.python), "-c", f"{code}\n{_CPU}"]
    done = subprocess.run(command, env=environment, cwd=at.app, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise RefusedError(f"the package does not run:\n{done.stderr}")
    return float(done.stdout) * 1000


def median(code: str, at: Unpacked, runs: int) -> float:
    """Return the median of several."""
    return statistics.median(cpu(code, at) for _ in range(runs))
