"""How long the HTML report of 10,000 rows beside a baseline takes, and how large it is.

Run: python benchmarks/report.py [--rows 10000] [--rounds 5] [--keep FILE]
Two versions of a flow are evaluated by the platform itself on 10,000 questions with answers of some 40 words, under
three metrics; the gate is checked; then a fresh process makes the report: it reads both runs' rows, compares them
(paired intervals, flips, slices), and writes the file. Starting Python and importing is not counted. Beside it: the
same process reading both runs' rows and writing nothing, which no report can do without.
Goal: at most 3 s and 10 MB. The time is for a machine on which bare Python starts in 0.02 s; where that takes longer,
because the machine is slower or busy, the limit grows in proportion. All rows must be in the file, and nothing in it
may ask the network for anything.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from _peers import environment
from opsloop.core.caller import Caller, Role
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import gates, service
from opsloop.evaluation import jobs as _jobs  # noqa: F401 (registers its kind)
from opsloop.evaluation.models import Run
from opsloop.flows import package, versions

GOAL_S, GOAL_MB, BARE_S = 3.0, 10.0, 0.02
BY = Caller("benchmark", Role.ADMIN)
WORDS = ("leave", "pay", "plan", "child", "doctor", "claim", "copay", "network", "deductible", "premium", "dental")
FLOW = """\
inputs:
  question: {type: string}
  draft: {type: string}
outputs:
  answer: {type: string, reference: "${say.output}"}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {question: "${inputs.question}", draft: "${inputs.draft}"}
"""
SAY = """\
import zlib
from promptflow.core import tool


@tool
def say(question: str, draft: str) -> str:
    words = draft.split()
    return " ".join(words[:: 2 if zlib.crc32(question.encode()) % 100 < PERCENT else 1])
"""
EXPERIMENT: dict[str, Any] = {
    "name": "answers",
    "datasets": [{"name": "questions"}],
    "evaluators": [{"name": "token_f1"}, {"name": "exact_match"}, {"name": "latency"}],
    "gate": {"rules": [{"metric": "token_f1", "margin": 0.02}, {"metric": "exact_match", "at_least": 0.5}]},
}
MAKE = """\
import sys, time
from pathlib import Path
from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.evaluation import service
from opsloop.evaluation.reports import registry
from opsloop.evaluation.reports.document import document

folder, run, base, target = sys.argv[1:]
workspace = open_workspace(CoreSettings(data_dir=Path(folder)))
form = registry.find("html")
import opsloop.evaluation.statistics.paired
with workspace.reading(Caller("benchmark", Role.ADMIN)) as uow:
    started = time.perf_counter()
    for each in (run, base):
        service.rows(uow, each)
    read = time.perf_counter() - started
    started = time.perf_counter()
    text = form.render(document(uow, run))
    made = time.perf_counter() - started
Path(target).write_text(text)
print(read, made)
workspace.close()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the data")
    parser.add_argument("--rounds", type=int, default=5, help="times the report is made")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the report, to look at it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = given.keep or Path(folder, "report.html")
        run, base, stored_mb = evaluated(Path(folder), given.rows)
        timed = [made(Path(folder), run, base, target) for _ in range(given.rounds)]
        bare_s = median(bare() for _ in range(given.rounds))
        html = target.read_text()
    read_s, made_s = (median(each[at] for each in timed) for at in (0, 1))
    size_mb = len(html.encode()) / 1e6
    limit_s = GOAL_S * max(1.0, bare_s / BARE_S)
    complete = [html.count('<tr class="broke"') > 0, html.count("</tr>") > given.rows, not outside(html)]
    print(
        f"reading the rows of both runs {read_s:.2f} s; the report in all {made_s:.2f} s ({made_s / read_s:.1f} times)"
    )
    print(f"rows as they are stored {stored_mb:.1f} MB, the report {size_mb:.1f} MB")
    met = made_s <= limit_s and size_mb <= GOAL_MB and all(complete)
    print(
        f"report: {given.rows:,} rows beside a baseline in {made_s:.2f} s and {size_mb:.1f} MB; "
        f"goal <= {limit_s:.2f} s and {GOAL_MB:.0f} MB, all rows, nothing from outside: {'met' if met else 'MISSED'}"
    )
    return 0 if met else 1


def evaluated(folder: Path, rows: int) -> tuple[str, str, float]:
    """Two evaluations with a checked gate in a data folder: ids of the new and the old one, MB of their rows."""
    workspace = open_workspace(CoreSettings(data_dir=folder / "data"))
    with workspace.writing(BY) as uow:
        datasets.register(uow, "questions", "questions.jsonl", questions(rows))
    old, new = (evaluate(workspace, folder, percent) for percent in (20, 32))
    with workspace.writing(BY) as uow:
        gates.check(uow, new.id, old.id)
        stored = sum(
            len(json.dumps([row.data, row.outputs])) for each in (old, new) for row in service.rows(uow, each.id)
        )
    workspace.close()
    return new.id, old.id, stored / 1e6


def questions(rows: int) -> bytes:
    drawn = random.Random(7)
    lines = []
    for number in range(rows):
        answer = " ".join(drawn.choices(WORDS, k=40))
        topic = drawn.choice(["leave", "dental", "vision", "claims"])
        question = f"Question {number}: {' '.join(drawn.choices(WORDS, k=10))}?"
        lines.append(json.dumps({"question": question, "draft": answer, "truth": answer, "topic": topic}))
    return "\n".join(lines).encode()


def evaluate(workspace: Workspace, folder: Path, percent: int) -> Run:
    flow = folder / f"flow-{percent}"
    flow.mkdir()
    (flow / "flow.dag.yaml").write_text(FLOW)
    (flow / "say.py").write_text(SAY.replace("PERCENT", str(percent)))
    with workspace.writing(BY) as uow:
        version = versions.register(uow, "answer", package.archive_of(flow))
        run = service.start(uow, EXPERIMENT, version)
    run_due(workspace)
    with workspace.reading(BY) as uow:
        done = service.get(uow, run.id)
    if done.error is not None:
        raise SystemExit(f"the evaluation failed, nothing was measured: {done.error}")
    return done


def made(folder: Path, run: str, base: str, target: Path) -> tuple[float, float]:
    """Seconds to read both runs' rows, and to make the report, in a fresh process."""
    command = [sys.executable, "-c", MAKE, str(folder / "data"), run, base, str(target)]
    found = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise SystemExit(f"the report could not be made:\n{found.stderr}")
    read_s, made_s = map(float, found.stdout.split())
    return read_s, made_s


def bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], env=environment(), check=True)
    return time.perf_counter() - started


def outside(html: str) -> list[str]:
    """Whatever in the file would load something: there is to be nothing."""
    return re.findall(r"<(?:script|link|img|iframe|object|embed)\b[^>]*>|@import|url\(", html)


if __name__ == "__main__":
    sys.exit(main())
