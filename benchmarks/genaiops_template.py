"""How many use cases of Microsoft's genaiops-promptflow-template run here from their own experiment.yaml.

Run: python benchmarks/genaiops_template.py [PATH] [--only TEXT]
PATH is a checkout of github.com/microsoft/genaiops-promptflow-template; by default beside this project. Nothing of it
is changed: the use cases run in a copy, each in a project of its own, by `opsloop eval run USE_CASE/experiment.yaml`
without an overlay, with --env pr and --env dev, and where they have one with experiment-postprod.yaml. The models
answer from this machine, `python -m opsloop.testing`; the web is not there, and the paper that chat_with_pdf reads lies
where its flow keeps what it took from the web before.

A use case has run when its evaluation is done, no row of it failed, and each of its evaluators gave a figure. The model
answers math_coding with code that prints what its data say is right, so its accuracy has to be 1: each row must read
what it printed itself.
Goal: 6 of 6.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _peers import ROOT, environment, kept_environment
from promptflow_examples import model_server, pdf

USE_CASES = (
    *("chat_with_pdf", "class_flows", "function_flows", "math_coding", "named_entity_recognition"),
    "web_classification",
)
CHECKOUT = ROOT.parent / "genaiops-promptflow-template"
TIMEOUT_S = 300
# What the flows import besides Prompt flow.
LIBRARIES = (
    *("openai>=1,<4", "python-dotenv", "beautifulsoup4", "bs4", "requests", "tiktoken", "PyPDF2", "faiss-cpu", "numpy"),
    *("jinja2", "sympy"),
)
# Without what it depends on: it brings tiktoken's vocabulary along.
ALONE = ("litellm==1.110.2",)
# What a model would say to the prompts that ask for more than the last JSON they show; see `python -m opsloop.testing`.
ANSWERS: list[dict[str, Any]] = [
    {"when": {"contains": "# Result"}, "answer": "The documents hold the answer.\n# Result\n4"},
    {"when": {"contains": "Quality score reasoning:"}, "answer": "Quality score: 4/5\nQuality score reasoning: apt"},
    {"when": {"contains": "Quality score:"}, "answer": "It is supported. Quality score: 4/5"},
]
KNOWN = {"math_coding": {"math_evaluation_flow.accuracy": 1.0}}
PAPER = Path("flows/standard/chat_with_pdf/.pdfs/https___arxiv.org_pdf_1810.04805.pdf.pdf")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command: what was measured, or why it did not run."""

    command: str
    figures: Mapping[str, float | None]
    reason: str | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?", default=CHECKOUT, help="of genaiops-promptflow-template")
    parser.add_argument("--only", default="", help="use cases with this text in their name")
    given = parser.parse_args()
    if not (given.checkout / "llmops").is_dir():
        print(
            f"genaiops_template: nothing was measured; {given.checkout} is no checkout of the template, give its path"
        )
        return 0 if given.checkout == CHECKOUT else 2
    names = [each for each in USE_CASES if given.only in each]
    folder = kept_environment("genaiops-template", [str(ROOT), f"{ROOT}[data,evaluation]", *LIBRARIES], ALONE)
    ran = 0
    for name in names:
        outcomes = run_use_case(given.checkout, name, folder)
        good = all(each.reason is None for each in outcomes)
        ran += good
        print(f"{'ran' if good else 'FAILED':6} {name}")
        for each in outcomes:
            figures = ", ".join(f"{key} {_figure(value)}" for key, value in each.figures.items())
            print(f"       {each.command}: {each.reason or figures}")
    print(
        f"genaiops_template: {ran} of {len(names)} ran; goal {len(names)}: {'met' if ran == len(names) else 'MISSED'}"
    )
    return 0 if ran == len(names) else 1


def run_use_case(checkout: Path, name: str, python: Path) -> list[Outcome]:
    with (
        tempfile.TemporaryDirectory(prefix=f"{name}-") as work,
        model_server(Path(work), answers_for(checkout / name)) as azure,
    ):
        case = Path(work) / name
        shutil.copytree(checkout / name, case)
        if name == "chat_with_pdf":
            (case / PAPER).parent.mkdir(parents=True, exist_ok=True)
            (case / PAPER).write_bytes(
                pdf("BERT is a language representation model. It reads text in both directions.")
            )
        connections = Path(work) / "connections.yaml"
        model = {"type": "azure_open_ai", "api_base": azure, "api_key": "key", "api_version": "2024-02-01"}
        connections.write_text(json.dumps({"aoai": model}))
        env = _environment(azure, python, Path(work), connections)
        commands = [["experiment.yaml"], ["experiment.yaml", "--env", "pr"], ["experiment.yaml", "--env", "dev"]]
        if (case / "experiment-postprod.yaml").is_file():
            commands.append(["experiment-postprod.yaml"])
        if name == "web_classification":
            commands.append(["experiment.yaml", "--variants", "*"])
        return [_ran(python, case, each, env) for each in commands]


def answers_for(case: Path) -> list[dict[str, Any]]:
    """What a model would say: to a question of mathematics, code that prints the answer."""
    data = case / "data" / "math_data.jsonl"
    rows = [json.loads(line) for line in data.read_text().splitlines()] if data.is_file() else []
    asked = [
        {"when": {"contains": f"QUESTION: {row['question']}"}, "json": {"code": f"print({row['answer']})"}}
        for row in rows
    ]
    return [*asked, *ANSWERS]


def _ran(folder: Path, case: Path, command: list[str], env: Mapping[str, str]) -> Outcome:
    words = ["opsloop", "eval", "run", f"{case.name}/{command[0]}", *command[1:]]
    called = [str(folder / "bin" / "python"), "-m", "opsloop.cli.main", *words[1:], "--json"]
    try:
        done = subprocess.run(
            called, cwd=case.parent, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(" ".join(words[3:]), {}, f"did not end within {TIMEOUT_S} s")
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "it says nothing").splitlines()[-1]
        return Outcome(" ".join(words[3:]), {}, last[:400])
    said = json.loads(done.stdout)
    figures: dict[str, float | None] = {}
    for run in said.get("runs", [said]):
        prefix = f"[{run['variant'] or 'defaults'}] " if run["study"] else ""
        figures |= {f"{prefix}{key}": each["value"] for key, each in run["metrics"].items()}
        figures |= {f"{prefix}{key}": each for key, each in run["aggregates"].items()}
        if run["failed_rows"]:
            return Outcome(" ".join(words[3:]), figures, f"{run['failed_rows']} of {run['rows']} rows failed")
    return Outcome(" ".join(words[3:]), figures, _silent(case, command, figures))


def _silent(case: Path, command: list[str], figures: Mapping[str, Any]) -> str | None:
    """Which evaluator of the experiment gave no figure."""
    from opsloop.client import experiment_files

    env = command[command.index("--env") + 1] if "--env" in command else None
    wanted = [each.metric for each in experiment_files.read(case / command[0], env=env).experiment.evaluators]
    measured = [key.rpartition("] ")[2] for key, value in figures.items() if value is not None]
    for name, known in KNOWN.get(case.name, {}).items():
        if name in measured and figures[name] != known:
            return f"{name} is {figures[name]}, and {known} by the answers of the model"
    silent = [name for name in wanted if not any(key == name or key.startswith(f"{name}.") for key in measured)]
    return f"no figure of {', '.join(silent)}" if silent else None


def _environment(azure: str, folder: Path, home: Path, connections: Path) -> dict[str, str]:
    """Where the model server is, for the flows' connections and for their Python; and tiktoken's vocabulary."""
    models = {
        "AZURE_OPENAI_API_KEY": "key",
        "AZURE_OPENAI_ENDPOINT": azure,
        "AOAI_API_KEY": "key",
        "OPENAI_API_VERSION": "2024-02-01",
    }
    found = next(folder.glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"), None)
    vocabulary = {} if found is None else {"TIKTOKEN_CACHE_DIR": str(found)}
    ours = {"HOME": str(home), "OPSLOOP_CONNECTIONS_FILE": str(connections), "PYTHONPATH": str(ROOT / "src")}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**environment(), **models, **vocabulary, **ours, "PATH": path}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
