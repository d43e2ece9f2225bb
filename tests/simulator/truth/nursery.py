"""Forks a simulator for each configuration path it reads: `python -m tests.simulator.truth.nursery`.

A fresh simulator for each recorded sequence would cost half a second of imports each; a fork costs a few milliseconds.
Prints the child's process id and then the child's own ready line.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from simulator.arm.__main__ import serve
from simulator.arm.config import load


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    for line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdout.write(f"{os.getpid()}\n")
            sys.stdout.flush()
            asyncio.run(serve(load(Path(line.strip()))))
            os._exit(0)


if __name__ == "__main__":
    main()
