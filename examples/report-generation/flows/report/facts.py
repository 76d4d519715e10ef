"""The figures as sentences: what the model may say, and what stands in for it when it says something else."""

from promptflow.core import tool
from wording import count, joined, month_name, share, than


@tool
def facts(figures: dict) -> dict:
    """Sentences on all regions together and on single ones, for the model's two tasks."""
    return {
        "month": month_name(figures["month"]),
        "overall": overall(figures),
        "regions": regions(figures),
        "figures": figures,
    }


def overall(figures: dict) -> list:
    now, when, before = figures["overall"], month_name(figures["month"]), month_name(figures["month_before"])
    changes = [
        than(now["opened_change"], "%", "more", "fewer", before),
        than(now["opened_change_year"], "%", "more", "fewer", month_name(figures["year_before"])),
    ]
    opened = f"In {when} customers opened {count(now['opened'])} tickets in all regions together"
    sentences = [", ".join([opened, *([joined(found)] if (found := [each for each in changes if each]) else [])]) + "."]
    if now["in_time"] is not None:
        change = than(now["in_time_points"], "points", "more", "less", before)
        sentences.append(
            f"Of the {count(now['solved'])} tickets that were solved in all regions together in {when}, "
            f"{share(now['in_time'])} were solved in time{', ' + change if change else ''}."
        )
    if now["satisfied"] is not None:
        change = than(now["satisfied_points"], "points", "more", "less", before)
        sentences.append(
            f"Of the {count(now['answers'])} customers who answered the survey in {when}, {share(now['satisfied'])} "
            f"were satisfied{', ' + change if change else ''}."
        )
    return sentences


def regions(figures: dict) -> list:
    when, target = month_name(figures["month"]), share(figures["target"])
    by_name = {each["region"]: each for each in figures["regions"]}
    if not figures["below_target"]:
        return [f"No region needs attention in {when}: each solved at least {target} of its tickets in time."]
    return [needs_attention(by_name[region], when, target) for region in figures["below_target"]]


def needs_attention(region: dict, when: str, target: str) -> str:
    said = f"{region['region']} needs attention in {when}: it solved {share(region['in_time'])} of its tickets in time"
    said += f", and the target is {target}"
    if region["backlog_change"]:
        grew = "grew" if region["backlog_change"] > 0 else "shrank"
        said += f"; its backlog {grew} by {count(abs(region['backlog_change']))} to {count(region['backlog'])} tickets"
    return said + "."
