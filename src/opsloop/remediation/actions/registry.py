"""Which kinds of action there are; a new one is a file here and a line below, or an entry point of a team's package."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions import (
    azure_run_pipeline,
    command_run,
    github_dispatch,
    github_rerun,
    index_rebuild,
    kubernetes_cordon,
    kubernetes_restart,
    kubernetes_scale,
    kubernetes_undo_rollout,
    model_retrain,
    release_rollback,
    rollout_pause,
    rollout_take_back,
    webhook_post,
)
from opsloop.remediation.actions.action import Action, Inside, Parameters
from opsloop.remediation.by import BY
from opsloop.remediation.models import Preview

GROUP = "opsloop.remediation_actions"
OURS: tuple[Action, ...] = (
    release_rollback.ACTION,
    rollout_take_back.ACTION,
    rollout_pause.ACTION,
    model_retrain.ACTION,
    index_rebuild.ACTION,
    command_run.ACTION,
    kubernetes_restart.ACTION,
    kubernetes_scale.ACTION,
    kubernetes_undo_rollout.ACTION,
    kubernetes_cordon.ACTION,
    github_dispatch.ACTION,
    github_rerun.ACTION,
    azure_run_pipeline.ACTION,
    webhook_post.ACTION,
)


@cache
def actions() -> dict[str, Action]:
    """By kind; a team's own may not take the name of ours."""
    brought = {each.name: each.load() for each in entry_points(group=GROUP)}
    return brought | {each.kind: each for each in OURS}


def action_of(kind: str) -> Action:
    """Raises: InvalidInput."""
    found = actions().get(kind)
    if found is None:
        raise InvalidInput(field="action", value=kind, wanted=f"one of {', '.join(sorted(actions()))}")
    return found


def preview_of(workspace: Workspace, action: Action, parameters: Parameters) -> Preview:
    """What an action would do now, wherever it works. Raises: OpsloopError."""
    if isinstance(action, Inside):
        with workspace.reading(BY) as uow:
            return action.preview(uow, parameters)
    return action.preview(workspace, parameters)
