"""The way to the network: names to addresses, and connections to addresses."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass


def addresses_of(host: str, port: int) -> list[str]:
    """Each address once, in the order to try them. Raises: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connection_to(address: str, port: int, timeout_s: float) -> socket.socket:
    """Args: address: an IP address, so that no name is asked for. Raises: OSError."""
    return socket.create_connection((address, port), timeout=timeout_s)


@dataclass(frozen=True, slots=True)
class Network:
    """Both steps apart: what is connected to is what was looked at."""

    addresses: Callable[[str, int], Sequence[str]] = addresses_of
    connect: Callable[[str, int, float], socket.socket] = connection_to


REAL = Network()
