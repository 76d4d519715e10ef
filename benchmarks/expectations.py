"""Expectations beside Great Expectations: the suite we write, loaded and run there on the same rows.

Run: python benchmarks/expectations.py [--rows 1000000]
Goal: Great Expectations loads the whole suite, agrees on every verdict and count of broken rows, and takes at least
twice as long.

Its table is in memory before the clock starts; ours is read from a Parquet file meanwhile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _peers import peer
from opsloop.datasets.engine import connected, literal
from opsloop.datasets.expectations import great_expectations
from opsloop.datasets.expectations.checking import check
from opsloop.datasets.expectations.declared import parse
from opsloop.datasets.findings import ExpectationReport
from opsloop.datasets.models import Column, ColumnType

GREAT_EXPECTATIONS = "great-expectations==1.24.1"
FASTER = 2
COLUMNS = (
    Column("id", ColumnType.INTEGER),
    Column("lang", ColumnType.TEXT),
    Column("question", ColumnType.TEXT),
    Column("score", ColumnType.NUMBER),
    Column("top", ColumnType.NUMBER),
)
ROWS = """
SELECT i AS id,
       CASE WHEN i % 97 = 0 THEN NULL WHEN i % 50 = 0 THEN 'xx' ELSE 'en' END AS lang,
       'question ' || (i % 5000) AS question,
       (i * 7919 % 10007) / 10000 AS score,
       CASE WHEN i % 31 = 0 THEN NULL ELSE (i * 104729 % 20011) / 10000 END AS top
FROM range({rows}) r(i)
"""
SUITE: list[dict[str, Any]] = [
    {"expect": "unique", "column": "id"},
    {"expect": "unique", "column": "question", "mostly": 0.5},
    {"expect": "unique", "columns": ["id", "lang"]},
    {"expect": "unique", "columns": ["question", "lang"]},
    {"expect": "not_null", "column": "lang", "mostly": 0.98},
    {"expect": "not_null", "column": "id"},
    {"expect": "type", "column": "score", "types": ["number"]},
    {"expect": "in_set", "column": "lang", "values": ["en", "de"], "mostly": 0.97},
    {"expect": "not_in_set", "column": "lang", "values": ["xx"]},
    {"expect": "between", "column": "score", "min": 0, "max": 1},
    {"expect": "between", "column": "score", "min": 0, "max": 1.0006, "strict_min": True},
    {"expect": "length_between", "column": "question", "min": 10, "max": 12},
    {"expect": "regex", "column": "question", "pattern": "^question [0-9]+$"},
    {"expect": "not_regex", "column": "question", "pattern": "99$"},
    {"expect": "pair", "low": "score", "high": "top", "nulls": "either"},
    {"expect": "pair", "low": "score", "high": "top"},
    {"expect": "row_count", "min": 10, "max": 10_000_000},
    {"expect": "columns_exactly", "columns": ["id", "lang", "question", "score", "top"], "in_order": True},
    {"expect": "columns_exactly", "columns": ["top", "id", "lang", "question", "score"]},
    {"expect": "columns_at_least", "columns": ["id", "answer"]},
    {"expect": "mean_between", "column": "score", "min": 0.49, "max": 0.51},
    {"expect": "median_between", "column": "score", "min": 0.6},
    {"expect": "min_between", "column": "score", "min": 0, "max": 0},
    {"expect": "max_between", "column": "score", "max": 1},
    {"expect": "sum_between", "column": "score", "min": 1},
    {"expect": "stdev_between", "column": "score", "min": 0.28, "max": 0.3},
    {"expect": "unique_value_count_between", "column": "lang", "min": 2, "max": 2},
    {"expect": "proportion_of_unique_values_between", "column": "id", "min": 1},
    {"expect": "quantiles_between", "column": "score", "quantiles": [0.1, 0.9], "ranges": [[0.09, 0.11], [0.89, None]]},
]
THEIRS = """
import json, sys, time
import pandas
import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite

values = json.load(open(sys.argv[1]))
suite = ExpectationSuite(name=values["name"], expectations=values["expectations"], meta=values["meta"])
table = pandas.read_csv(sys.argv[2])
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
started = time.perf_counter()
report = batch.validate(suite)
seconds = time.perf_counter() - started
json.dump({"seconds": seconds, "loaded": len(suite.expectations), "results": [
    {"place": each.expectation_config.meta["place"], "met": bool(each.success),
     "broken": each.result.get("unexpected_count"),
     "error": str(each.exception_info)[:300] if not each.result else ""}
    for each in report.results]}, sys.stdout, default=str)
"""


def ours(path: Path, rows: int) -> tuple[ExpectationReport, float]:
    started = time.perf_counter()
    report = check(str(path), COLUMNS, rows, parse(SUITE))
    return report, time.perf_counter() - started


def theirs(suite: dict[str, Any], path: Path, folder: Path) -> dict[str, Any]:
    file = folder / "suite.json"
    file.write_text(json.dumps(suite))
    python = peer(GREAT_EXPECTATIONS) / "bin" / "python"
    command = [str(python), "-W", "ignore", "-c", THEIRS, str(file), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"Great Expectations did not load or run the suite:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def disagreements(report: ExpectationReport, answer: dict[str, Any]) -> list[str]:
    """What the two say differently; their results come in another order."""
    there = {each["place"]: each for each in answer["results"]}
    found = []
    for place, mine in enumerate(report.results):
        other = there.get(place)
        if other is None:
            found.append(f"{mine.expectation}: there is no answer")
        elif other["met"] is not mine.met or (other["broken"] is not None and other["broken"] != mine.broken):
            found.append(
                f"{mine.expectation}: here {mine.met} {mine.broken}, there {other['met']} {other['broken']} "
                + other["error"]
            )
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows: int = parser.parse_args(arguments).rows
    with_places = [each | {"meta": {"place": place}} for place, each in enumerate(SUITE)]
    suite = great_expectations.written("golden", parse(with_places))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        with connected() as duck:
            duck.execute(f"COPY ({ROWS.format(rows=rows)}) TO {literal(str(path))} (FORMAT parquet)")
        report, our_s = ours(path, rows)
        csv = Path(folder) / "rows.csv"
        with connected() as duck:
            duck.execute(f"COPY ({ROWS.format(rows=rows)}) TO {literal(str(csv))} (FORMAT csv, HEADER)")
        answer = theirs(suite, csv, Path(folder))
    differ = disagreements(report, answer)
    for each in differ:
        print(each)
    ratio = answer["seconds"] / our_s
    met = not differ and answer["loaded"] == len(SUITE) and ratio >= FASTER
    print(
        f"expectations: {answer['loaded']} of {len(SUITE)} load there, {len(SUITE) - len(differ)} agree; "
        f"{rows:,} rows {our_s:.2f} s, Great Expectations {answer['seconds']:.1f} s: {ratio:.1f} x (goal {FASTER}): "
        f"{'met' if met else 'missed'}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
