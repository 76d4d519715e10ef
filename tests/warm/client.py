"""The stand-in for the console script, beside the socket of its server. It imports little."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main() -> None:
    environment = dict(os.environ)
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.path.join(os.path.dirname(os.path.realpath(__file__)), "socket"))
        order = json.dumps([sys.argv[1:], os.getcwd(), environment]).encode()
        socket.send_fds(server, [len(order).to_bytes(4, "big")], [0, 1, 2])
        server.sendall(order)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: server.sendall(bytes([number])))
        said = server.recv(4)
    code = int.from_bytes(said, "big", signed=True) if said else 1
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
