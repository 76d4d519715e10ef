"""`opsloop monitor drift`, `performance`, `segments`, `label`, `export`: models that serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.monitoring.drift.reports import DriftReport, WatchReport
    from opsloop.monitoring.performance.reports import Estimate, Figure, PerformanceReport, ReleasePerformance

FEATURES = 10
DAY_S = 86_400
_days = click.option(
    "--days", type=click.FloatRange(0.001, 400), default=7.0, show_default=True, help="Of the last so many days."
)


@lone(
    "drift",
    example="""opsloop monitor drift iris
    opsloop monitor drift iris --close --reason "the sensor was cleaned"
    opsloop monitor drift iris --close --accept --reason "a new supplier\"""",
)
@click.argument("endpoint")
@click.option("--release", metavar="ID", help="Only this release.")
@click.option("--close", "closes", is_flag=True, help="End the open alarm; the watch begins anew.")
@click.option("--accept", is_flag=True, help="With --close: what comes now is the new normal.")
@click.option("--reason", metavar="TEXT", help="With --close: why, for the audit trail.")
def drift(session: Session, endpoint: str, release: str | None, closes: bool, accept: bool, reason: str | None) -> None:
    """Tell whether what ENDPOINT is sent, or says, has drifted; exit code 6 when it has."""
    if closes:
        _close(session, endpoint, accept=accept, reason=reason)
        return
    if accept or reason:
        raise click.UsageError("--accept and --reason belong to --close")
    with session.client() as client:
        report = client.watching.drift(endpoint, release=release)
    session.answer(report, lambda: _drift_in_words(report))
    if report.detected:
        from opsloop.core.errors import AnswerIsNo

        raise AnswerIsNo(
            f"{endpoint} drifted: {report.sentence}; when it is dealt with, "
            f"`opsloop monitor drift {endpoint} --close --reason …` ends the alarm"
        )


def _close(session: Session, endpoint: str, *, accept: bool, reason: str | None) -> None:
    if not reason:
        raise click.UsageError("--close wants --reason: say why, for the audit trail")
    with session.client() as client:
        alarm = client.watching.close(endpoint, reason=reason, accept=accept)
    meant = "what came since is the new normal" if accept else "the watch begins anew"
    session.answer(alarm, f"closed {alarm.id} of {endpoint}: {meant}")


def _drift_in_words(report: DriftReport) -> str:
    return "\n\n".join(_watch_in_words(each) for each in report.watches)


def _watch_in_words(watch: WatchReport) -> str:
    alarm = watch.alarm
    pairs = [
        ("model", f"{watch.model} (release {watch.release})"),
        ("drift", "yes" if alarm else "no"),
        ("found", watch.sentence),
        ("since row", alarm.since_row if alarm else None),
        ("since", alarm.since_at if alarm else None),
        ("expected delay", _rows(alarm.expected_delay_rows) if alarm else None),
        ("rows", watch.rows),
        ("method", watch.method or None),
        ("false alarms", watch.false_alarms or None),
        ("changes seen after", watch.delays or None),
    ]
    known = text.fields([(name, value) for name, value in pairs if value is not None])
    scores = text.table(("feature", "score"), [(each.feature, each.score) for each in watch.features[:FEATURES]])
    broken = text.table(("broken expectation", "requests"), list(watch.broken.items()))
    return "\n\n".join(part for part in (known, scores, broken) if part)


def _rows(count: float | None) -> str | None:
    return None if count is None else f"about {count:,.0f} rows, for a change of this size"


@lone("performance", example="opsloop monitor performance iris --days 30")
@click.argument("endpoint")
@_days
def performance(session: Session, endpoint: str, days: float) -> None:
    """Tell how well the model behind ENDPOINT does by its labels; exit code 6 when it got worse."""
    with session.client() as client:
        report = client.watching.performance(endpoint, window_s=max(1, int(days * DAY_S)))
    session.answer(report, lambda: _performance_in_words(report))
    if report.worse:
        from opsloop.core.errors import AnswerIsNo

        raise AnswerIsNo(f"{endpoint} got worse: {report.sentence}")


def _performance_in_words(report: PerformanceReport) -> str:
    return "\n\n".join(_release_in_words(each) for each in report.releases)


def _release_in_words(release: ReleasePerformance) -> str:
    pairs = [
        ("model", f"{release.model} (release {release.release})"),
        ("labels", f"{release.labelled:,} of {release.served:,} rows"),
        ("found", release.sentence),
        ("without labels", _estimate(release.estimate)),
        ("test", f"{release.score:.2f} of what an alarm needs, on {release.tested}" if release.tested else None),
    ]
    known = text.fields([(name, value) for name, value in pairs if value is not None])
    rows = [
        (each.name, each.value, _interval(each), release.validated.get(each.name), each.rows)
        for each in release.figures
    ]
    return "\n\n".join(filter(None, (known, text.table(("figure", "now", "95 %", "validation", "labels"), rows))))


def _estimate(found: Estimate | None) -> str | None:
    if found is None:
        return None
    if found.value is None:
        return f"no estimate: {found.reason}"
    told = f"{found.name} about {found.value:.4g} ({found.low:.4g} to {found.high:.4g}), from {found.rows:,} rows"
    return told if found.error is None else f"{told}; {found.error:+.2g} from the figure by labels"


def _interval(figure: Figure) -> str | None:
    return None if figure.low is None or figure.high is None else f"{figure.low:.4g} to {figure.high:.4g}"


@lone("segments", example="opsloop monitor segments house-prices --by region")
@click.argument("endpoint")
@click.option("--by", "feature", required=True, metavar="INPUT", help="The input whose values make the parts.")
@_days
def segments(session: Session, endpoint: str, feature: str, days: float) -> None:
    """Show traffic, movement and performance of the parts of ENDPOINT's rows."""
    with session.client() as client:
        report = client.watching.segments(endpoint, feature, window_s=max(1, int(days * DAY_S)))
    rows = [
        (
            each.name,
            each.rows,
            text.percent(each.share),
            text.percent(each.reference_share),
            None if each.shift is None else f"{each.shifted} {each.shift:+.2f} sd",
            each.figure.value if each.figure else None,
            each.labelled,
        )
        for each in report.segments
    ]
    name = next((each.figure.name for each in report.segments if each.figure), "performance")
    headings = (feature, "rows", "share", "reference", "moved", name, "labels")
    session.answer(report, text.table(headings, rows) or f"no row of {endpoint} in the last {days:g} days")


@lone("export", example="opsloop monitor export iris --as iris-served --days 30")
@click.argument("endpoint")
@click.option("--as", "dataset", required=True, metavar="DATASET", help="The dataset that gets a version.")
@click.option(
    "--days", type=click.FloatRange(0.001, 3_660), help="Of the last so many days; all that are kept if unset."
)
@click.option("--rows", type=click.IntRange(1, 200_000), help="The newest so many.")
@click.option("--with-origin", is_flag=True, help="Also request, release, prediction and time of each row.")
def export(
    session: Session, endpoint: str, dataset: str, days: float | None, rows: int | None, with_origin: bool
) -> None:
    """Make a dataset version of the rows that ENDPOINT predicted and that have labels."""
    with session.client() as client:
        found = client.watching.export(endpoint, dataset, days=days, rows=rows, origin=with_origin)
    session.answer(found, found.sentence)


COMMANDS = (drift, performance, segments, export)
