"""`python -m simulator.arm --config FILE`: start, say so in one line of JSON, serve until told to stop.

Standard output carries that line and nothing else; whatever there is to complain about goes to standard error.
"""

import argparse
import asyncio
import json
import signal
import ssl
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.arm.config import Config, load
from simulator.arm.manage import Manage
from simulator.arm.nasty import described
from simulator.arm.server import Arm
from simulator.arm.sim import Sim

END_WITHIN = 1.0  # seconds that open connections are given


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT."""
    sim = Sim(config)
    sim.settle()
    arm = Arm(sim)
    manage = Manage(sim, arm.entra)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.cert, config.key)
    runners = [
        web.ServerRunner(web.Server(arm.handle, access_log=None), shutdown_timeout=END_WITHIN),
        web.ServerRunner(web.Server(manage.handle, access_log=None), shutdown_timeout=END_WITHIN),
    ]
    port = await _listen(runners[0], config.host, config.port, context)
    manage_port = await _listen(runners[1], config.host, config.manage_port, None)
    over = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    print(json.dumps(ready(sim, port, manage_port)), flush=True)
    shaking = asyncio.create_task(sim.eventgrid.start())
    await over.wait()
    shaking.cancel()
    await sim.delivery.close()
    await asyncio.gather(*(runner.cleanup() for runner in runners))


def ready(sim: Sim, port: int, manage_port: int) -> dict[str, Any]:
    """The line that says that it listens, with what a player needs."""
    host = sim.config.host
    return {
        "ready": True,
        "nasty": described(sim.nasty),
        "arm": f"https://{host}:{port}",
        "manage": f"http://{host}:{manage_port}",
        "owner_token": sim.tokens.for_owner(),
        "people": [
            {
                "name": person.name,
                "roles": list(person.roles),
                "object_id": person.object_id,
                "token": sim.tokens.for_person(person),
            }
            for person in sim.config.people
        ],
        "token_url": f"http://{host}:{manage_port}/msi/token",
    }


async def _listen(runner: web.ServerRunner, host: str, port: int, context: ssl.SSLContext | None) -> int:
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=context, backlog=1024)
    await site.start()
    address: tuple[str, int] = runner.addresses[0]
    return address[1]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m simulator.arm", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file; see simulator/arm/config.py")
    asyncio.run(serve(load(parser.parse_args().config)))


if __name__ == "__main__":
    main()
