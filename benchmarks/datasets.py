"""Datasets of a million rows beside plain Parquet through DuckDB: register, diff, query, time travel, export.

Run: python benchmarks/datasets.py [--rows 1000000] [--rounds 3]
Goals, in CPU time of the same machine at the same time: a registration (reading, checking every row, hashing all rows,
profiling all columns, looking for personal data, writing) takes at most 10 times DuckDB's plain COPY of the same file
to Parquet, from CSV, JSON lines and Parquet; a diff by key at most 3 times a plain join of two Parquet files that
counts the same; a query, also of a version by its time, at most 3 times the plain SQL; and no work takes over 800 MB
of memory.

Each measurement is a process of its own, so that its memory is its own; ours and the plain one take turns, and the
median of the rounds counts. Wall times are told too: with other programs on the machine they say less. Plain DuckDB has
the same two threads, memory limit and compression, and leaves out what no COPY does: the place of an error, the hash,
the profile, the report of personal data. The ten columns hold whole and broken numbers, booleans, days, short, long and
quoted text, and nulls.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

QUERIES = 5
FORMATS = ("csv", "jsonl", "parquet")
GOAL_REGISTER = 10.0
GOAL_DIFF = 3.0
GOAL_QUERY = 3.0
GOAL_MEMORY_MB = 800.0
MEMORY_LIMIT = "500MB"
ZSTD = "FORMAT parquet, COMPRESSION zstd"
AGGREGATE = "SELECT region, count(*), avg(price), max(question) FROM {} GROUP BY region ORDER BY region"
ROWS = """
SELECT i AS id, 'customer-' || (i * 7919 % 1000003) AS customer,
  'Why does my order ' || i || ' not arrive, "asked" on day ' || (i % 31) || '?' AS question,
  i * 31 % 100 AS n, round(hash(i) / 1.8446744073709552e16 * 1000, 3) AS price, i % 3 = 0 AS paid,
  CASE WHEN i % 10 <> 0 THEN 'de-' || (i % 17) END AS region, i * 0.5::DOUBLE AS score,
  (DATE '2026-01-01' + (i % 365)::INTEGER)::VARCHAR AS day,
  CASE WHEN i % 6 <> 0 THEN repeat('lorem ipsum ', (i % 6)::INTEGER) END AS note
FROM range({rows}) r(i)
"""
# Of the second version every thousandth row is gone, every hundredth is changed, and as many are new.
CHANGED = """
SELECT * REPLACE (CASE WHEN id % 100 = 0 THEN 'moved' ELSE region END AS region) FROM ({rows}) WHERE id % 1000 <> 7
UNION ALL SELECT * REPLACE (-id - 1 AS id) FROM ({rows}) WHERE id % 1000 = 7
"""


@dataclass(frozen=True)
class Measured:
    """One piece of work in one process."""

    took_s: float
    cpu_s: float
    memory_mb: float


def main() -> int:
    options = _options()
    if options.work:
        _child(options.work, Path(options.folder))
        return 0
    with tempfile.TemporaryDirectory(prefix="opsloop-bench-") as place:
        folder = Path(place)
        _write_files(folder, options.rows)
        missed = _compare_all(folder, options.rows, options.rounds)
    return 1 if missed else 0


def _compare_all(folder: Path, rows: int, rounds: int) -> bool:
    found = {f"register {ending}": _compare(folder, f"register-{ending}", rounds) for ending in FORMATS}
    _run(folder, "both-versions")
    found["diff"] = _compare(folder, "diff", rounds)
    found["query"] = _compare(folder, "query", rounds)
    found["query at a time"] = _compare(folder, "travel", rounds)
    ratios, most_mb = {}, 0.0
    for name, (ours, plain) in found.items():
        ratios[name] = ours.cpu_s / plain.cpu_s
        most_mb = max(most_mb, ours.memory_mb)
        read = rows * (QUERIES if name.startswith("query") else 1)
        print(
            f"{name:>16}: {read / ours.took_s:11,.0f} rows/s, {ours.cpu_s:5.2f} s CPU, {ours.memory_mb:4.0f} MB; "
            f"plain DuckDB {read / plain.took_s:11,.0f} rows/s, {plain.cpu_s:5.2f} s CPU, {plain.memory_mb:4.0f} MB; "
            f"{ratios[name]:.1f} x"
        )
    exported = _run(folder, "export-ours")
    print(f"{'export jsonl':>16}: {rows / exported.took_s:11,.0f} rows/s, {exported.memory_mb:4.0f} MB")
    return _summary(rows, ratios, max(most_mb, exported.memory_mb))


def _summary(rows: int, ratios: dict[str, float], most_mb: float) -> bool:
    register = max(ratio for name, ratio in ratios.items() if name.startswith("register"))
    query = max(ratios["query"], ratios["query at a time"])
    missed = register > GOAL_REGISTER or ratios["diff"] > GOAL_DIFF or query > GOAL_QUERY or most_mb > GOAL_MEMORY_MB
    print(
        f"{rows:,} rows: register at most {register:.1f} x plain COPY (goal {GOAL_REGISTER:g}), "
        f"diff {ratios['diff']:.1f} x a plain join (goal {GOAL_DIFF:g}), "
        f"query {query:.1f} x plain SQL (goal {GOAL_QUERY:g}), "
        f"at most {most_mb:.0f} MB (goal {GOAL_MEMORY_MB:.0f}): {'missed' if missed else 'met'}"
    )
    return missed


def _compare(folder: Path, work: str, rounds: int) -> tuple[Measured, Measured]:
    """Medians of ours and of the plain one, in turns."""
    ours, plain = [], []
    for _ in range(rounds):
        plain.append(_run(folder, f"{work}-plain"))
        ours.append(_run(folder, f"{work}-ours"))
    return _median(ours), _median(plain)


def _median(all: Sequence[Measured]) -> Measured:
    median = statistics.median
    return Measured(median(m.took_s for m in all), median(m.cpu_s for m in all), max(m.memory_mb for m in all))


def _run(folder: Path, work: str) -> Measured:
    command = [sys.executable, __file__, "--work", work, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{work} failed, nothing was measured; what it said is above")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _child(work: str, folder: Path) -> None:
    """Do one piece of work and print what it took, without the start of the process."""
    prepared = WORKS[work](folder)
    before_s, before_cpu_s = time.perf_counter(), time.process_time()
    prepared()
    took_s, cpu_s = time.perf_counter() - before_s, time.process_time() - before_cpu_s
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"took_s": took_s, "cpu_s": cpu_s, "memory_mb": peak_kb / 1_000}))


Work = Callable[[Path], Callable[[], object]]


def _plain(sql: Callable[[Path], str], times: int = 1) -> Work:
    def prepared(folder: Path) -> Callable[[], object]:
        duck = _duck(folder)
        return lambda: [duck.execute(sql(folder)).fetchall() for _ in range(times)]

    return prepared


def _duck(folder: Path) -> Any:
    import duckdb

    config: dict[str, Any] = {"threads": 2, "memory_limit": MEMORY_LIMIT, "temp_directory": str(folder / "plain-spill")}
    return duckdb.connect(config=config)


def _registered(ending: str) -> Work:
    """A registration into a fresh data folder."""

    def prepared(folder: Path) -> Callable[[], object]:
        from opsloop.core.caller import Caller, Role
        from opsloop.core.opening import open_workspace
        from opsloop.core.settings import CoreSettings
        from opsloop.datasets import service

        def register() -> None:
            with tempfile.TemporaryDirectory(dir=folder) as data:
                workspace = open_workspace(CoreSettings(data_dir=Path(data)))
                snapshot = service.prepare_file(workspace, folder / f"before.{ending}")
                with workspace.writing(Caller("bench", Role.ADMIN)) as uow:
                    service.register_snapshot(uow, "orders", f"before.{ending}", snapshot)
                workspace.close()

        return register

    return prepared


def _with_versions(work: Callable[[Any, Any], object]) -> Work:
    """Work on a data folder that has both versions."""

    def prepared(folder: Path) -> Callable[[], object]:
        import duckdb  # noqa: F401  # its start is no part of the plain work either

        from opsloop.core.caller import Caller, Role
        from opsloop.core.opening import open_workspace
        from opsloop.core.settings import CoreSettings

        workspace = open_workspace(CoreSettings(data_dir=folder / "data"))
        return lambda: work(workspace, Caller("bench", Role.ADMIN))

    return prepared


def _register_both(folder: Path) -> Callable[[], object]:
    from opsloop.core.caller import Caller, Role
    from opsloop.core.clock import FakeClock
    from opsloop.core.opening import open_workspace
    from opsloop.core.settings import CoreSettings
    from opsloop.datasets import service

    clock = FakeClock(datetime.now(UTC) - timedelta(days=10))
    workspace = open_workspace(CoreSettings(data_dir=folder / "data"), clock=clock)

    def register() -> None:
        for name in ("before", "after"):
            snapshot = service.prepare_file(workspace, folder / f"{name}.parquet")
            with workspace.writing(Caller("bench", Role.ADMIN)) as uow:
                service.register_snapshot(uow, "orders", f"{name}.parquet", snapshot)
            clock.advance(5 * 86_400)

    return register


def _diff(workspace: Any, caller: Any) -> object:
    from opsloop.datasets import diff

    with workspace.reading(caller) as uow:
        return diff.diff(uow, "orders@1", "orders@2", key=["id"])


def _asked(table: Callable[[], str]) -> Callable[[Any, Any], None]:
    def ask(workspace: Any, caller: Any) -> None:
        from opsloop.datasets import query

        for _ in range(QUERIES):
            query.ask(workspace, caller, AGGREGATE.format(f'"{table()}"'))

    return ask


def _export(workspace: Any, caller: Any) -> object:
    from opsloop.datasets import export, service

    with workspace.reading(caller) as uow:
        version = service.get(uow, "orders")
    export.file_of(workspace, version, "jsonl").discard()
    return version


def _copy(reader: str, ending: str) -> Work:
    return _plain(
        lambda folder: f"COPY (FROM {reader}('{folder / f'before.{ending}'}')) TO '{folder / 'plain.parquet'}' ({ZSTD})"
    )


def _joined(folder: Path) -> str:
    columns = ("customer", "question", "n", "price", "paid", "region", "score", "day", "note")
    differs = " OR ".join(f"o.{name} IS DISTINCT FROM n.{name}" for name in columns)
    return (
        f"SELECT count(*) FILTER (o.id IS NULL), count(*) FILTER (n.id IS NULL), "
        f"count(*) FILTER (o.id IS NOT NULL AND n.id IS NOT NULL AND ({differs})) "
        f"FROM '{folder / 'before.parquet'}' o FULL OUTER JOIN '{folder / 'after.parquet'}' n USING (id)"
    )


def _eight_days_ago() -> str:
    return f"orders@{datetime.now(UTC) - timedelta(days=8):%Y-%m-%d}"


WORKS: dict[str, Work] = {
    "register-csv-ours": _registered("csv"),
    "register-jsonl-ours": _registered("jsonl"),
    "register-parquet-ours": _registered("parquet"),
    "register-csv-plain": _copy("read_csv", "csv"),
    "register-jsonl-plain": _copy("read_json", "jsonl"),
    "register-parquet-plain": _copy("read_parquet", "parquet"),
    "both-versions": _register_both,
    "diff-ours": _with_versions(_diff),
    "diff-plain": _plain(_joined),
    "query-ours": _with_versions(_asked(lambda: "orders")),
    "query-plain": _plain(lambda folder: AGGREGATE.format(f"'{folder / 'after.parquet'}'"), QUERIES),
    "travel-ours": _with_versions(_asked(_eight_days_ago)),
    "travel-plain": _plain(lambda folder: AGGREGATE.format(f"'{folder / 'before.parquet'}'"), QUERIES),
    "export-ours": _with_versions(_export),
}


def _write_files(folder: Path, rows: int) -> None:
    duck = _duck(folder)
    before = ROWS.format(rows=rows)
    forms = {"csv": "HEADER", "jsonl": "FORMAT json", "parquet": ZSTD}
    for ending, form in forms.items():
        duck.execute(f"COPY ({before}) TO '{folder / f'before.{ending}'}' ({form})")
    duck.execute(f"COPY ({CHANGED.format(rows=before)}) TO '{folder / 'after.parquet'}' ({ZSTD})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
