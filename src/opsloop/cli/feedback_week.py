"""The report of a week as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsloop.cli import text

if TYPE_CHECKING:
    from opsloop.feedback.surveys.models import Rate
    from opsloop.improvement.themes.models import Theme, Themes
    from opsloop.improvement.weeks.models import Change, WeekReport

_HOW = {
    "clusters": "grouped by meaning",
    "words": "grouped by shared words; `pip install 'opsloop[rag]'` groups them by meaning",
    "none": "too few texts to group",
}


def words(report: WeekReport) -> str:
    parts = [report.sentence if report.is_over else f"{report.sentence} (so far)"]
    lines = [
        (
            line.endpoint or "(no record)",
            line.number,
            share(line.satisfaction),
            share(line.response),
            line.tickets,
            change(line.change),
        )
        for line in (*report.endpoints, *(each for each in report.releases if each.release))
    ]
    parts.append(text.table(("endpoint", "release", "satisfied", "rated", "tickets", "against the week before"), lines))
    surveys = [
        (each.survey, share(each.response), share(each.csat), "-" if each.nps is None else f"{each.nps:+.0f}")
        for each in report.surveys
    ]
    parts.append(text.table(("survey", "answered", "csat", "nps"), surveys))
    parts.append(f"Themes of {report.themes.texts} texts ({_HOW[report.themes.method]})" if report.themes.texts else "")
    parts.append(_themes(report.themes))
    worst = [(each.request_id, each.endpoint, each.score, each.said, each.tickets) for each in report.worst]
    parts.append(text.table(("worst answer", "endpoint", "score", "said", "tickets"), worst))
    return "\n\n".join(part for part in parts if part)


def share(rate: Rate) -> str:
    """A share with its interval."""
    if rate.share is None:
        return "-"
    return f"{text.percent(rate.share)} ({text.percent(rate.low)} to {text.percent(rate.high)}) of {rate.of}"


def change(found: Change | None) -> str:
    if found is None:
        return "-"
    said = f"{100 * found.difference:+.0f} points ({100 * found.low:+.0f} to {100 * found.high:+.0f})"
    return said if found.is_clear else f"{said}, may be chance"


def _themes(found: Themes) -> str:
    rows = [(each.name, each.size, _trend(each), each.id) for each in found.themes]
    return text.table(("theme", "size", "trend", "id"), rows)


def _trend(theme: Theme) -> str:
    return "new" if theme.before is None else f"{theme.size - theme.before:+d}"
