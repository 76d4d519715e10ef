"""`python -m opsloop.testing`: the model server as a process. Its first line is its address."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from opsloop.core.errors import OpsloopError
from opsloop.testing.app import App
from opsloop.testing.latency import Latency
from opsloop.testing.model_server import HOST, listen, loop_factory, serve
from opsloop.testing.script import Script, read_script

LONGEST_MS = 3_600_000


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        rules = read_script(given.script) if given.script else []
        listener = listen(given.port)
    except OpsloopError as error:
        print(f"opsloop.testing: {error.sentence}", file=sys.stderr)  # noqa: T201 (a command speaks)
        return 2
    except OSError as error:
        reason = f"port {given.port} cannot be used ({error.strerror}); choose another with --port"
        print(f"opsloop.testing: {reason}", file=sys.stderr)  # noqa: T201
        return 5
    app = App(
        Script(rules),
        latency_ms=given.latency_ms,
        chunk_ms=given.chunk_ms,
        seed=given.seed,
        api_key=given.api_key,
    )
    address = f"http://{HOST}:{listener.getsockname()[1]}"

    async def run() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await serve(app, listener, stop=stop, when_ready=lambda: print(address, flush=True))  # noqa: T201

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m opsloop.testing",
        description="An OpenAI-compatible model server for tests, on this machine only. The first line is its address.",
        epilog="Example: python -m opsloop.testing --port 8080 --latency-ms 50",
    )
    parser.add_argument("--port", type=_port, default=0, help="where to listen; 0, the default, is any free port")
    parser.add_argument("--latency-ms", type=_latency, default=0.0, metavar="MS|LOW-HIGH", help="how long answers take")
    parser.add_argument(
        "--chunk-ms", type=_milliseconds, default=0.0, metavar="MS", help="pause between a stream's events"
    )
    parser.add_argument("--seed", type=int, default=0, help="with which latencies are drawn; default 0")
    parser.add_argument("--api-key", metavar="KEY", help="callers must show this; without it everybody is let in")
    parser.add_argument("--script", type=Path, metavar="FILE", help="rules in YAML or JSON")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"is {text!r}; wanted a port from 0 to 65535")
    return int(text)


def _latency(text: str) -> Latency:
    """`50`, or `20-80` for something between."""
    try:
        bounds = [_milliseconds(part) for part in text.split("-", 1)]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"is {text!r}; wanted milliseconds such as 50, or 20-80") from None
    return bounds if len(bounds) == 2 else bounds[0]


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST_MS:
        raise argparse.ArgumentTypeError(f"is {text!r}; wanted milliseconds from 0 to {LONGEST_MS}")
    return value


if __name__ == "__main__":
    sys.exit(main())
