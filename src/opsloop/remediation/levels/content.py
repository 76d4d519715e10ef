"""What people get to see of a repair, up to the level that its playbook has."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.remediation.actions.action import Action, Parameters
from opsloop.remediation.levels import commands, script
from opsloop.remediation.models import Level, Preview
from opsloop.remediation.playbooks.playbook import Fit


@dataclass(frozen=True, slots=True)
class Content:
    questions: tuple[str, ...]
    checklist: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    script: str = ""


def content(
    title: str,
    fit: Fit,
    level: Level,
    *,
    action: Action | None,
    parameters: Parameters | None,
    preview: Preview | None,
    incident: str | None,
) -> Content:
    """Each level adds to the one below."""
    if level < Level.CHECKLIST:
        return Content(fit.questions)
    if level < Level.COMMANDS or action is None or parameters is None:
        return Content(fit.questions, fit.checklist)
    typed = action.commands(parameters)
    shown = commands.lines(typed)
    if level < Level.SCRIPT or not typed:
        return Content(fit.questions, fit.checklist, shown)
    whole = script.script(
        title,
        because=fit.because,
        changes=preview.changes if preview is not None else (),
        commands=typed,
        undo=action.undo_commands(parameters),
        incident=incident,
    )
    return Content(fit.questions, fit.checklist, shown, whole)
