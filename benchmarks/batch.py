"""A batch of rows through a model node and a Python node, beside what the server alone allows and Prompt flow's batch.

Run: python benchmarks/batch.py [--rows 500] [--connections 64] [--latency-ms 50] [--rounds 15] [--without-peer]
Goals: at most 1.5 times the ideal (rows x latency / connections), at most 2 ms of CPU a row with traces and the journal
on, and a tenth of the time that Prompt flow's batch takes at its best settings, all in one run.

The model server is a process of its own (`python -m opsloop.testing`), and so is each of the two; start-up
(interpreter, imports, reading the flow) is told apart from the batch. Traces are whole: a row's spans are made, encoded
as for an OTLP collector and written to a file, the last of them after the batch's time and within its CPU. Prompt flow
runs with 16 worker processes, by which it was fastest here, without traces (they go to a service that it would start),
and is installed once into a cache outside this repository. The median of several rounds counts, of times and of CPU;
the shortest round is told too, for another program on the machine only ever adds to a time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _peers

PEER = ("promptflow==1.18.5", "promptflow-tools==1.6.1", "keyrings.alt==5.0.2")
PEER_WORKERS = 16
GOAL_IDEALS = 1.5
GOAL_CPU_MS = 2.0
GOAL_TIMES_FASTER = 10.0

DAG = """
inputs:
  question: {type: string}
outputs:
  answer: {type: string, reference: "${tidy.output}"}
nodes:
- name: ask
  type: llm
  source: {type: code, path: ask.jinja2}
  inputs: {model: gpt-4o-mini, temperature: 0.2, max_tokens: 64, question: "${inputs.question}"}
  connection: model
  api: chat
- name: tidy
  type: python
  source: {type: code, path: tidy.py}
  inputs: {text: "${ask.output}"}
"""
TEMPLATE = "system:\nAnswer in one sentence.\n\nuser:\n{{question}}\n"
TOOL = """
from promptflow.core import tool


@tool
def tidy(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
"""


@dataclass(frozen=True)
class Measured:
    """Of one program: seconds to be ready, then of each round the seconds and the CPU milliseconds a row."""

    ready_s: float
    took_s: Sequence[float]
    cpu_ms: Sequence[float]


def main() -> int:
    options = _options()
    if options.ours:
        _measure_ours(options)
        return 0
    with tempfile.TemporaryDirectory() as place, _model_server(options.latency_ms) as base_url:
        folder = Path(place)
        write_flow(folder, options.rows)
        at_once = str(options.connections)
        command = [sys.executable, __file__, "--ours"]
        ours = _measured(command, folder, base_url, options, OPSLOOP_LLM_CALLS_AT_ONCE=at_once)
        _check_connections(base_url, options.connections)
        peer = None if options.without_peer else _measure_peer(folder, base_url, options)
    return _report(options, ours, peer)


def _check_connections(base_url: str, connections: int) -> None:
    """The server must not have seen more calls at a time than the comparison allows."""
    with urllib.request.urlopen(f"{base_url.removesuffix('/v1')}/_calls") as answer:
        most = json.loads(answer.read())["max_in_flight"]
    if most > connections:
        raise SystemExit(f"the server saw {most} calls at a time, {connections} are allowed: nothing was measured")


def write_flow(folder: Path, rows: int) -> None:
    flow = folder / "flow"
    flow.mkdir()
    (flow / "flow.dag.yaml").write_text(DAG)
    (flow / "ask.jinja2").write_text(TEMPLATE)
    (flow / "tidy.py").write_text(TOOL)
    lines = [json.dumps({"question": f"What is the answer to question {row}?"}) for row in range(rows)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")


def _report(options: argparse.Namespace, ours: Measured, peer: Measured | None) -> int:
    ideal_s = options.rows * options.latency_ms / 1000 / options.connections
    took_s, cpu_ms = statistics.median(ours.took_s), statistics.median(ours.cpu_ms)
    ratio = took_s / ideal_s
    print(f"     ideal: {ideal_s:7.2f} s")
    print(
        f"   opsloop: {took_s:7.2f} s, {cpu_ms:6.2f} ms CPU a row, ready after {ours.ready_s:.2f} s; "
        f"shortest round {min(ours.took_s):.2f} s"
    )
    verdicts = [ratio <= GOAL_IDEALS, cpu_ms <= GOAL_CPU_MS]
    beside = "not measured beside promptflow"
    if peer is not None:
        peer_s, peer_cpu_ms = statistics.median(peer.took_s), statistics.median(peer.cpu_ms)
        print(f"promptflow: {peer_s:7.2f} s, {peer_cpu_ms:6.2f} ms CPU a row, ready after {peer.ready_s:.2f} s")
        verdicts.append(peer_s >= GOAL_TIMES_FASTER * took_s)
        beside = f"promptflow takes {peer_s / took_s:.0f} times as long (goal >= {GOAL_TIMES_FASTER:.0f})"
    print(
        f"batch: {ratio:.2f} times the ideal (goal <= {GOAL_IDEALS}), {cpu_ms:.2f} ms CPU a row "
        f"(goal <= {GOAL_CPU_MS}), {beside}: {'met' if all(verdicts) else 'MISSED'}"
    )
    return 0 if all(verdicts) else 1


@contextmanager
def _model_server(latency_ms: float) -> Iterator[str]:
    command = [sys.executable, "-m", "opsloop.testing", "--latency-ms", str(latency_ms)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_peers.environment())
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(30)


def _measured(
    command: Sequence[str], folder: Path, base_url: str, options: argparse.Namespace, **environment: str
) -> Measured:
    """Run a program that prints `Measured` as its last line."""
    arguments = [
        f"--folder={folder}",
        f"--base-url={base_url}",
        f"--connections={options.connections}",
        f"--rounds={options.rounds}",
        f"--rows={options.rows}",
        f"--began={time.time()}",
    ]
    env = {**_peers.environment(), **environment}
    result = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=False, env=env)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command[:2])} failed with exit code {result.returncode}, nothing was measured")
    return Measured(**json.loads(result.stdout.strip().splitlines()[-1]))


# --- ours ------------------------------------------------------------------------------------------------------------


def _measure_ours(options: argparse.Namespace) -> None:
    from opsloop.flows.loaded import load

    connections = {"model": {"type": "open_ai", "api_key": "none-needed", "base_url": options.base_url}}
    flow = load(options.folder / "flow", connections=connections)
    ready_s = time.time() - options.began
    spans = _trace_into(options.folder / "spans.bin")
    took_s, cpu_ms = [], []
    gc.freeze()  # as `opsloop flow batch` does
    for number in range(options.rounds):
        began_s, cpu_began_s = time.perf_counter(), _cpu_s()
        asyncio.run(_batch(flow, options, options.folder / f"journal-{number}.jsonl"))
        took_s.append(time.perf_counter() - began_s)
        spans.force_flush()
        cpu_ms.append((_cpu_s() - cpu_began_s) / options.rows * 1000)
    spans.shutdown()
    print(json.dumps({"ready_s": ready_s, "took_s": took_s, "cpu_ms": cpu_ms}))


async def _batch(flow: Any, options: argparse.Namespace, journal: Path) -> None:
    from opsloop.flows.batch import run_batch

    rows = [json.loads(line) for line in (options.folder / "rows.jsonl").read_text().splitlines()]
    # Some rows more than connections, so that none of these waits while a row's other nodes run.
    done = await run_batch(flow, rows, concurrency=options.connections * 3 // 2, journal=journal)
    failed = [row.error for row in done.rows if not row.is_completed]
    if failed or len(done.rows) != options.rows or done.tokens.uncounted_calls:
        raise SystemExit(f"{len(failed)} rows failed: {failed[:1]}")


def _trace_into(file: Path) -> Any:
    """Traces as for a collector, into a file."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class IntoFile(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            with file.open("ab") as sink:
                sink.write(encode_spans(spans).SerializeToString())
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(IntoFile(), max_queue_size=16_384))
    trace.set_tracer_provider(provider)
    return provider


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# --- Prompt flow -----------------------------------------------------------------------------------------------------

PEER_PROGRAM = """
import argparse, json, os, resource, time
parser = argparse.ArgumentParser()
for name in ("folder", "base-url", "connections", "rounds", "rows", "began"):
    parser.add_argument(f"--{name}")
options = parser.parse_args()


def main():
    from promptflow._sdk._configuration import Configuration
    from promptflow.client import PFClient
    from promptflow.entities import OpenAIConnection

    def cpu_s():
        both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(used.ru_utime + used.ru_stime for used in both)

    Configuration.get_instance().set_telemetry_consent(False)  # its maker's servers cannot be reached everywhere
    client = PFClient()
    connection = OpenAIConnection(name="model", api_key="none-needed", base_url=options.base_url)
    client.connections.create_or_update(connection)
    ready_s = time.time() - float(options.began)
    took_s, cpu_ms = [], []
    for number in range(int(options.rounds)):
        began_s, cpu_began_s = time.perf_counter(), cpu_s()
        run = client.run(
            flow=options.folder + "/flow",
            data=options.folder + "/rows.jsonl",
            column_mapping={"question": "${data.question}"},
        )
        took_s.append(time.perf_counter() - began_s)
        cpu_ms.append((cpu_s() - cpu_began_s) / int(options.rows) * 1000)
        with open(run._output_path / "flow_outputs" / "output.jsonl") as outputs:
            assert len(outputs.readlines()) == int(options.rows), "not every row completed"
    print(json.dumps({"ready_s": ready_s, "took_s": took_s, "cpu_ms": cpu_ms}))


if __name__ == "__main__":
    main()
"""


def _measure_peer(folder: Path, base_url: str, options: argparse.Namespace) -> Measured:
    python = _peers.kept_environment("promptflow-batch", PEER) / "bin" / "python"
    program = folder / "peer.py"
    program.write_text(PEER_PROGRAM)
    home = folder / "promptflow"
    home.mkdir()
    return _measured(
        [str(python), str(program)],
        folder,
        base_url,
        argparse.Namespace(**{**vars(options), "rounds": options.peer_rounds}),
        HOME=str(home),
        PF_HOME_DIRECTORY=str(home),
        PF_WORKER_COUNT=str(PEER_WORKERS),
        PF_DISABLE_TRACING="true",
        PF_LOGGING_LEVEL="ERROR",
        PYTHON_KEYRING_BACKEND="keyrings.alt.file.PlaintextKeyring",
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--peer-rounds", type=int, default=2)
    parser.add_argument("--without-peer", action="store_true", help="leave out Prompt flow")
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
