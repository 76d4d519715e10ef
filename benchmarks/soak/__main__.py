"""Ten minutes of everything that can go wrong, under load.

Run: make soak, or in benchmarks/: python -m soak [--seconds 600] [--seed N] [--keep]

A platform and two gateways (`opsloop serve`) share a PostgreSQL server and a folder; callers ask through a balancer, in
whole, streamed, of documents, and say what they think. Personal data is in every question, every answer of the model
and every comment. Meanwhile, in windows that overlap and are drawn from a seed:

- the model's server is down, slow, sends garbage, breaks off in the midst of an answer, or sends one that never ends;
- the database is locked, then away; the disk of a gateway is full; the clock jumps by an hour, a day, back and forth;
- a gateway is killed (SIGKILL) every 20 seconds and started again.

Goals: at least 99.9 % of what could be answered was; no acknowledged record or feedback is missing; the audit holds; no
piece of personal data in any file of the project's folder, the database's folder, or a log.

What could not be answered, counted and printed: a stream whose model or gateway broke off after its first piece was
out; feedback that was under way in a gateway that was killed (a balancer must not send it twice); what needs the
database (documents, feedback) while it is locked or away and 6 seconds after. Everything else counts.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from _scripted_flow import project_in
from opsloop.core.settings import CoreSettings
from soak import verdict
from soak.chaos import Chaos
from soak.clients import Balancer, Seen, call
from soak.model import Model
from soak.world import OPSLOOP, Postgres, Process, free_port

CALLERS = 8
GOAL = 0.999
HANDBOOK = "A refund takes five working days. It is paid back to the account that was used for the order. " * 3


def main() -> int:
    options = _options()
    with ExitStack() as running:
        folder = Path(tempfile.mkdtemp(prefix="opsloop-soak-"))
        if options.keep:
            print(f"soak: in {folder}", file=sys.stderr)
        else:
            running.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = _postgres()
        if postgres is not None:
            running.callback(postgres.close)
        return asyncio.run(_run(options, folder, postgres))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--keep", action="store_true", help="leave the folder there, to look at")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    return parser.parse_args()


def _postgres() -> Postgres | None:
    try:
        return Postgres()
    except Exception as error:  # noqa: BLE001 (the wheel runs initdb; it says in many ways that it cannot)
        print(f"soak: without PostgreSQL, on SQLite, whose file nobody takes away: {error}", file=sys.stderr)
        return None


async def _run(options: argparse.Namespace, folder: Path, postgres: Postgres | None) -> int:
    print(f"soak: {options.seconds:.0f} s, seed {options.seed}", file=sys.stderr, flush=True)
    model, seen, stopping = Model(options.seed), Seen(), asyncio.Event()
    await model.start()
    project, clock, logs = project_in(folder, endpoint="chat"), folder / "clock", folder / "logs"
    clock.write_text("0")
    logs.mkdir()
    settings = {
        "SOAK_CLOCK": str(clock),
        "PYTHONPATH": str(Path(__file__).parent / "site"),
        "OPSLOOP_LOG_FORMAT": "json",
        "OPSLOOP_LLM_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
        "OPSLOOP_LLM_MODEL": "scripted",
        "OPSLOOP_LLM_API_KEY": "none",
        "OPSLOOP_LLM_FALLBACKS": '["offline"]',
        "OPSLOOP_LLM_FAILOVER_AFTER_S": "2",
        **({} if postgres is None else {"OPSLOOP_DATABASE_URL": postgres.url}),
    }
    platform = Process("platform", ["up", "--no-demo", "--project", str(project)], free_port(), logs, settings)
    serving = ["serve", "--project", str(project)]
    gateways = [Process(name, serving, free_port(), logs, settings) for name in ("gateway-a", "gateway-b")]
    everything = [platform, *gateways]
    try:
        await asyncio.to_thread(_start, platform, gateways, project, settings)
        callers = [
            asyncio.create_task(call(number, Balancer([each.url for each in gateways]), seen, stopping, options.seed))
            for number in range(CALLERS)
        ]
        chaos = Chaos(model, postgres, gateways, seen, clock, options.seed)
        told = asyncio.create_task(_tell(seen, everything, stopping))
        trouble = asyncio.create_task(chaos.run(stopping))
        await asyncio.sleep(options.seconds)
        stopping.set()
        await asyncio.gather(trouble, *callers)
        largest_mb = await told
        await asyncio.to_thread(_settle, everything)
        codes = [await asyncio.to_thread(each.stop) for each in (*gateways, platform)]
    finally:
        for each in everything:
            each.kill()
        await model.stop()
    return _judge(options, folder, project, postgres, seen, chaos, codes, largest_mb)


def _start(platform: Process, gateways: list[Process], project: Path, settings: dict[str, str]) -> None:
    platform.start()
    platform.ready()
    environment = {**settings, "OPSLOOP_URL": platform.url, "PATH": "/usr/bin:/bin"}
    subprocess.run([OPSLOOP, "apply"], cwd=project, env=environment, check=True, capture_output=True)
    document = {"filename": "handbook.md", "content": HANDBOOK}
    files = {"file": (document["filename"], document["content"].encode())}
    httpx.post(f"{platform.url}/upload", files=files, timeout=30, trust_env=False).raise_for_status()
    for each in gateways:
        each.start()
    for each in gateways:
        each.ready()


def _settle(everything: list[Process]) -> None:
    """All of them are well again."""
    for each in everything:
        if not each.is_running:
            each.start()
        each.ready()
    time.sleep(5)


async def _tell(seen: Seen, everything: list[Process], stopping: asyncio.Event) -> dict[str, float]:
    """A line now and then; returns the most memory each took, in 10^6 bytes."""
    largest = {each.name: 0.0 for each in everything}
    number = 0
    while not stopping.is_set():
        await asyncio.sleep(2)
        number += 1
        for each in everything:
            largest[each.name] = max(largest[each.name], each.memory_mb)
        if number % 15 == 0:
            asked, failed = sum(seen.asked.values()), sum(seen.failed.values())
            sizes = ", ".join(f"{each.name} {each.memory_mb:.0f} MB" for each in everything)
            print(f"soak: {number * 2} s, {asked} asked, {failed} failed; {sizes}", file=sys.stderr, flush=True)
    return largest


def _judge(
    options: argparse.Namespace,
    folder: Path,
    project: Path,
    postgres: Postgres | None,
    seen: Seen,
    chaos: Chaos,
    codes: list[int],
    largest_mb: dict[str, float],
) -> int:
    settings = CoreSettings(data_dir=project / ".opsloop", database_url=None if postgres is None else postgres.url)
    lost, unheard = verdict.missing(settings, list(seen.answered), seen.feedback)
    audit = _audit(project, postgres)
    if postgres is not None:
        postgres.stop()  # what it holds is on the disk now
    found = list(verdict.leaks([project, folder / "logs", *([] if postgres is None else [postgres.folder])]))
    excused, failed = sum(seen.excused.values()), sum(seen.failed.values())
    could = sum(seen.asked.values()) - excused
    share = (could - failed) / max(1, could)
    print("done:", ", ".join(f"{count} x {what}" for what, count in sorted(chaos.done.items())))
    print("asked:", ", ".join(f"{count} {kind}" for kind, count in sorted(seen.asked.items())))
    for what, count in seen.excused.most_common():
        print(f"  could not be answered, {count}: {what}")
    for what, count in seen.failed.most_common(12):
        print(f"  failed, {count}: {what} | {seen.examples.get(what, '')[:300]}")
    print("memory:", ", ".join(f"{name} {most:.0f} MB" for name, most in largest_mb.items()))
    for each in (*lost[:5], *unheard[:5], *found[:20]):
        print(f"  missing or found: {each}")
    is_met = share >= GOAL and not (lost or unheard or found or seen.leaked) and audit == 0 and not any(codes)
    print(
        f"soak: {options.seconds:.0f} s, seed {options.seed}, {'PostgreSQL' if postgres else 'SQLite'}: {share:.3%} of "
        f"{could:,} that could be answered were (goal {GOAL:.1%}); {len(lost)} of {len(seen.answered):,} records and "
        f"{len(unheard)} of {len(seen.feedback):,} words lost; personal data in {len(found)} files and {seen.leaked} "
        f"answers; audit {'holds' if audit == 0 else 'BROKEN'}; exits {codes}: {'met' if is_met else 'MISSED'}"
    )
    return 0 if is_met else 1


def _audit(project: Path, postgres: Postgres | None) -> int:
    environment = {"PATH": "/usr/bin:/bin", **({} if postgres is None else {"OPSLOOP_DATABASE_URL": postgres.url})}
    run = subprocess.run(
        [OPSLOOP, "audit", "verify"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        print(run.stdout, run.stderr)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
