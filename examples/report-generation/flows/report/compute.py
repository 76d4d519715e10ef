"""The figures of the report. Shares are of all tickets and all answers together, never means of the regions' shares."""

from promptflow.core import tool

MONTHS = 12


@tool
def compute(rows: list, month: str, target: float) -> dict:
    """What the report says in numbers: overall, by region, and over twelve months; shares in percent."""
    before, year_before = shifted(month, -1), shifted(month, -12)
    regions = sorted({row["region"] for row in rows if row["month"] == month})
    by_region = [
        {"region": region, **compared([row for row in rows if row["region"] == region], month, before, year_before)}
        for region in regions
    ]
    below = [each for each in by_region if each["in_time"] is not None and each["in_time"] < target]
    return {
        "month": month,
        "month_before": before,
        "year_before": year_before,
        "target": round(target, 1),
        "overall": compared(rows, month, before, year_before),
        "regions": by_region,
        "below_target": [each["region"] for each in sorted(below, key=lambda each: each["in_time"])],
        "history": history(rows, month),
    }


def compared(rows: list, month: str, before: str, year_before: str) -> dict:
    """The figures of a month, and how they differ from a month and from a year before."""
    now, last, earlier = (summed(rows, each) for each in (month, before, year_before))
    return {
        **now,
        "opened_change": change(now["opened"], last["opened"]),
        "opened_change_year": change(now["opened"], earlier["opened"]),
        "in_time_points": difference(now["in_time"], last["in_time"]),
        "satisfied_points": difference(now["satisfied"], last["satisfied"]),
        "backlog_change": difference(now["backlog"], last["backlog"]),
    }


def summed(rows: list, month: str) -> dict:
    """The sums of a month over the rows given; None where the month has no rows."""
    found = [row for row in rows if row["month"] == month]

    def total(name: str):
        return sum(row[name] for row in found) if found else None

    return {
        "opened": total("tickets_opened"),
        "solved": total("tickets_solved"),
        "in_time": percent(total("solved_in_time"), total("tickets_solved")),
        "satisfied": percent(total("satisfied"), total("survey_answers")),
        "answers": total("survey_answers"),
        "backlog": total("backlog"),
    }


def history(rows: list, month: str) -> list:
    """The last twelve months that have figures, oldest first."""
    months = [shifted(month, -step) for step in reversed(range(MONTHS))]
    there = {row["month"] for row in rows}
    return [{"month": each, **summed(rows, each)} for each in months if each in there]


def percent(part, whole):
    return tenths(100 * part, whole) if whole else None


def change(now, before):
    """By how many percent of what was before."""
    return None if now is None or not before else tenths(100 * (now - before), before)


def difference(now, before):
    return None if now is None or before is None else round(now - before, 1)


def tenths(part: int, whole: int) -> float:
    """`part / whole` to one place after the point; halves go away from 0, as people round."""
    size = (20 * abs(part) + whole) // (2 * whole) / 10
    return -size if part < 0 else size


def shifted(month: str, by: int) -> str:
    months = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{months // 12:04d}-{months % 12 + 1:02d}"
