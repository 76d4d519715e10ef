"""Charts as inline SVG, drawn from the figures. Colours come from the page, so that they fit light, dark and paper."""

import math
from html import escape

from promptflow.core import tool
from wording import count, month_name, share

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 100, 16, 30
BAR, GAP, NAMES, ENDS = 20, 14, 110, 70


@tool
def charts(figures: dict) -> dict:
    """The charts by name; each is a figure of its own, readable without the others."""
    months = [each["month"] for each in figures["history"]]
    return {
        "tickets": lines(
            "Tickets opened and solved, by month",
            months,
            [("opened", "a", [each["opened"] for each in figures["history"]]),
             ("solved", "b", [each["solved"] for each in figures["history"]])],
            count,
        ),
        "shares": lines(
            "Solved in time and satisfied customers, by month, in percent",
            months,
            [("in time", "a", [each["in_time"] for each in figures["history"]]),
             ("satisfied", "b", [each["satisfied"] for each in figures["history"]])],
            share,
        ),
        "regions": bars(
            f"Solved in time by region, {month_name(figures['month'])}, in percent",
            [(each["region"], each["in_time"]) for each in figures["regions"]],
            figures["target"],
        ),
    }


def lines(title: str, months: list, series: list, shown) -> str:
    """Lines over months, each named at its end."""
    series = [each for each in series if any(value is not None for value in each[2])]
    values = [value for _, _, line in series for value in line if value is not None]
    if not values:
        return ""
    low, high, step = scale(min(values), max(values))
    steps = [low + step * number for number in range(round((high - low) / step) + 1)]

    def x(place: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place / (len(months) - 1) if len(months) > 1 else 0.5)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    parts = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(at):.1f}" y2="{y(at):.1f}"/>'
        f'<text class="tick" x="{LEFT - 8}" y="{y(at) + 4:.1f}" text-anchor="end">{at:,.0f}</text>'
        for at in steps
    ]
    parts += [
        f'<text class="tick" x="{x(place):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{month_name(month)[:3]}</text>'
        for place, month in enumerate(months)
    ]
    ends = apart([y(next(value for value in reversed(line) if value is not None)) for _, _, line in series])
    for (name, kind, line), end in zip(series, ends):
        there = [(x(place), y(value), value, place) for place, value in enumerate(line) if value is not None]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down, _, _ in there)
        parts.append(f'<polyline class="line {kind}" points="{path}"/>')
        parts += [
            f'<circle class="dot {kind}" cx="{across:.1f}" cy="{down:.1f}" r="3">'
            f"<title>{month_name(months[place])}: {shown(value)} {escape(name)}</title></circle>"
            for across, down, value, place in there
        ]
        parts.append(f'<text class="name {kind}" x="{there[-1][0] + 10:.1f}" y="{end + 4:.1f}">{escape(name)}</text>')
    return svg(title, HEIGHT, parts)


def bars(title: str, values: list, target: float) -> str:
    """A bar for each name, from 0 to 100, and a line for the target."""
    height = TOP + len(values) * (BAR + GAP) + BOTTOM

    def x(value: float) -> float:
        return NAMES + (WIDTH - NAMES - ENDS) * value / 100

    parts = []
    for place, (name, value) in enumerate(values):
        top = TOP + place * (BAR + GAP)
        parts.append(f'<text class="label" x="{NAMES - 10}" y="{top + 15}" text-anchor="end">{escape(short(name))}</text>')
        if value is not None:
            kind = "low" if value < target else "a"
            parts.append(f'<rect class="bar {kind}" x="{NAMES}" y="{top}" width="{x(value) - NAMES:.1f}" height="{BAR}"/>')
        end = max(x(value or 0), x(target)) + 8
        parts.append(f'<text class="label" x="{end:.1f}" y="{top + 15}">{share(value)}</text>')
    bottom = height - BOTTOM
    parts.append(f'<line class="target" x1="{x(target):.1f}" x2="{x(target):.1f}" y1="{TOP - 6}" y2="{bottom}"/>')
    parts.append(f'<text class="tick" x="{x(target):.1f}" y="{bottom + 16}" text-anchor="middle">target {share(target)}</text>')
    return svg(title, height, parts)


def svg(title: str, height: int, parts: list) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def scale(low: float, high: float) -> tuple:
    """Round ends and a round step around values, with three to six steps between."""
    spread = max(high - low, abs(high) * 0.02, 1)
    rough = spread / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    step = max(step, 1)
    return math.floor(low / step) * step, math.ceil((high + step * 0.1) / step) * step, step


def apart(places: list, least: float = 16) -> list:
    """Places moved down so that names at them do not cover each other."""
    moved, last = {}, -math.inf
    for number in sorted(range(len(places)), key=lambda each: places[each]):
        last = moved[number] = max(places[number], last + least)
    return [moved[number] for number in range(len(places))]


def short(name: str, most: int = 14) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
