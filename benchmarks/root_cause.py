"""Root cause on recorded incidents, system by system: `python benchmarks/root_cause.py [DATA]`.

DATA holds the folders `petshop`, `nezha` and `incidents_opensre`; without it the folder beside the checkout is taken.
AC@k is the share of incidents whose cause is among the first k suspects. Baselines in the same run: robust z with the
call graph (the largest z whose callees are all below 3), the same without a graph (as BARO scores: L. Pham et al., FSE
2024, but with the start given), and chance. OnlineBoutique is asked twice: with its pods' metrics alone, and with the
latency of calls as caller and callee report it, too; what a caller waits longer is time on the way, which the platform
reads off traces. Goals: PetShop AC@1 .45 and AC@3 .75; OnlineBoutique, with both ends, AC@1 .60; on Nezha's
TrainTicket, whose metrics alone do not tell, and on healthy systems: no answer. Published for Nezha with logs and
traces: .93 (G. Yu et al., FSE 2023). Exits with 1 when a goal is missed, with 2 without data.

Two of PetShop's four scenarios come without fault-free metrics: what lies before the alarm is their only reference.
Causes of the parts that are read here are few; kept-back parts have others.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opsloop.incidents.causes import ranking
from opsloop.incidents.causes.callers import callees
from opsloop.incidents.causes.models import Edge, Evidence, MetricSeries, SeriesKind
from opsloop.incidents.causes.scores import departure

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "operations"
REFERENCE = 240
PETSHOP_S, NEZHA_S, NEZHA_BEFORE_S = 900, 240, 180
BOUTIQUE, TICKETS = "2022-08-22", "2023-01-30"
"""The days of Nezha on which one system and the other was recorded."""
Pairs = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Case:
    cause: str
    evidence: Evidence


def rows(file: Path) -> list[list[str]]:
    with gzip.open(file, "rt") as lines:
        return list(csv.reader(lines))


def number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def joined(reference: Pairs, present: Pairs, *, step_s: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A reference, moved to lie just before what is present."""
    late = (
        []
        if not reference or not present
        else [(at - reference[-1][0] + present[0][0] - step_s, value) for at, value in reference]
    )
    both = [*late, *present]
    return tuple(at for at, _ in both), tuple(value for _, value in both)


def instant(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


PETSHOP_KINDS = {
    "latency": SeriesKind.LATENCY,
    "availability": SeriesKind.AVAILABILITY,
    "requests": SeriesKind.TRAFFIC,
}


def columns(file: Path) -> dict[tuple[str, str, str], Pairs]:
    if not file.exists():
        return {}
    read = rows(file)
    found: dict[tuple[str, str, str], Pairs] = {}
    for column, key in enumerate(zip(read[0], read[1], read[2], strict=True)):
        if column == 0 or not key[0]:
            continue
        points = ((float(row[0]), number(row[column])) for row in read[4:])
        found[key] = [(at, value) for at, value in points if value is not None]
    return found


def petshop(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.glob("dev/*/*/*/target.json")):
        told = json.loads(file.read_text())
        common = folder / "common" / file.parts[-4]
        usual = columns(common / "noissue" / "metrics.csv.gz")
        series = []
        for key, present in columns(file.parent / "metrics.csv.gz").items():
            times, values = joined(usual.get(key, [])[-REFERENCE:], present, step_s=300)
            kind = PETSHOP_KINDS.get(key[1], SeriesKind.OTHER)
            if times:
                series.append(MetricSeries(key[0], f"{key[1]} {key[2]}", kind, times, values))
        graph = rows(common / "graph.csv.gz")
        edges = [
            Edge(row[0], callee)
            for row in graph[1:]
            for callee, calls in zip(graph[0][1:], row[1:], strict=True)
            if number(calls)
        ]
        target = told["target"]
        start_s = target["timestamp"]
        yield Case(
            told["root_cause"]["node"],
            Evidence(
                (target["node"],),
                instant(start_s),
                instant(start_s + PETSHOP_S),
                series=tuple(series),
                edges=tuple(edges),
                symptom=PETSHOP_KINDS[target["metric"]],
            ),
        )


def nezha_kind(metric: str) -> SeriesKind | None:
    """None for a metric of the machine, which is not the service's."""
    if metric.startswith("Node") or metric in ("TimeStamp", "PodName"):
        return None
    for word, kind in (
        ("Latency", SeriesKind.LATENCY),
        ("SuccessRate", SeriesKind.AVAILABILITY),
        ("Ops", SeriesKind.TRAFFIC),
        ("Usage", SeriesKind.RESOURCE),
    ):
        if word in metric:
            return kind
    return SeriesKind.OTHER


def pods(folder: Path) -> dict[tuple[str, str], Pairs]:
    found: dict[tuple[str, str], Pairs] = {}
    for file in sorted(folder.glob("*_metric.csv.gz")):
        read = rows(file)
        for column, metric in enumerate(read[0]):
            if nezha_kind(metric) is not None:
                points = ((float(row[0]), number(row[column])) for row in read[1:])
                pod = file.name.removesuffix("_metric.csv.gz")
                found[pod, metric] = sorted((at, value) for at, value in points if value is not None)
    return found


def ways(folder: Path) -> dict[tuple[str, str], Pairs]:
    """What a caller waits less what its callee takes, of each call that both report: `source_50`, `destination_50`."""
    files = [folder / f"{end}_50.csv.gz" for end in ("source", "destination")]
    if not all(file.exists() for file in files):
        return {}
    waits, takes = map(rows, files)
    found: dict[tuple[str, str], Pairs] = {}
    # Both are written a second apart, row by row.
    for wait, take in zip(waits[1:], takes[1:], strict=True):
        took = dict(zip(takes[0], take, strict=True))
        for name, text in zip(waits[0][2:], wait[2:], strict=True):
            waited_s, took_s = number(text), number(took.get(name, ""))
            if waited_s is not None and took_s is not None:
                caller, _, callee = name.partition("_")
                found.setdefault((caller, callee), []).append((float(wait[1]), waited_s - took_s))
    return found


def nezha(folder: Path, day: str, *, both_ends: bool = True) -> Iterator[Case]:
    """Args: both_ends: take what both ends of calls report, too, and not the pods' metrics alone."""
    rca, construct = folder / "dev/rca_data" / day, folder / "dev/construct_data" / day / "metric"
    usual, present = pods(construct), pods(rca / "metric")
    usual_ways, present_ways = (ways(construct), ways(rca / "metric")) if both_ends else ({}, {})
    names = {pod.rsplit("-", 2)[0]: pod for pod, _ in present}
    graph = rca / "metric/dependency.csv.gz"
    read = rows(graph)[1:] if graph.exists() else []
    edges = tuple(Edge(names.get(row[0], row[0]), names[row[1]]) for row in read if row[1] in names)
    front = tuple(pod for name, pod in names.items() if name in ("frontend", "ts-ui-dashboard", "ts-gateway-service"))
    told = json.loads((rca / f"{day}-fault_list.json").read_text())
    for fault in (fault for hour in told.values() for fault in hour):
        start_s = datetime.fromisoformat(fault["inject_time"]).replace(tzinfo=UTC).timestamp()
        series = []
        for (pod, metric), points in present.items():
            times, values = joined(usual.get((pod, metric), [])[-REFERENCE:], near(points, start_s), step_s=60)
            kind = nezha_kind(metric)
            if times and kind is not None:
                series.append(MetricSeries(pod, metric, kind, times, values))
        for (caller, callee), points in present_ways.items():
            if caller in names and callee in names:
                reference = usual_ways.get((caller, callee), [])[-REFERENCE:]
                times, values = joined(reference, near(points, start_s), step_s=60)
                way = MetricSeries(
                    names[callee], "time on the way in s", SeriesKind.LATENCY, times, values, way_from=names[caller]
                )
                series.append(way)
        evidence = Evidence(front, instant(start_s), instant(start_s + NEZHA_S), series=tuple(series), edges=edges)
        yield Case(fault["inject_pod"], evidence)


def near(points: Pairs, start_s: float) -> Pairs:
    return [(at, value) for at, value in points if start_s - NEZHA_BEFORE_S <= at < start_s + NEZHA_S]


def healthy(folder: Path) -> Iterator[Case]:
    """Healthy controls with metrics; the last quarter of them is taken for the incident that is none."""
    for incident in sorted(folder.glob("dev/*-healthy")):
        series = []
        for file in sorted(incident.glob("aws_cloudwatch_metrics_*.json")):
            for result in _results(json.loads(file.read_text())):
                times = [datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() for at in result[1]]
                ordered = sorted(zip(times, map(float, result[2]), strict=True))
                if ordered:
                    at, values = zip(*ordered, strict=True)
                    series.append(MetricSeries("database", result[0], SeriesKind.RESOURCE, at, values))
        if series:
            seen = series[0].times_s
            start_s = seen[len(seen) * 3 // 4]
            yield Case("", Evidence(("database",), instant(start_s), instant(seen[-1] + 1), series=tuple(series)))


def _results(told: object) -> Iterator[tuple[str, list[str], list[float]]]:
    """Every part of a document that has times and as many values."""
    if isinstance(told, list):
        for each in told:
            yield from _results(each)
    elif isinstance(told, dict):
        small = {name.lower(): value for name, value in told.items()}
        times, values = small.get("timestamps"), small.get("values")
        if isinstance(times, list) and isinstance(values, list) and len(times) == len(values):
            yield str(small.get("metric_name") or small.get("label") or "metric"), times, values
        for each in told.values():
            yield from _results(each)


def ours(evidence: Evidence) -> list[str]:
    return [each.subject for each in ranking.rank(evidence).suspects]


def strongest(evidence: Evidence) -> dict[str, float]:
    found: dict[str, float] = {}
    for series in evidence.series:
        left = departure(series, evidence.started_at.timestamp(), evidence.until.timestamp())
        if left is not None:
            found[series.service] = max(found.get(series.service, 0.0), left.score)
    return found


def by_z(evidence: Evidence) -> list[str]:
    found = strongest(evidence)
    return sorted(found, key=lambda each: -found[each])


def by_z_and_graph(evidence: Evidence) -> list[str]:
    found, calls = strongest(evidence), callees(evidence.edges)
    deepest = {each: all(found.get(callee, 0.0) < 3 for callee in calls.get(each, ())) for each in found}
    return sorted(found, key=lambda each: (not deepest[each], -found[each]))


def hits(cases: Sequence[Case], rank: Callable[[Evidence], list[str]], first: int) -> float:
    return sum(case.cause in rank(case.evidence)[:first] for case in cases) / len(cases)


def compared(name: str, cases: Sequence[Case]) -> tuple[float, float]:
    print(f"{name}: {len(cases)} incidents, {len({case.cause for case in cases})} causes")
    services = [len({series.service for series in case.evidence.series}) for case in cases]
    chance = [sum(min(1.0, first / count) for count in services) / len(cases) for first in (1, 3)]
    print(f"  chance                  AC@1 {chance[0]:.2f}  AC@3 {chance[1]:.2f}")
    for said, rank in (("robust z", by_z), ("robust z + call graph", by_z_and_graph)):
        print(f"  {said:22}  AC@1 {hits(cases, rank, 1):.2f}  AC@3 {hits(cases, rank, 3):.2f}")
    found = hits(cases, ours, 1), hits(cases, ours, 3)
    print(f"  ours                    AC@1 {found[0]:.2f}  AC@3 {found[1]:.2f}")
    return found


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    if not all((folder / name).is_dir() for name in ("petshop", "nezha", "incidents_opensre")):
        print(f"no recorded incidents in {folder}: give the folder with petshop, nezha and incidents_opensre")
        return 2
    shop = compared("PetShop", list(petshop(folder / "petshop")))
    compared("Nezha, OnlineBoutique, pods' metrics alone", list(nezha(folder / "nezha", BOUTIQUE, both_ends=False)))
    boutique = compared("Nezha, OnlineBoutique, and both ends of calls", list(nezha(folder / "nezha", BOUTIQUE)))
    tickets = list(nezha(folder / "nezha", TICKETS))
    silent = sum(not ours(case.evidence) for case in tickets)
    print(f"Nezha, TrainTicket, metrics alone: no answer for {silent} of {len(tickets)}")
    controls = list(healthy(folder / "incidents_opensre"))
    calm = sum(not ours(case.evidence) for case in controls)
    print(f"healthy controls with metrics: no answer for {calm} of {len(controls)}")
    checks = {
        "PetShop": shop[0] >= 0.45 and shop[1] >= 0.75,
        "OnlineBoutique": boutique[0] >= 0.60,
        "TrainTicket": silent >= 0.9 * len(tickets),
        "healthy": calm == len(controls),
    }
    print("; ".join(f"{name} {'met' if is_met else 'MISSED'}" for name, is_met in checks.items()))
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
