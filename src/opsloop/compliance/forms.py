"""The report as one JSON document and as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

import msgspec

from opsloop.compliance.models import EndpointReport, ReleaseServed, Report

CSP = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8886;overflow-wrap:anywhere}
h2{margin-top:2.5rem}h3{margin-top:1.5rem}code{font-size:.9em}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}
"""
Cells = Sequence[object]


def as_json(report: Report) -> str:
    """Two spaces deep, keys in the order of the schema, a line break at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def schema() -> str:
    return json.dumps(msgspec.json.schema(Report), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def as_html(report: Report) -> str:
    """Everything in it is escaped: names and reasons are what people typed."""
    period = f"{_at(report.period.since)} to {_at(report.period.until)} UTC"
    parts = [
        f"<h1>Report for an audit</h1><p>{escape(period)}</p>",
        _trail(report),
        *(_endpoint(each) for each in report.endpoints),
        _alerts(report),
        _feedback(report),
        _decisions(report),
        _keys(report),
    ]
    if report.cut:
        parts.append(f"<p>Only the newest are here of: {escape(', '.join(report.cut))}.</p>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CSP}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Report for an audit, {escape(period)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _trail(report: Report) -> str:
    found = report.trail
    said = (
        f"The record holds: {found.events:,} events and {found.checkpoints:,} signatures, every one checked."
        if found.ok
        else f"The record does not hold from event {found.broken_at} on: {found.reason}"
    )
    counts = _table(("Action", "Times"), [(name, f"{times:,}") for name, times in report.actions.items()])
    return f"<h2>The record</h2><p>{escape(said)}</p><p>Head <code>{escape(found.head)}</code></p>{counts}"


def _endpoint(endpoint: EndpointReport) -> str:
    lines = [(_release_name(each), each.serves, *_origin(each), _ways(each)) for each in endpoint.releases]
    kept = [
        (
            each.name,
            _value(each.value, each.name),
            f"{each.within_ms} ms" if each.name.startswith("mean_latency") else f"{100 * each.target:.6g} %",
            f"{each.bad:,} of {each.total:,}",
            {True: "met", False: "missed", None: "nothing counted"}[each.is_met],
        )
        for each in endpoint.objectives
    ]
    raised = [
        (_at(each.opened_at), each.kind, each.sentence, each.state, each.reason or "") for each in endpoint.alarms
    ]
    return (
        f"<h2>Endpoint {escape(endpoint.name)}</h2>"
        f"<h3>What ran</h3>{_table(('Release', 'Serves', 'Data', 'Gate', 'Made', 'Rollouts'), lines)}"
        f"<h3>Objectives</h3>{_table(('Objective', 'Value', 'Target', 'Bad', 'State'), kept)}"
        f"<p>Guardrail hits: {endpoint.guardrail_hits:,}. Personal data in sampled answers: {endpoint.leaks:,}.</p>"
        f"<h3>Alarms</h3>{_table(('At (UTC)', 'Kind', 'What', 'State', 'Reason'), raised)}"
    )


def _release_name(release: ReleaseServed) -> str:
    return f"{release.number}{', stable' if release.is_stable else ''}"


def _origin(release: ReleaseServed) -> tuple[str, str, str]:
    data = "; ".join(f"{each.role} {each.ref}" for each in release.data) or "not known"
    gate = "none" if release.gate is None else f"{release.gate.verdict}: {release.gate.sentence}"
    return data, gate, f"{_at(release.made_at)} by {release.made_by}"


def _ways(release: ReleaseServed) -> str:
    said = [
        f"{each.strategy} from {_at(each.started_at)}: {each.status.replace('_', ' ')}, {each.reason} "
        f"({', '.join(each.by)})"
        for each in release.rollouts
    ]
    return "; ".join(said) or "none in this period"


def _alerts(report: Report) -> str:
    lines = [
        (_at(each.started_at), each.endpoint, each.rule, each.severity, each.summary, each.state, each.acknowledged_by)
        for each in report.alerts
    ]
    heads = ("Since (UTC)", "Endpoint", "Rule", "Severity", "What", "State", "Acknowledged by")
    return f"<h2>Alerts</h2>{_table(heads, lines)}"


def _feedback(report: Report) -> str:
    found = report.feedback
    said = "Nobody said anything."
    if found.satisfaction is not None:
        said = f"{100 * found.satisfaction:.3g} % of {found.count:,} were satisfied; {found.comments:,} left words."
    return f"<h2>Feedback</h2><p>{said}</p>"


def _decisions(report: Report) -> str:
    lines = [
        (each.seq, each.at[:19].replace("T", " "), each.actor, each.action, each.target, each.detail.get("reason", ""))
        for each in report.decisions
    ]
    return f"<h2>Who decided</h2>{_table(('Event', 'At (UTC)', 'Who', 'Did', 'To', 'Reason'), lines)}"


def _keys(report: Report) -> str:
    lines = [
        (each.name, each.role, _at(each.created_at), _at(each.expires_at), _at(each.revoked_at)) for each in report.keys
    ]
    return f"<h2>Keys and roles</h2>{_table(('Key', 'Role', 'Made', 'Expires', 'Revoked'), lines)}"


def _table(heads: Sequence[str], rows: Iterable[Cells]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in rows)
    if not body:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value))


def _value(value: float | None, name: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} ms" if name.startswith("mean_latency") else f"{100 * value:.6g} %"


def _at(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")
