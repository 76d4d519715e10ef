"""The process that has imported `opsloop`, and forks for each command: `python -m tests.warm.server SOCKET`.

It has one thread, so that what it forks is whole. It ends when its standard input does, with whoever started it.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from functools import partial

from opsloop.cli import main as command_line
from opsloop.client import apply, http, local
from opsloop.core.loading import load

assert apply
assert http


class Order:
    """A command to run: its words, folder, environment and streams."""

    def __init__(self, connection: socket.socket) -> None:
        head, self._streams, _, _ = socket.recv_fds(connection, 4, 3)
        rest = b""
        while len(rest) < int.from_bytes(head, "big"):
            rest += connection.recv(1 << 20)
        self._words, self._folder, self._environment = json.loads(rest)

    def close(self) -> None:
        for stream in self._streams:
            os.close(stream)

    def run(self) -> None:
        """In the fork: what the console script does."""
        for place, stream in enumerate(self._streams):
            os.dup2(stream, place)
        self.close()
        os.chdir(self._folder)
        os.environ.clear()
        os.environ.update(self._environment)
        # As Python opens them; what is open here knows the server's own.
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        sys.argv = ["opsloop", *self._words]
        command_line.main()


class Server:
    def __init__(self, path: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{path}.new")
        self._listener.listen(64)
        os.rename(f"{path}.new", path)  # who finds it is listened to
        self._is_over = False

    def next_order(self) -> Order | None:
        """Serve; comes back in a fork, with what it is to run, and in the server itself with None at its end."""
        self._selector.register(self._listener, selectors.EVENT_READ, self._accepted)
        self._selector.register(0, selectors.EVENT_READ, self._ended)
        while not self._is_over:
            for key, _ in self._selector.select():
                if key.fd not in self._selector.get_map():
                    continue  # what came before it in this look ended it
                order: Order | None = key.data()
                if order is not None:
                    self._selector.close()
                    self._listener.close()
                    return order
        return None

    def _ended(self) -> None:
        self._is_over = True

    def _accepted(self) -> Order | None:
        connection, _ = self._listener.accept()
        order = Order(connection)
        pid = os.fork()
        if pid == 0:
            connection.close()
            return order
        order.close()
        process = os.pidfd_open(pid)
        self._selector.register(connection, selectors.EVENT_READ, partial(self._heard, connection, pid))
        self._selector.register(process, selectors.EVENT_READ, partial(self._exited, connection, pid, process))
        return None

    def _heard(self, connection: socket.socket, pid: int) -> None:
        """A signal to pass on; nothing more comes from a client that was killed."""
        said = b""
        with suppress(ConnectionError):
            said = connection.recv(1)
        if not said:
            self._selector.unregister(connection)
        os.kill(pid, said[0] if said else signal.SIGKILL)

    def _exited(self, connection: socket.socket, pid: int, process: int) -> None:
        _, status = os.waitpid(pid, 0)
        self._selector.unregister(process)
        os.close(process)
        if connection in self._selector.get_map():
            self._selector.unregister(connection)
            with suppress(ConnectionError):  # a client that was killed hears nothing
                connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
        connection.close()


if __name__ == "__main__":
    load(local.PLATFORM)
    gc.freeze()
    given = Server(sys.argv[1]).next_order()
    if given is not None:
        given.run()
