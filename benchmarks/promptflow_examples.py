"""How many of Prompt flow's own examples run here, unchanged; and in Prompt flow itself, where that can be installed.

Run: python benchmarks/promptflow_examples.py [PATH] [--only TEXT] [--no-peer]
PATH is a checkout of github.com/microsoft/promptflow; by default ../promptflow, beside this project. Nothing of it is
changed: the examples run in a copy. Both tools ask the same model server, `python -m opsloop.testing`, with the same
connections and inputs. An example has run when its flow gave outputs: `opsloop flow test`, `pf flow test`. Here it is
also drawn, by `opsloop flow show`.
Goal: at least 55 of the 59 targets run.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from _peers import ROOT, environment, kept_environment
from _promptflow_targets import ANSWERS, FILES_URL, TARGETS, Example, connections, sample_of

GOAL = 55
CHECKOUT = ROOT.parent / "promptflow"
TIMEOUT_S = 120
# What the examples import besides Prompt flow; the versions their requirements ask for.
LIBRARIES = (
    *("openai>=1,<4", "python-dotenv", "beautifulsoup4", "bs4", "requests", "langchain==0.1.20", "tiktoken", "PyPDF2"),
    *("langchain-community==0.0.38", "faiss-cpu", "tenacity", "sympy", "pillow", "pandas", "numpy<2"),
)
# Without what they depend on: the tools of the showcases, and a package that brings tiktoken's vocabulary along.
ALONE = ("my-tools-package==0.0.12", "litellm==1.110.2")
PEER = ("promptflow==1.18.5", "promptflow-tools", "keyrings.alt")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an example; `reason` says why it did not run."""

    ran: bool
    reason: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?", default=CHECKOUT, help="of github.com/microsoft/promptflow")
    parser.add_argument("--only", default="", help="examples with this text in their path")
    parser.add_argument("--no-peer", action="store_true", help="do not run them in Prompt flow as well")
    given = parser.parse_args()
    if not (given.checkout / "examples").is_dir():
        print(
            f"promptflow_examples: nothing was measured; {given.checkout} is no checkout of promptflow, give its path"
        )
        return 0 if given.checkout == CHECKOUT else 2
    targets = [each for each in TARGETS if given.only in each.path]
    ours = run_all(Ours(), given.checkout, targets)
    theirs = {} if given.no_peer else run_all(Theirs(), given.checkout, targets)
    for each in targets:
        told = f"   promptflow: {_word(theirs[each.path])}" if each.path in theirs else ""
        print(f"{_word(ours[each.path]):6} {each.path}{told}")
        if not ours[each.path].ran:
            print(f"       {ours[each.path].reason}")
    ran = sum(each.ran for each in ours.values())
    beside = f"; promptflow itself ran {sum(each.ran for each in theirs.values())}" if theirs else ""
    wanted = GOAL if len(targets) == len(TARGETS) else len(targets)
    verdict = "met" if ran >= wanted else "MISSED"
    print(f"promptflow_examples: {ran} of {len(targets)} ran{beside}; goal >= {wanted}: {verdict}")
    return 0 if ran >= wanted else 1


class Ours:
    """This checkout of Opsloop, beside the libraries that the examples import."""

    name = "opsloop"

    def __init__(self) -> None:
        self.folder = kept_environment("promptflow-examples", [str(ROOT), *LIBRARIES], ALONE)
        self.python = self.folder / "bin" / "python"

    def prepared(self, work: Path, azure: str) -> dict[str, str]:
        """The environment in which its commands run."""
        (work / "connections.yaml").write_text(json.dumps(connections(azure)))
        home = {"HOME": str(work), "OPSLOOP_CONNECTIONS_FILE": str(work / "connections.yaml")}
        return {**_model_environment(azure, self.folder), **home, "PYTHONPATH": str(ROOT / "src")}

    def commands(self, flow: Path, inputs: Path, init: Path | None) -> list[list[str]]:
        opsloop = [str(self.python), "-m", "opsloop.cli.main", "flow"]
        made = [] if init is None else ["--init", str(init)]
        test = [*opsloop, "test", str(flow), "--inputs", str(inputs), *made, "--json"]
        return [[*opsloop, "show", str(flow)], test]

    def faulty(self, output: str) -> bool:
        return not output.strip().startswith("{")


class Theirs:
    """Prompt flow, beside the same libraries."""

    name = "promptflow"

    def __init__(self) -> None:
        self.folder = kept_environment("promptflow-itself", [*PEER, *LIBRARIES], ALONE)

    def prepared(self, work: Path, azure: str) -> dict[str, str]:
        values = {"HOME": str(work), "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
        values |= {"PF_DISABLE_TRACING": "true", "PYTHONWARNINGS": "ignore"}
        env = {**_model_environment(azure, self.folder), **values}
        pf = str(self.folder / "bin" / "pf")
        subprocess.run([pf, "config", "set", "trace.destination=none"], env=env, capture_output=True, check=False)
        for name, body in connections(azure).items():
            file = work / f"{name}.yml"
            file.write_text(json.dumps({"name": name, **body}))
            subprocess.run([pf, "connection", "create", "--file", str(file)], env=env, capture_output=True, check=True)
        return env

    def commands(self, flow: Path, inputs: Path, init: Path | None) -> list[list[str]]:
        made = [] if init is None else ["--init", str(init)]
        return [[str(self.folder / "bin" / "pf"), "flow", "test", "--flow", str(flow), "--inputs", str(inputs), *made]]

    def faulty(self, output: str) -> bool:
        return "Traceback" in output


def run_all(tool: Ours | Theirs, checkout: Path, targets: list[Example]) -> dict[str, Outcome]:
    """The outcome of each example by its path."""
    with tempfile.TemporaryDirectory(prefix=f"{tool.name}-") as name, model_server(Path(name)) as azure:
        work = Path(name)
        tree = work / "examples"
        shutil.copytree(checkout / "examples", tree, ignore=shutil.ignore_patterns("*.gif", "*.ipynb", "*-maf"))
        env = tool.prepared(work, azure)
        with served(work / "files") as files_url:
            done = {}
            for each in targets:
                done[each.path] = run_one(tool, each, tree, work, env, files_url)
                print(".", end="", file=sys.stderr, flush=True)
        print(f" {tool.name}", file=sys.stderr)
        return done


def run_one(
    tool: Ours | Theirs, example: Example, tree: Path, work: Path, env: Mapping[str, str], files_url: str
) -> Outcome:
    flow = tree / example.path
    folder = flow if flow.is_dir() else flow.parent
    if not flow.exists():
        return Outcome(False, "the checkout does not have it")
    if example.prepare is not None:
        example.prepare(folder)
    inputs = work / "inputs.json"
    written = json.dumps({**sample_of(folder), **example.inputs}).replace(FILES_URL, files_url)
    inputs.write_text(written)
    init = folder / "init.json" if (folder / "init.json").is_file() else None
    for command in tool.commands(flow, inputs, init):
        outcome = _ran(tool, command, folder, env)
        if not outcome.ran:
            return outcome
    return Outcome(True)


def _ran(tool: Ours | Theirs, command: list[str], folder: Path, env: Mapping[str, str]) -> Outcome:
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome(False, f"did not end within {TIMEOUT_S} s")
    if done.returncode != 0 or ("test" in command and tool.faulty(done.stdout)):
        last = (done.stderr.strip() or done.stdout.strip() or "it says nothing").splitlines()[-1]
        return Outcome(False, last[:300])
    return Outcome(True)


def _model_environment(azure: str, folder: Path) -> dict[str, str]:
    """Variables by which the examples that use OpenAI's client find the model server; and tiktoken its vocabulary."""
    key = {"OPENAI_API_KEY": "key", "AZURE_OPENAI_API_KEY": "key", "OPENAI_API_VERSION": "2024-02-01"}
    place = {"AZURE_OPENAI_ENDPOINT": azure, "AZURE_OPENAI_API_BASE": azure, "OPENAI_BASE_URL": f"{azure}/v1"}
    found = next(folder.glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"), None)
    vocabulary = {} if found is None else {"TIKTOKEN_CACHE_DIR": str(found)}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**environment(), **key, **place, **vocabulary, "PATH": path}


@contextmanager
def model_server(work: Path, answers: Sequence[Mapping[str, Any]] = ANSWERS) -> Iterator[str]:
    """The address of a model server that answers as a script says, until the block ends."""
    script = work / "answers.json"
    script.write_text(json.dumps(answers))
    command = [sys.executable, "-m", "opsloop.testing", "--port", "0", "--script", str(script)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split()[-1].rstrip("/").removesuffix("/v1")
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder with what examples take from the web: a small paper as PDF."""
    folder.mkdir()
    (folder / "paper.pdf").write_bytes(
        pdf("BERT is a language representation model. It reads text in both directions.")
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Requests are no news."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def pdf(text: str) -> bytes:
    """A PDF of one page with a line of text (ISO 32000-1, 7.5: file structure)."""
    stream = f"BT /F1 12 Tf 40 700 Td ({text}) Tj ET".encode()
    font = b"<< /Font << /F1 5 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % font
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    whole, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(whole)
    return (
        whole
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            len(objects) + 1,
            table,
            len(objects) + 1,
            start,
        )
    )


def _word(outcome: Outcome) -> str:
    return "ran" if outcome.ran else "FAILED"


if __name__ == "__main__":
    sys.exit(main())
