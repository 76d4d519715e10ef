"""The process that documents are read in: `python -m opsloop.rag.parsing.child`, started by `apart`.

Reads orders from stdin, a line of JSON `{"module", "cpu_s", "size"}` and so many bytes, and answers each with a line of
JSON, `{"size"}` and so many bytes of UTF-8, `{"reason"}`, or `{"missing"}` with the name of a library. It may compute
for `cpu_s` per document and hold `limits.MEMORY_BYTES`; it writes no file and says nothing.
"""

from __future__ import annotations

import json
import math
import os
import resource
import select
import sys
from importlib import import_module
from typing import BinaryIO

from opsloop.rag.parsing import limits
from opsloop.rag.parsing.trouble import CannotRead

TOO_MUCH_MEMORY = f"it needs more than {limits.MEMORY_BYTES >> 20} MB of memory to be read; split it into several files"
BROKEN = "it is damaged or made in a way that cannot be read; open it in its program, save it and try again"


def main() -> None:
    _limit()
    orders = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    for _ in range(limits.DOCUMENTS):
        if not select.select([orders], [], [], limits.IDLE_S)[0]:
            return
        line = orders.readline()
        if not line:
            return
        order = json.loads(line)
        _allow_cpu(order["cpu_s"])
        if not _answer(answers, order["module"], orders.read(order["size"])):
            return


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (wanted, wanted))


def _allow_cpu(more_s: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + more_s, hard))


def _answer(answers: BinaryIO, module: str, data: bytes) -> bool:
    """Read one document; False when the process is better not used again."""
    text = b""
    is_fit = True
    try:
        text = import_module(f"opsloop.rag.parsing._{module}").text_of(data).encode("utf-8", "replace")
        head: dict[str, object] = {"size": len(text)}
    except CannotRead as error:
        head = {"reason": error.reason}
    except ModuleNotFoundError as error:
        head = {"missing": error.name or ""}
    except MemoryError:
        head, is_fit = {"reason": TOO_MUCH_MEMORY}, False
    except Exception:  # noqa: BLE001  # the process's rim; the words of a library may hold words of the document
        head, is_fit = {"reason": BROKEN}, False
    answers.write(json.dumps(head).encode() + b"\n" + text)
    answers.flush()
    return is_fit


if __name__ == "__main__":
    main()
