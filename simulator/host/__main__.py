"""The command: `python -m simulator.host --config FILE`.

Prints one line of JSON when the app is ready; everything else goes to the error stream. Ends with 1 when the
app cannot be run, with 0 when it was asked to end.
"""

import argparse
import asyncio
import logging
import signal
import sys
import time
from pathlib import Path

from simulator.host import config, host


class Lines(logging.Formatter):
    """One line for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Escape line ends."""
        return super().format(record).replace("\n", "\\n")


async def serve(told: config.Config) -> int:
    """Run the host; a signal cancels it."""
    task = asyncio.create_task(host.run(told))

    def end() -> None:
        if not task.cancelling():  # a second signal must not interrupt the tidying up
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


def main() -> int:
    """Read the configuration and run."""
    parser = argparse.ArgumentParser(
        prog="simulator.host", description="A local stand-in for the Azure Functions host."
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON file that describes the app")
    handler = logging.StreamHandler(sys.stderr)
    logging.Formatter.converter = time.gmtime
    handler.setFormatter(Lines("%(asctime)s.%(msecs)03d %(levelname)s host - %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        return asyncio.run(serve(config.load(parser.parse_args().config)))
    except config.Refusal as wrong:
        print(f"host: {wrong}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
