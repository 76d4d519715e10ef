"""An evaluation of a flow that asks a model, under three evaluators of which one asks a model too, beside the ideal.

Run: python benchmarks/evaluation.py [--rows 500] [--connections 64] [--latency-ms 50] [--rounds 9]
Goal: at most 2 times the ideal, which is all calls of models at once over the connections: rows x 2 x latency /
connections. Timed is the whole job: reading the dataset, the rows through the flow, the evaluation flow over what came
out, two measures more, journals of both, intervals of every metric, and the stored result. The median round counts.

The model server is a process of its own (`python -m opsloop.testing`), and so is the evaluation; its start-up
(interpreter, imports, loading the flows in a first small run) is told apart.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import _peers
from batch import DAG, TEMPLATE, TOOL, _check_connections, _model_server

GOAL_IDEALS = 2.0
CALLS_A_ROW = 2
METRICS = {"completed", "exact_match", "token_f1", "judged", "judged.mean"}

JUDGE = """
inputs:
  answer: {type: string}
  question: {type: string}
outputs:
  score: {type: double, reference: "${score.output}"}
nodes:
- name: judge
  type: llm
  source: {type: code, path: judge.jinja2}
  inputs: {model: gpt-4o-mini, max_tokens: 8, answer: "${inputs.answer}", question: "${inputs.question}"}
  connection: model
  api: chat
- name: score
  type: python
  source: {type: code, path: score.py}
  inputs: {text: "${judge.output}"}
- name: mean
  type: python
  aggregation: true
  source: {type: code, path: mean.py}
  inputs: {scores: "${score.output}"}
"""
JUDGE_TEMPLATE = (
    "system:\nYou are a judge.\n\nuser:\nHow apt is the answer {{answer}} to {{question}}? "
    "Answer with a score between 1 and 5.\n"
)
SCORE = "from promptflow.core import tool\n\n\n@tool\ndef score(text: str) -> float:\n    return float(text)\n"
MEAN = (
    "from promptflow.core import log_metric, tool\n\n\n@tool\ndef mean(scores: list) -> None:\n"
    '    log_metric("mean", sum(scores) / len(scores))\n'
)
EXPERIMENT: dict[str, Any] = {
    "name": "speed",
    "datasets": [{"name": "questions", "mappings": {"question": "${data.question}"}}],
    "evaluators": [
        {"name": "exact_match", "mappings": {"answer": "${run.outputs.answer}"}},
        {"name": "token_f1", "mappings": {"answer": "${run.outputs.answer}"}},
        {
            "name": "judged",
            "flow": "judge@1",
            "mappings": {"answer": "${run.outputs.answer}", "question": "${data.question}"},
        },
    ],
}


def main() -> int:
    options = _options()
    if options.ours:
        _measure(options)
        return 0
    with tempfile.TemporaryDirectory() as place, _model_server(options.latency_ms) as base_url:
        command = [sys.executable, __file__, "--ours", f"--folder={place}", f"--base-url={base_url}"]
        command += [f"--rows={options.rows}", f"--rounds={options.rounds}", f"--began={time.time()}"]
        env = {**_peers.environment(), "OPSLOOP_LLM_CALLS_AT_ONCE": str(options.connections)}
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=env)
        if result.returncode != 0:
            raise SystemExit(f"the evaluation ended with exit code {result.returncode}, nothing was measured")
        found = json.loads(result.stdout.strip().splitlines()[-1])
        _check_connections(base_url, options.connections)
    ideal_s = options.rows * CALLS_A_ROW * options.latency_ms / 1000 / options.connections
    took_s, cpu_ms = statistics.median(found["took_s"]), statistics.median(found["cpu_ms"])
    verdict = "met" if took_s <= GOAL_IDEALS * ideal_s else "MISSED"
    print(f"   ideal: {ideal_s:6.2f} s")
    print(
        f" opsloop: {took_s:6.2f} s, {cpu_ms:.2f} ms CPU a row, ready after {found['ready_s']:.2f} s; "
        f"shortest round {min(found['took_s']):.2f} s"
    )
    print(
        f"evaluation: {options.rows} rows x 3 evaluators in {took_s / ideal_s:.2f} times the ideal of the model calls "
        f"(goal <= {GOAL_IDEALS:g}), {cpu_ms:.2f} ms CPU a row: {verdict}"
    )
    return 0 if verdict == "met" else 1


def _measure(options: argparse.Namespace) -> None:
    """Print the seconds and the CPU milliseconds a row of each round."""
    from opsloop.core.caller import Caller, Role
    from opsloop.core.jobs.inline import run_due
    from opsloop.core.opening import open_workspace
    from opsloop.core.settings import CoreSettings
    from opsloop.datasets import service as datasets
    from opsloop.evaluation import jobs, service
    from opsloop.flows import package, versions

    assert jobs.run is not None
    _write(options.folder, options.base_url)
    workspace = open_workspace(CoreSettings(data_dir=options.folder / "data"))
    by = Caller("benchmark", Role.ADMIN)

    def evaluated(rows: int) -> None:
        lines = "\n".join(json.dumps(_row(number)) for number in range(rows))
        with workspace.writing(by) as uow:
            datasets.register(uow, "questions", "rows.jsonl", lines.encode())
            flow = versions.register(uow, "answer", package.archive_of(options.folder / "answer"))
            versions.register(uow, "judge", package.archive_of(options.folder / "judge"))
            run = service.start(uow, EXPERIMENT, flow)
        began_s, cpu_began_s = time.perf_counter(), _cpu_s()
        run_due(workspace)
        took_s.append(time.perf_counter() - began_s)
        cpu_ms.append((_cpu_s() - cpu_began_s) / rows * 1000)
        with workspace.reading(by) as uow:
            found = service.get(uow, run.id)
        if found.error or found.failed_rows or {*found.metrics, *found.aggregates} != METRICS:
            raise SystemExit(f"the evaluation went wrong: {found}")

    took_s: list[float] = []
    cpu_ms: list[float] = []
    evaluated(4)
    ready_s = time.time() - options.began
    gc.freeze()  # as a worker does
    took_s.clear()
    cpu_ms.clear()
    for _ in range(options.rounds):
        evaluated(options.rows)
    workspace.close()
    print(json.dumps({"ready_s": ready_s, "took_s": took_s, "cpu_ms": cpu_ms}))


def _write(folder: Path, base_url: str) -> None:
    files = {
        "answer/flow.dag.yaml": DAG,
        "answer/ask.jinja2": TEMPLATE,
        "answer/tidy.py": TOOL,
        "judge/flow.dag.yaml": JUDGE,
        "judge/judge.jinja2": JUDGE_TEMPLATE,
        "judge/score.py": SCORE,
        "judge/mean.py": MEAN,
        "connections.yaml": json.dumps({"model": {"type": "open_ai", "api_key": "none-needed", "base_url": base_url}}),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)


def _row(number: int) -> dict[str, str]:
    question = f"What is the answer to question {number}?"
    return {"question": question, "truth": f"You said: {question}"}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
