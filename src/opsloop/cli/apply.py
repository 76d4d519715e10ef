"""`opsloop apply`: make the platform match `opsloop.yaml`."""

from __future__ import annotations

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone


@lone(
    "apply",
    example="""opsloop apply --dry-run
    opsloop apply --project examples/support-chatbot""",
)
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
def apply(session: Session, dry_run: bool) -> None:
    """Make the platform match opsloop.yaml.

    Collections, datasets and endpoints are made as the file wants them; a changed flow is evaluated, and released when
    its gate lets it in. Exit code 6 when a gate does not. What the file does not name is left alone.
    """
    from opsloop.client import apply as applying
    from opsloop.client import plan as planning
    from opsloop.client import project as projects
    from opsloop.core.errors import AnswerIsNo

    project = projects.load(session.project.folder)
    with session.client() as client, session.progress("applying") as progress:
        plan = planning.make(client, project)
        if dry_run or not plan.changes:
            session.answer({"project": plan.project, "steps": plan.steps, "outcomes": []}, str(plan))
            return
        session.note(str(plan))
        outcomes = list(
            applying.perform(client, project, plan, tell=lambda what, done, total: progress(done, total, what))
        )
    answer = {"project": plan.project, "steps": plan.steps, "outcomes": outcomes}
    session.answer(answer, lambda: "\n".join(map(str, outcomes)))
    blocked = [outcome for outcome in outcomes if outcome.is_blocked]
    if blocked:
        raise AnswerIsNo(f"{blocked[0].step.noun} {blocked[0].step.name}: {blocked[0].says}")
