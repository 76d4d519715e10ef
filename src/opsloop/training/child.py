"""The process that trains: `python -m opsloop.training.child FOLDER FD`. Started by `apart`, never by hand."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from opsloop.core.errors import OpsloopError
from opsloop.training.answer import answer_to
from opsloop.training.orders import ANSWER_FILE, ORDER_FILE, News, Order, Trouble


def main(folder: Path, out: int) -> int:
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(news: News | Trouble) -> None:
        os.write(out, msgspec.json.encode(news) + b"\n")

    order = msgspec.json.decode((folder / ORDER_FILE).read_bytes(), type=Order)
    try:
        answer = answer_to(order, lambda done, total, message: tell(News(done, total, message)))
    except OpsloopError as error:
        tell(Trouble.of(error))
        return 1
    (folder / ANSWER_FILE).write_bytes(answer)
    return 0


def _end_with_parent() -> None:
    """Nobody waits for the model once the process that asked for it has ended."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
