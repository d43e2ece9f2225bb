"""`python -m simulator up`: the local Azure with an empty world, in the foreground. `demo` plays a story on it."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from simulator import nastiness, world
from simulator.children import NotReadyError
from simulator.client import Client
from simulator.ports import PortTakenError, chosen
from simulator.stack import ROOT, Stack


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 0 where everything ended well."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("what", choices=["up", "demo"])
    parser.add_argument("--ports", choices=["default", "random"], default="default")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="where state and logs go")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    own = (name for name in os.environ if name.startswith("CMK_") and name not in nastiness.NAMES)
    settings, nasty = {name: os.environ[name] for name in own}, nastiness.wanted(os.environ)
    try:
        stack = Stack(chosen(options.ports), options.folder, settings, on_disk=True, nasty=nasty)
        print(f"starting the local Azure (a few seconds; {nastiness.told(nasty)}) …", file=sys.stderr)
        with stack:
            return _demo(stack, ended) if options.what == "demo" else _up(stack, ended)
    except (NotReadyError, PortTakenError) as error:
        print(error, file=sys.stderr)
        return 1


def _up(stack: Stack, ended: threading.Event) -> int:
    # The settings name vaults where keys may live: the doctor misses them where they are not.
    Client(stack.facts).manage("POST", "/seed", {"resources": world.key_vaults(stack.facts)})
    print(json.dumps(stack.facts), flush=True)
    return _serve(stack, ended)


def _demo(stack: Stack, ended: threading.Event) -> int:
    from simulator.story import invite, tell  # noqa: PLC0415 - `up` has no use for it

    told = tell(stack.facts, ended)
    if ended.is_set() or os.environ.get("DEMO_EXIT") == "1":
        return 0 if told else 1
    invite(stack.facts)
    print("\nserving until Ctrl-C …", flush=True)
    return _serve(stack, ended)


def _serve(stack: Stack, ended: threading.Event) -> int:
    """Wait for the end; a part that ends by itself ends everything, loudly."""
    while not ended.wait(0.5):
        dead = stack.dead()
        if dead:
            print(dead, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
