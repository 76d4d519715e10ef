"""One gateway worker: started by the parent, which has the port. `python -m opsloop.server.workers.worker`."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

from prometheus_client import values


def main() -> None:
    parser = argparse.ArgumentParser(prog="opsloop-worker")
    for name in ("listener", "link"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--place", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--project", type=Path, required=True)
    given = parser.parse_args()
    # By place and not by process: who replaces a worker that died goes on with its counters.
    values.ValueClass = values.MultiProcessValue(lambda: given.place)  # type: ignore[no-untyped-call]
    from opsloop.server.workers.serving import serve  # metrics are made when it is imported

    with socket.socket(fileno=given.listener) as listener, socket.socket(fileno=given.link) as link:
        serve(
            listener,
            link,
            place=given.place,
            host=given.host,
            port=given.port,
            project=given.project,
            folder=given.folder,
        )


if __name__ == "__main__":
    main()
