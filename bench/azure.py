"""The speed of the local Resource Manager itself, so that it never is what another benchmark measures.

    python -m bench.azure

From start to ready, 20,000 resources seeded, GETs of vaults over TLS on 16 connections from a process of its own, and
what one of them costs the simulator in CPU: with that, what one free core can answer.
"""

import asyncio
import os
import ssl
import statistics
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession, TCPConnector

from bench.local import seed, vault
from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import Stack

SEEDED = 20_000
GETS = 4_000
RUNS = 5
CONNECTIONS = 16


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, Stack(chosen("random"), Path(folder) / "local", hosts=0) as stack:
        azure = Client(stack.facts)
        names = [f"kv-many-{number}" for number in range(SEEDED)]
        began = time.monotonic()
        seed(azure, names)
        seeded = time.monotonic() - began
        urls = [f"{azure.facts['arm']}{vault(azure, name)}?api-version=2023-07-01" for name in names[:GETS]]
        rates, costs = [], []
        for _ in range(RUNS):
            before, start = _cpu(stack.facts["pids"]["arm"]), time.monotonic()
            asyncio.run(_get(azure, urls))
            rates.append(GETS / (time.monotonic() - start))
            costs.append((_cpu(stack.facts["pids"]["arm"]) - before) / GETS * 1000)
        print("the local Resource Manager")
        print(f"  start to ready                {stack.started['arm']:8.2f} s")
        print(f"  {SEEDED} resources seeded       {seeded:8.2f} s")
        print(
            f"  GETs a second, median         {statistics.median(rates):8.0f}   [{min(rates):.0f} - {max(rates):.0f}]"
        )
        print(
            f"  CPU for one GET, median       {statistics.median(costs):8.3f} ms {1000 / statistics.median(costs):.0f} a core"
        )


async def _get(azure: Client, urls: list[str]) -> None:
    trust = ssl.create_default_context(cafile=azure.facts["ca"])
    headers = {"Authorization": f"Bearer {azure.facts['owner_token']}"}
    queue = list(urls)
    async with ClientSession(connector=TCPConnector(limit=CONNECTIONS, ssl=trust), headers=headers) as session:

        async def one() -> None:
            while queue:
                async with session.get(queue.pop()) as answer:
                    assert answer.status == 200, answer.status
                    await answer.read()

        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
