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
from opsloop.testing.model_server import HOST, listen, loop_factory, serve
from opsloop.testing.script import Latency, Script, read_script


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
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0, the default, is any free port")
    parser.add_argument("--latency-ms", type=_latency, default=0.0, metavar="MS|LOW-HIGH", help="how long answers take")
    parser.add_argument("--chunk-ms", type=float, default=0.0, metavar="MS", help="pause between a stream's events")
    parser.add_argument("--seed", type=int, default=0, help="with which latencies are drawn; default 0")
    parser.add_argument("--api-key", metavar="KEY", help="callers must show this; without it everybody is let in")
    parser.add_argument("--script", type=Path, metavar="FILE", help="rules in YAML or JSON")
    return parser


def _latency(text: str) -> Latency:
    low, dash, high = text.partition("-")
    return (float(low), float(high)) if dash else float(low)


if __name__ == "__main__":
    sys.exit(main())
