"""From the first bad answer of a release to no traffic for it, under load: `python benchmarks/rollback.py`.

Run: python benchmarks/rollback.py [--connections 64] [--limit-s 120] [--simulations 1000] [--only NAME …]
Goals: every bad candidate is stopped by itself; no caller's request is dropped; the last request that a candidate gets
is routed at most 1 s after the decision; a candidate that fails a fifth of the time more is stopped within 30 s; of
identical canaries at most 1 % are taken back, at error rates of 1 and 3 % and in an outage that both releases share.

Real processes and HTTP: `opsloop up`, an endpoint whose release fails 1 % of its answers, and for each line a candidate
at a tenth of the users: one that fails 2, 5, 10 or 50 % more, one whose answers please less (its callers say so), one
that is slow. Each request is another user's. What the candidate fails before the first byte stable answers, so callers
see the errors of stable only; a request is dropped when its caller gets no answer, or one that says the gateway could
not serve. Seconds are counted by the gateway's clock, from the end of the first bad answer.

Identical canaries are simulated: 30 minutes of 20 requests a second, three kinds of trouble watched together at a level
of 1 %, looked at after every event; beside it the custom of Argo Rollouts: taken back in the first minute in which more
than 5 % of the candidate's requests fail.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from _peers import environment
from canary_analysis import OUTAGE, PATIENCE, SHARE, Scenario, fixed_threshold, simulated, steady
from opsloop.client.http import Client
from opsloop.releases.analysis.adverse import AdverseProcess
from opsloop.releases.analysis.evidence import ALPHA, DISSATISFIED, ERROR, SLOW
from opsloop.releases.models import Rollout, RolloutStatus

ENDPOINT, BASE, SLOW_MS, WATCHED_S = "desk", 0.01, 200, 600
MOST_LATE_S, MOST_S = 1.0, 30.0
DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${answer.output}", is_chat_output: true}
nodes:
- name: answer
  type: python
  source: {type: code, path: answer.py}
  inputs: {question: "${inputs.question}"}
"""
CODE = """
import asyncio
import random

from promptflow.core import tool


@tool
async def answer(question: str) -> str:
    if random.random() < %(fails)s:
        raise RuntimeError("the ledger does not answer")
    if random.random() < %(slow)s:
        await asyncio.sleep(0.3)
    return "I cannot say." if random.random() < %(worse)s else "Your refund is on its way."
"""


@dataclass(frozen=True)
class Candidate:
    """Args: fails, worse, slow: shares of its answers, from 0 to 1."""

    name: str
    fails: float = BASE
    worse: float = 0.05
    slow: float = 0.0


STABLE = Candidate("stable")
CANDIDATES = (
    Candidate("fails 2 % more", fails=BASE + 0.02),
    Candidate("fails 5 % more", fails=BASE + 0.05),
    Candidate("fails 10 % more", fails=BASE + 0.10),
    Candidate("fails 50 % more", fails=BASE + 0.50),
    Candidate("worse answers", worse=0.35),
    Candidate("slower", slow=0.30),
)


@dataclass
class Seen:
    """What callers saw while one candidate was out."""

    requests: int = 0
    errors_of_release: int = 0
    dropped: list[str] = field(default_factory=list)
    bad_of_candidate: int = 0


@dataclass(frozen=True)
class Outcome:
    candidate: Candidate
    seen: Seen
    rollout: Rollout

    @property
    def is_stopped(self) -> bool:
        return self.rollout.status is RolloutStatus.ROLLED_BACK

    @property
    def bad_for_s(self) -> float:
        return float(self.rollout.evidence.get("bad_for_s", math.inf))

    @property
    def late_s(self) -> float:
        """From the decision to the last request that was given to the candidate."""
        last = self.rollout.evidence.get("last_candidate_request_at")
        if last is None or self.rollout.finished_at is None:
            return math.inf
        return max(0.0, (datetime.fromisoformat(last) - self.rollout.finished_at).total_seconds())

    @property
    def affected(self) -> int:
        """Requests that the candidate failed, or answered badly or late."""
        return int(self.rollout.evidence["candidate"]["failed"]) + self.seen.bad_of_candidate

    @property
    def misses(self) -> list[str]:
        found = []
        if not self.is_stopped:
            found.append("not stopped")
        if self.seen.dropped:
            found.append(f"{len(self.seen.dropped)} dropped ({self.seen.dropped[0]})")
        if self.late_s > MOST_LATE_S:
            found.append(f"traffic {self.late_s:.1f} s after the decision")
        if self.candidate.fails >= 0.2 and self.bad_for_s > MOST_S:
            found.append(f"{self.bad_for_s:.0f} s")
        return [f"{self.candidate.name}: {miss}" for miss in found]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--limit-s", type=float, default=120.0, help="longest time for one candidate")
    options.add_argument("--simulations", type=int, default=1_000)
    options.add_argument("--only", nargs="*", help="names of candidates")
    given = options.parse_args()
    outcomes = live(given)
    false, misses = simulations(given.simulations)
    misses = [miss for outcome in outcomes for miss in outcome.misses] + misses
    slowest = max(outcomes, key=lambda each: each.bad_for_s)
    stopped, dropped = sum(each.is_stopped for each in outcomes), sum(len(each.seen.dropped) for each in outcomes)
    print(
        f"rollback: {stopped} of {len(outcomes)} bad candidates stopped, the slowest ({slowest.candidate.name}) after "
        f"{slowest.bad_for_s:.1f} s; {dropped} requests dropped; of {given.simulations:,} identical canaries {false}; "
        f"{'goals met' if not misses else 'MISSED: ' + '; '.join(misses)}"
    )
    return 1 if misses else 0


def live(given: argparse.Namespace) -> list[Outcome]:
    print(
        f"{'candidate':>16} {'stopped':>8} {'bad for s':>10} {'late s':>7} {'requests':>9} {'of candidate':>13} "
        f"{'affected':>9} {'errors seen':>12} {'dropped':>8}"
    )
    outcomes = []
    with tempfile.TemporaryDirectory() as folder, _platform(Path(folder)) as url, Client(url) as client:
        client.endpoints.create(ENDPOINT)
        client.endpoints.release(ENDPOINT, flow=_registered(client, Path(folder), STABLE))
        for candidate in CANDIDATES:
            if given.only and candidate.name not in given.only:
                continue
            outcome = _tried(client, url, Path(folder), candidate, given)
            outcomes.append(outcome)
            shown = outcome.rollout.evidence["candidate"]
            print(
                f"{candidate.name:>16} {'yes' if outcome.is_stopped else 'NO':>8} {outcome.bad_for_s:10.1f} "
                f"{outcome.late_s:7.2f} {outcome.seen.requests:9,} {shown['requests']:13,} {outcome.affected:9,} "
                f"{outcome.seen.errors_of_release:12,} {len(outcome.seen.dropped):8}",
                flush=True,
            )
    return outcomes


def _tried(client: Client, url: str, folder: Path, candidate: Candidate, given: argparse.Namespace) -> Outcome:
    analysis = {"alpha": ALPHA, "kinds": ["error", "slow", "dissatisfied"], "slow_ms": SLOW_MS}
    steps = [{"share": SHARE, "min_duration_s": WATCHED_S, "min_subjects": 1_000_000}]
    released = client.endpoints.release(
        ENDPOINT,
        flow=_registered(client, folder, candidate),
        strategy={"canary": {"steps": steps, "analysis": analysis}},
    )
    seen = asyncio.run(_load(client, url, released.rollout.id, given))
    rollout = client.rollouts.get(released.rollout.id).rollout
    until = time.monotonic() + 20
    while rollout.status.is_over and not rollout.evidence.get("final") and time.monotonic() < until:
        time.sleep(0.2)  # what was under way at the decision is still counted
        rollout = client.rollouts.get(released.rollout.id).rollout
    if not rollout.status.is_over:
        client.rollouts.abort(rollout.id)
    return Outcome(candidate, seen, rollout)


async def _load(client: Client, url: str, rollout: str, given: argparse.Namespace) -> Seen:
    """Requests over all connections until the rollout is over, and for two seconds more."""
    seen, stop = Seen(), asyncio.Event()
    port = int(url.rpartition(":")[2])
    callers = [asyncio.create_task(_caller(port, number, seen, stop)) for number in range(given.connections)]
    until = time.monotonic() + given.limit_s
    while time.monotonic() < until:
        await asyncio.sleep(0.2)
        found = await asyncio.to_thread(client.rollouts.get, rollout)
        if found.rollout.status.is_over:
            break
    await asyncio.sleep(2)
    stop.set()
    await asyncio.gather(*callers)
    return seen


async def _caller(port: int, number: int, seen: Seen, stop: asyncio.Event) -> None:
    """One connection whose every request is another user's, who says what the answer was worth."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while not stop.is_set():
        count += 1
        user = f"{number}-{count}-{random.random()}"
        asked = {"model": ENDPOINT, "messages": [{"role": "user", "content": "Where is my refund?"}], "user": user}
        started = time.perf_counter()
        try:
            status, said = await _post(reader, writer, "/v1/chat/completions", asked)
        except (OSError, asyncio.IncompleteReadError) as error:
            seen.dropped.append(type(error).__name__)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        seen.requests += 1
        if status == 200:
            await _rate(reader, writer, seen, said, (time.perf_counter() - started) * 1000)
        elif said.get("error", {}).get("code") == "node_failed":
            seen.errors_of_release += 1
        else:
            seen.dropped.append(f"{status} {said}")
        await asyncio.sleep(0.02)
    writer.close()


async def _rate(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen, said: dict[str, Any], took_ms: float
) -> None:
    """A fifth of the callers give a thumb."""
    message = said["choices"][0]["message"]
    is_bad = message["content"] == "I cannot say."
    if message["opsloop"]["arm"] == "candidate" and (is_bad or took_ms > SLOW_MS):
        seen.bad_of_candidate += 1
    if random.random() < 0.2:
        thumb = {"request_id": message["opsloop"]["request_id"], "thumb": "down" if is_bad else "up"}
        status, answer = await _post(reader, writer, "/feedback", thumb)
        if status != 201:
            seen.dropped.append(f"feedback {status} {answer}")


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(data)}"
    writer.write(head.encode() + b"\r\n\r\n" + data)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    said: dict[str, Any] = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
    return int(answer.split(b" ", 2)[1]), said


def _registered(client: Client, folder: Path, candidate: Candidate) -> str:
    flow = folder / candidate.name.replace(" ", "-").replace("%", "pct")
    flow.mkdir()
    (flow / "flow.dag.yaml").write_text(DAG)
    shares = {"fails": candidate.fails, "worse": candidate.worse, "slow": candidate.slow}
    (flow / "answer.py").write_text(CODE % shares)
    return client.flows.register(flow, name="desk-answer").ref


@contextmanager
def _platform(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    (folder / "project").mkdir()
    (folder / "project" / "opsloop.yaml").write_text("project: desk\n")
    opsloop = str(Path(sys.executable).with_name("opsloop"))
    command = [opsloop, "up", "--project", str(folder / "project"), "--port", str(port), "--no-demo"]
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(process, url, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/ready", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise SystemExit(f"the platform does not start:\n{log.read_text()[-3_000:]}")


# --- identical canaries, simulated ------------------------------------------------------------------------------------

KINDS = (ERROR, SLOW, DISSATISFIED)
EQUAL = (steady(0.01, 0.01), steady(0.03, 0.03), Scenario("equal, outage", OUTAGE, OUTAGE))


def simulations(runs: int) -> tuple[str, list[str]]:
    """What share of identical canaries is taken back, in words, and the goals that were missed."""
    rng = np.random.default_rng(7)
    told, misses = [], []
    for scenario in EQUAL:
        ours = sum(_is_taken_back(scenario, rng) for _ in range(runs)) / runs
        theirs = sum(fixed_threshold(simulated(scenario, rng)) is not None for _ in range(runs)) / runs
        print(
            f"{scenario.name:>16}: {100 * ours:.2f} % taken back, by a fixed threshold {100 * theirs:.1f} %", flush=True
        )
        told.append(f"{100 * ours:.1f} % ({scenario.name}; a fixed threshold {100 * theirs:.0f} %)")
        if ours > ALPHA + PATIENCE * math.sqrt(ALPHA * (1 - ALPHA) / runs):
            misses.append(f"{scenario.name}: {100 * ours:.1f} % taken back")
    return f"taken back {', '.join(told)}", misses


def _is_taken_back(scenario: Scenario, rng: np.random.Generator) -> bool:
    """One canary whose kinds of trouble are watched together, as the control plane weighs them."""
    total = sum(kind.weight for kind in KINDS)
    return any(_reaches(scenario, math.log(total / (kind.weight * ALPHA)), rng) for kind in KINDS)


def _reaches(scenario: Scenario, limit: float, rng: np.random.Generator) -> bool:
    canary, process = simulated(scenario, rng), AdverseProcess()
    for from_candidate in canary.candidate[canary.failed].tolist():
        process.add(candidate=int(from_candidate), stable=int(not from_candidate), share=SHARE)
        if process.log_e >= limit:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
