"""A diagnosis in words: for a terminal, and for a comment."""

from __future__ import annotations

from opsloop.incidents.diagnosis.models import Diagnosis, Past, Verdict

TEXT_CHARS = 300
LINES = 10


def words(found: Diagnosis) -> str:
    """ROOT_CAUSE, FIX and YAML_PATCH, then the evidence."""
    parts = [f"ROOT_CAUSE: {found.root_cause}", f"  {_sureness(found)}"]
    parts += [f"  {_by(found)}"] if _by(found) else []
    if found.fix:
        parts += ["FIX:", *(f"  {place}. {step}" for place, step in enumerate(found.fix, 1))]
    parts.append("YAML_PATCH: none" if found.yaml_patch is None else "YAML_PATCH:")
    parts += [f"  {line}" for line in (found.yaml_patch or "").splitlines()]
    if found.evidence:
        parts += ["EVIDENCE:", *(f"  {each.line}: {each.text.strip()[:TEXT_CHARS]}" for each in found.evidence[:LINES])]
    for past in found.similar:
        parts.append(f"BEFORE: {_before(past)}")
    for each in found.alternatives:
        parts += [f"OR (line {each.line}): {each.root_cause}", f"  to confirm: {each.confirm}"]
    return "\n".join(parts)


def markdown(found: Diagnosis) -> str:
    """For a pull request. What came from the log stands in code blocks, where it formats and mentions nothing."""
    parts = [
        "### Why this run failed",
        _code(found.root_cause),
        f"{_sureness(found)}.",
        _code(_by(found)) if _by(found) else "",
        "",
    ]
    parts += [f"{place}. {_plain(step)}" for place, step in enumerate(found.fix, 1)]
    if found.yaml_patch is not None:
        parts += ["", _code(found.yaml_patch, "diff")]
    if found.similar:
        parts += ["", _code("\n".join(f"before: {_before(past)}" for past in found.similar[:3]))]
    if found.evidence:
        parts += [
            "",
            _code("\n".join(f"{each.line}: {each.text.strip()[:TEXT_CHARS]}" for each in found.evidence[:LINES])),
        ]
    return "\n".join(parts) + "\n"


def _sureness(found: Diagnosis) -> str:
    said = found.verdict.value.replace("_", " ")
    if found.verdict is Verdict.NOT_A_FAILURE:
        return said
    flaky = ", may pass when run again" if found.flaky else ""
    flaky += f" ({found.flaky_because})" if found.flaky_because else ""
    where = f", step {found.step!r}" if found.step else ""
    return f"{said}, confidence {found.confidence:.2f}, {found.category}{where}{flaky}"


def _by(found: Diagnosis) -> str:
    """Who worded it, or why the model that is set did not; empty where none is set."""
    if found.note is not None:
        return f"worded by rules: {found.note}"
    _, plus, model = found.engine.partition("+")
    return f"worded by {model}, proved by the lines below" if plus else ""


def _before(past: Past) -> str:
    """One past failure: when, how like it is, what it was said to be and what it turned out to be."""
    where = f" of {past.job}" if past.job else ""
    said = past.turned_out or past.root_cause
    told = f"closed as {past.closed_as}: " if past.closed_as else ""
    return f"{past.at:%Y-%m-%d}{where}, {past.share:.0%} alike: {told}{said[:TEXT_CHARS]}"


def _code(text: str, kind: str = "text") -> str:
    longest = max((len(run) for run in _runs(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"


def _runs(text: str) -> list[str]:
    return "".join(letter if letter == "`" else " " for letter in text).split()


def _plain(text: str) -> str:
    """Mentions, links, tags and images of a hostile log have no effect."""
    return "".join(f"&#{ord(letter)};" if letter in "@<>[]!#" else letter for letter in text)
