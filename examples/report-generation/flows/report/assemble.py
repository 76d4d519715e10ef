"""The report, as Markdown and as one HTML page that needs nothing beside it."""

from html import escape
from pathlib import Path

from promptflow.core import tool
from wording import count, joined, month_name, share, signed

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
HEADERS = ("Region", "Opened", "Change", "Solved", "In time", "Satisfied", "Backlog")


@tool
def assemble(figures: dict, checked: dict, charts: dict, notes: list) -> dict:
    """`markdown`, `html`, and the titles of their `sections`."""
    parts = sections(figures, checked, charts, [*notes, *left_out(checked["left_out"])])
    title = f"Support in {month_name(figures['month'])}"
    return {
        "markdown": "\n\n".join([f"# {title}", *(f"## {name}\n\n{markdown}" for name, markdown, _ in parts)]) + "\n",
        "html": page(title, figures, parts),
        "sections": "; ".join(name for name, _, _ in parts),
    }


def sections(figures: dict, checked: dict, charts: dict, notes: list) -> list:
    """What the report consists of: title, Markdown and HTML of each section."""
    summary, attention = checked["summary"], checked["attention"]
    found = [("Summary", plain(summary), f"<p class='lead'>{shown(summary)}</p>{tiles(figures)}")]
    if figures["below_target"]:
        found.append(("Needs attention", plain(attention), f"<p class='alert'>{shown(attention)}</p>"))
    table = rows_of(figures)
    found.append(("Regions", markdown_table(table), html_table(table, "Regions") + drawing(charts["regions"])))
    if len(figures["history"]) > 1:
        table = history_of(figures)
        drawn = f"<div class='charts'>{drawing(charts['tickets'])}{drawing(charts['shares'])}</div>"
        drawn += f"<details><summary>The same as a table</summary>{html_table(table, 'Twelve months')}</details>"
        found.append(("Twelve months", markdown_table(table), drawn))
    if notes:
        listed = "".join(f"<li>{shown(note)}</li>" for note in notes)
        found.append(("Data quality", "\n".join(f"- {plain(note)}" for note in notes), f"<ul>{listed}</ul>"))
    return found


def left_out(sentences: list) -> list:
    if not sentences:
        return []
    number = "One sentence" if len(sentences) == 1 else f"{len(sentences)} sentences"
    return [f"{number} of the text had no figure, or one that is not in the data, and was left out."]


def rows_of(figures: dict) -> list:
    regions = [("All regions", figures["overall"]), *((each["region"], each) for each in figures["regions"])]
    return [
        HEADERS,
        *(
            (
                name,
                count(each["opened"]),
                signed(each["opened_change"], "%"),
                count(each["solved"]),
                share(each["in_time"]),
                share(each["satisfied"]),
                count(each["backlog"]),
            )
            for name, each in regions
        ),
    ]


def history_of(figures: dict) -> list:
    return [
        ("Month", "Opened", "Solved", "In time", "Satisfied", "Backlog"),
        *(
            (
                month_name(each["month"]),
                count(each["opened"]),
                count(each["solved"]),
                share(each["in_time"]),
                share(each["satisfied"]),
                count(each["backlog"]),
            )
            for each in figures["history"]
        ),
    ]


def markdown_table(rows: list) -> str:
    ruled = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
    return "\n".join(f"| {' | '.join(plain(cell) for cell in row)} |" for row in ruled)


def html_table(rows: list, name: str) -> str:
    head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in rows[0])
    body = "".join(
        f"<tr><th scope='row'>{escape(row[0])}</th>{''.join(f'<td>{shown(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows[1:]
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='wide' role='region' tabindex='0' aria-label='{name}, table'>{table}</div>"


def tiles(figures: dict) -> str:
    """The four figures that are looked for first."""
    now = figures["overall"]
    found = [
        ("Tickets opened", count(now["opened"]), signed(now["opened_change"], "%")),
        ("Solved in time", share(now["in_time"]), signed(now["in_time_points"], "points")),
        ("Satisfied customers", share(now["satisfied"]), signed(now["satisfied_points"], "points")),
        ("Backlog", count(now["backlog"]), signed(now["backlog_change"])),
    ]
    before = month_name(figures["month_before"])
    parts = [
        f"<div><dt>{name}</dt><dd>{shown(value)}</dd><dd class='change'>{shown(change)} against {before}</dd></div>"
        for name, value, change in found
    ]
    return f"<dl class='tiles'>{''.join(parts)}</dl>"


def drawing(svg: str) -> str:
    title = svg.partition("<title>")[2].partition("</title>")[0]
    return f"<figure>{svg}<figcaption>{title}</figcaption></figure>" if svg else ""


def page(title: str, figures: dict, parts: list) -> str:
    main = "".join(f"<section><h2>{escape(name)}</h2>{html}</section>" for name, _, html in parts)
    regions = joined([each["region"] for each in figures["regions"]])
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        f"<header><h1>{escape(title)}</h1><p>{escape(regions)}</p></header>{main}"
        "<footer>Every figure is computed from the data; the sentences are checked against them.</footer>"
        "</main></body></html>\n"
    )


def shown(text: str) -> str:
    """Text for HTML; a percent sign stays with its number."""
    return escape(text).replace(" %", "&nbsp;%")


def plain(text: str) -> str:
    """Text that Markdown does not read as anything else, on one line."""
    line = " ".join(text.split())
    for sign in "\\|<>[]*_`#":
        line = line.replace(sign, f"\\{sign}")
    return line
