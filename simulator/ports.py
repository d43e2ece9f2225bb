"""Which ports the local Azure listens on: the documented ones, or free ones."""

import socket
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each part."""

    arm: int = 8443
    manage: int = 8444
    functions: int = 7071
    blob: int = 10000
    queue: int = 10001
    table: int = 10002


class PortTakenError(RuntimeError):
    """Something else listens on a port that we need."""


def chosen(which: str) -> Ports:
    """Return the ports for `default` or `random`. Raises PortTakenError, naming the port and the way out."""
    if which == "random":
        return Ports(*_free(6))
    ports = Ports()
    for name in Ports.__slots__:
        number = getattr(ports, name)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, number))
            except OSError:
                raise PortTakenError(
                    f"port {number} ({name}) is taken: end what listens there, or use free ports:  make up PORTS=random"
                ) from None
    return ports


def is_open(port: int) -> bool:
    """Whether something listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0


def _free(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
