"""From a log to a diagnosis, with no network and no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis import confidence, known, systems
from opsloop.incidents.diagnosis.known import Match, Signature
from opsloop.incidents.diagnosis.models import Alternative, Diagnosis, Evidence, Verdict
from opsloop.incidents.diagnosis.ranking import failing_step, ranked
from opsloop.incidents.diagnosis.reading import whole
from opsloop.incidents.diagnosis.redaction import shown, without_secrets
from opsloop.incidents.diagnosis.regions import Regions
from opsloop.incidents.diagnosis.scanning import Found, Scan, Step, scan

# A best line below this only holds a word such as "error".
TELLING = 4.5
EVIDENCE = 30
ALTERNATIVES = 2
# How far below the best line a known cause may stand and still be the one that is named.
REACH = 2.5
STEP_CHARS = 200

_GENERAL = (
    "Read the first evidence line and the lines around it.",
    "Compare with the last run that passed: `--healthy FILE` leaves only what is new.",
)


@dataclass(frozen=True, slots=True)
class Examined:
    """A diagnosis with what it was made from.

    Args:
        lines: the failing region, by number: the most telling lines and those around them, as an answer shows them,
            the ones worth most first. Empty unless it was asked for.
        new: those of its lines that no healthy run prints; None without one.
        workflow: the text that was given.
    """

    diagnosis: Diagnosis
    lines: Mapping[int, str]
    new: frozenset[int] | None
    workflow: str | None
    workflow_name: str


def diagnose(
    blocks: Iterable[bytes],
    *,
    named: str | None = None,
    healthy: frozenset[str] | None = None,
    workflow: str | None = None,
    workflow_name: str = "workflow.yml",
    signatures: Sequence[Signature] | None = None,
) -> Diagnosis:
    """What broke, from the log's bytes; memory does not grow with the log.

    Args:
        named: the provider; default: what the log looks like.
        healthy: `healthy.forms_of` runs that passed.
        workflow: the text of the workflow or manifest; without it there is no patch.
    Raises: InvalidInput for a provider that is not there, or a workflow that is no YAML.
    """
    return examine(
        blocks,
        named=named,
        healthy=healthy,
        workflow=workflow,
        workflow_name=workflow_name,
        signatures=signatures,
        regions=False,
    ).diagnosis


def examine(
    blocks: Iterable[bytes],
    *,
    named: str | None = None,
    healthy: frozenset[str] | None = None,
    workflow: str | None = None,
    workflow_name: str = "workflow.yml",
    signatures: Sequence[Signature] | None = None,
    regions: bool = True,
) -> Examined:
    """As `diagnose`, with the failing region for whoever goes on from there. Raises: as `diagnose`."""
    if named is not None and named not in systems.known():
        raise InvalidInput(field="provider", value=named, wanted=f"one of {', '.join(sorted(systems.known()))}")
    causes = known.ours() if signatures is None else signatures
    around = Regions() if regions else None
    seen = scan(blocks, named=named, healthy=healthy, extra=known.marks_of(causes), around=around)
    best = ranked(seen, is_compared=healthy is not None)
    found = conclude(seen, best, causes=causes, workflow=workflow, name=workflow_name)
    lines = {each.line: each.text for each in found.evidence}
    if around is not None:
        lines |= {n: shown(raw) for n, raw in around.lines(list(lines)).items() if n not in lines}
    new = None if healthy is None else frozenset(each.line for each in seen.found if each.is_new) & lines.keys()
    return Examined(found, lines, new, workflow, workflow_name)


def conclude(
    seen: Scan, best: list[Found], *, causes: Sequence[Signature], workflow: str | None, name: str
) -> Diagnosis:
    from opsloop.incidents.diagnosis.patches import making

    step = failing_step(seen)
    if workflow is not None:
        making.read(workflow)
    best = [replace(each, text=shown(each.raw)) if each.raw else each for each in best]
    best = _known_first(best, causes)
    if not best or best[0].weight < TELLING or (seen.succeeded and step is None and best[0].weight < 9.5):
        return _nothing(seen, best, step)
    matches = [(each, known.match(each.text, causes)) for each in best]
    top, found = next(
        ((line, each) for line, each in matches if each is not None and line.weight > best[0].weight - REACH),
        (best[0], None),
    )
    behind = next((each.weight for each in best if each.mark is not top.mark), 0.0)
    share = confidence.of(best[0].weight, max(0.0, best[0].weight - behind))
    patch = making.make(workflow, found, seen, name=name) if workflow is not None and found is not None else None
    lines = [top, *(each for each in best if each is not top)][:EVIDENCE]
    return Diagnosis(
        verdict=_verdict(share, found),
        root_cause=found.fill(found.signature.root_cause) if found else f"Line {top.line}: {top.text.strip()[:300]}",
        fix=tuple(found.fill(each) for each in found.signature.fix) if found else _GENERAL,
        yaml_patch=patch,
        evidence=tuple(Evidence(each.line, each.text) for each in lines),
        confidence=share,
        category=found.signature.category if found else "unknown",
        flaky=found.signature.flaky if found else False,
        alternatives=_alternatives(matches, found),
        engine="rules",
        provider=seen.provider,
        step=_named(step, seen),
        exit_code=step.exit_code if step else None,
        lines=seen.lines,
        signature=found.signature.name if found else None,
    )


def _known_first(best: list[Found], causes: Sequence[Signature]) -> list[Found]:
    """Where no line tells by its form alone, one that a signature fits comes first."""
    if not best or best[0].weight >= TELLING:
        return best
    fits = next((each for each in best if known.match(each.text, causes) is not None), None)
    if fits is None:
        return best
    return [replace(fits, weight=TELLING), *(each for each in best if each is not fits)]


def _verdict(share: float, found: Match | None) -> Verdict:
    if share >= confidence.CONFIRMED and found is not None:
        return Verdict.CONFIRMED
    return Verdict.LIKELY if share >= confidence.LIKELY else Verdict.INCONCLUSIVE


def _alternatives(matches: list[tuple[Found, Match | None]], chosen: Match | None) -> tuple[Alternative, ...]:
    others: dict[str, Alternative] = {}
    for line, each in matches:
        if each is None or (chosen is not None and each.signature.name == chosen.signature.name):
            continue
        signature = each.signature
        others.setdefault(
            signature.name, Alternative(each.fill(signature.root_cause), each.fill(signature.confirm), line.line)
        )
    return tuple(others.values())[:ALTERNATIVES]


def _named(step: Step | None, seen: Scan) -> str | None:
    """A step's name, read from its whole line: a secret that is cut in two is not known as one."""
    if step is None or step.name is None:
        return None
    form = systems.known()[seen.provider].step
    found = form.search(without_secrets(whole(step.raw))) if form is not None else None
    names = [value for value in found.groupdict().values() if value] if found is not None else []
    return (names[0] if names else without_secrets(step.name))[:STEP_CHARS]


def _nothing(seen: Scan, best: list[Found], step: Step | None) -> Diagnosis:
    failed = step is not None and not (step.exit_code is None and seen.succeeded)
    return Diagnosis(
        verdict=Verdict.INCONCLUSIVE if failed or (not seen.succeeded and best) else Verdict.NOT_A_FAILURE,
        root_cause="The log says that a step failed and holds no line that says why."
        if failed
        else "Nothing in this log says that something failed.",
        fix=("Give the log of the whole job, or the service's own log of that time.",) if failed else (),
        yaml_patch=None,
        evidence=tuple(Evidence(each.line, each.text) for each in best[:EVIDENCE]) if failed or best else (),
        confidence=0.2 if failed else 0.5,
        category="unknown" if failed else "none",
        flaky=False,
        alternatives=(),
        engine="rules",
        provider=seen.provider,
        step=_named(step, seen),
        exit_code=step.exit_code if step else None,
        lines=seen.lines,
    )
