"""The draft as one HTML file that needs nothing else: no script, no picture, no address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from opsloop.incidents.models import Incident
from opsloop.incidents.postmortem import facts
from opsloop.incidents.postmortem.repairs import Repair

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#14181f;"
    "background:#fff}table{border-collapse:collapse}td,th{border:1px solid #c9ced6;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{background:#0f1217;color:#e6e9ee}}"
)


def of(incident: Incident, *, now: datetime) -> str:
    found = facts.of(incident, now=now)
    title = f"Postmortem (draft): {escape(found.title)}"
    parts = [
        f"<h1>{title}</h1><p>{escape(found.summary)}</p>",
        f"<h2>Impact</h2>{_table(('figure', 'value'), found.impact)}",
        f"<h2>Root cause</h2><p>{escape(found.root_cause)}</p>",
        f"<h2>Suspects</h2>{_suspects(incident)}",
        f"<h2>How long it took</h2>{_table(('since it began', 'time'), found.phases)}",
        f"<h2>Repairs</h2>{_repairs(found.repairs)}",
        "<h2>What was done</h2>" + _list([f"{each.at:%H:%M:%S}Z {each.text} ({each.by})" for each in found.done]),
        f"<h2>What to learn</h2>{_list(found.lessons)}",
        "<h2>Timeline</h2>"
        + _table(
            ("when", "what", "words"),
            [(f"{each.at:%Y-%m-%d %H:%M:%S}Z", each.kind, each.text) for each in incident.timeline],
        ),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{"".join(parts)}</body></html>'
    )


def _suspects(incident: Incident) -> str:
    rows = [
        (each.name, f"{each.score:.2f}", "; ".join(each.evidence), "; ".join(each.counter_evidence) or "-")
        for each in incident.suspects
    ]
    return _table(("suspect", "score", "for it", "against it"), rows) if rows else "<p>None.</p>"


def _repairs(repairs: Sequence[Repair]) -> str:
    rows = [
        (
            f"{each.title} (level {each.level})",
            each.who,
            f"{each.acted_at:%H:%M:%S}Z {each.did}" if each.acted_at is not None else "-",
            "; ".join(each.checked) or "-",
            f"{each.state}: {each.outcome}" if each.state else "it goes on",
        )
        for each in repairs
    ]
    return _table(("repair", "who said yes", "did", "checked", "ended"), rows) if rows else "<p>None.</p>"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in lines)}</ul>" if lines else "<p>Nothing.</p>"
