"""Which rows can be used, and what is wrong with the others. Bad rows are left out and named, never guessed at."""

import re

from promptflow.core import tool
from promptflow.exceptions import UserErrorException

COUNTS = ("tickets_opened", "tickets_solved", "solved_in_time", "survey_answers", "satisfied", "backlog")
COLUMNS = ("month", "region", *COUNTS)
PARTS = (("solved_in_time", "tickets_solved"), ("satisfied", "survey_answers"))
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@tool
def validate(rows: list, month: str) -> dict:
    """`rows` that hold, as text and whole numbers, and `notes` on the others."""
    if not MONTH.fullmatch(month):
        raise UserErrorException(f"month is {month!r}; wanted a month such as 2025-06")
    if not rows:
        raise UserErrorException("the figures are empty; wanted a header and at least one row")
    missing = [name for name in COLUMNS if name not in rows[0]]
    if missing:
        raise UserErrorException(f"the figures have no column {', '.join(missing)}; wanted {', '.join(COLUMNS)}")
    used, notes = {}, []
    for number, given in enumerate(rows, start=1):
        row, problem = checked(given)
        key = (row["month"], row["region"])
        if problem is None and key in used:
            problem = "is there twice, and the first one is used"
        if problem is None:
            used[key] = row
        elif not MONTH.fullmatch(row["month"]) or months_between(row["month"], month) in range(13):
            notes.append(f"Row {number} ({row['region'] or 'no region'}, {row['month'] or 'no month'}) {problem}.")
    found = sorted({row["month"] for row in used.values()})
    if month not in found:
        there = f"the figures go from {found[0]} to {found[-1]}" if found else "no row can be used"
        raise UserErrorException(f"there are no figures for {month}; {there}")
    return {"rows": list(used.values()), "notes": notes + absent(used.values(), month)}


def checked(given: dict) -> tuple:
    """A row with its counts as whole numbers, and what is wrong with it or None."""
    row = {name: str(given.get(name) if given.get(name) is not None else "").strip() for name in COLUMNS}
    if not MONTH.fullmatch(row["month"]):
        return row, "has no month such as 2025-06"
    if not row["region"]:
        return row, "has no region"
    for name in COUNTS:
        if not re.fullmatch(r"\d{1,12}(\.0+)?", row[name]):
            return row, f"has {row[name]!r} as {name}, which is no count"
        row[name] = int(float(row[name]))
    for part, whole in PARTS:
        if row[part] > row[whole]:
            return row, f"has more {part} ({row[part]}) than {whole} ({row[whole]})"
    return row, None


def absent(rows, month: str) -> list:
    """Regions that had figures in the month before and have none now."""
    here = {row["region"] for row in rows if row["month"] == month}
    before = {row["region"] for row in rows if months_between(row["month"], month) == 1}
    return [f"{region} has no figures for {month}." for region in sorted(before - here)]


def months_between(earlier: str, later: str) -> int:
    """How many months the second month is after the first; negative when it is before."""
    first, second = (int(month[:4]) * 12 + int(month[5:]) for month in (earlier, later))
    return second - first
