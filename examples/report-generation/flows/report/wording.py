"""Figures as people read them: the same in the sentences, the tables and the charts."""

NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)


def month_name(month: str) -> str:
    return f"{NAMES[int(month[5:]) - 1]} {month[:4]}"


def count(value) -> str:
    return "–" if value is None else f"{value:,}"


def share(value) -> str:
    return "–" if value is None else f"{value:.1f} %"


def signed(value, unit: str = "") -> str:
    """A change with its sign: `+1.2 points`, `−84`, `±0`."""
    if value is None:
        return "–"
    size = f"{abs(value):,}" if isinstance(value, int) else f"{abs(value):,.1f}"
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{size}{f' {unit}' if unit else ''}"


def than(value, unit: str, more: str, less: str, when: str) -> str:
    """A change in words: `6.3 % more than in May 2025`; nothing when there is nothing to compare with."""
    if value is None:
        return ""
    if not value:
        return f"as many as in {when}" if unit == "%" else f"the same as in {when}"
    return f"{abs(value):.1f} {unit} {more if value > 0 else less} than in {when}"


def joined(parts: list, last: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""
