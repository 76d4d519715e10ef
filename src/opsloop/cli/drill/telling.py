"""What a drill says of models, incidents and repairs, each with where the console shows it."""

from __future__ import annotations

from opsloop.cli import story
from opsloop.cli.drill.trouble import WrongModel
from opsloop.incidents.models import Incident
from opsloop.releases.models import Released
from opsloop.remediation.models import Remediation, State

_COLOURS = {State.HELPED: "green", State.UNDONE: "yellow"}


def learned(wrong: WrongModel) -> None:
    story.step("train", f"{wrong.model} learned {wrong.data}")
    story.gate(wrong.gate)


def released(made: Released, endpoint: str) -> None:
    story.step("release", f"{endpoint} serves release {made.release.number} ({made.release.serves})")


def incident(found: Incident, url: str) -> None:
    first, suspects = found.suspects[0].name, len(found.suspects)
    said = f"the only suspect is {first}" if suspects == 1 else f"the first of {suspects} suspects is {first}"
    closed = "; closed as that" if found.cause == first else ""
    story.step("incident", f"{found.title}: {said}{closed}")
    story.step("", f"{url}/incidents/{found.id}")


def repair(found: Remediation, url: str) -> None:
    what = found.preview.sentence if found.preview is not None else found.title
    story.step("repair", f"{found.title} (level {found.level.value}): {what}")
    story.step("", f"{url}/remediations/{found.id}")


def ended(found: Remediation) -> None:
    worse = next((each.sentence for each in found.findings if each.verdict == "worse"), "")
    said = f"undone by itself, for it got worse: {worse}" if worse else f"{found.state.value}: {found.outcome}"
    story.step("check", said, colour=_COLOURS.get(found.state, "red"))
