"""A web of names that lie, in front of real servers of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from opsloop.core.fetching.network import Network

PUBLIC = "93.184.215.14"
Answer = Callable[[socket.socket], None]


class Web:
    """Answers of a name server, one after the other for each name, and where each address really is.

    Attributes:
        asked: names that were looked up.
        connected: addresses and ports that were connected to.
    """

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]], port: int) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}
        self._port = port
        self.asked: list[str] = []
        self.connected: list[tuple[str, int]] = []

    @property
    def network(self) -> Network:
        return Network(self._addresses, self._connect)

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._names.get(host, [[]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _connect(self, address: str, port: int, timeout_s: float) -> socket.socket:
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self._port), timeout=timeout_s)


@contextmanager
def server(answer: Answer) -> Iterator[int]:
    """A real server that does with each connection what `answer` does; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                answer(connection)
            except OSError:  # whoever asked has left
                return

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=serve)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
        for each in threads:
            each.join()


def head_of(connection: socket.socket) -> str:
    """What was asked."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            break
        data += piece
    return data.decode("latin-1")


def replying(*lines: str, body: bytes = b"", heard: list[str] | None = None) -> Answer:
    """The same reply to everybody."""

    def answer(connection: socket.socket) -> None:
        head = head_of(connection)
        if heard is not None:
            heard.append(head)
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    return answer
