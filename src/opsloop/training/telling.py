"""Tell a channel or a system how a run went, with its figures."""

from __future__ import annotations

from typing import Any

from opsloop.core.notices import service as notices
from opsloop.core.workspace import UnitOfWork
from opsloop.training import declaration
from opsloop.training.declaration import Notify
from opsloop.training.figures import listed
from opsloop.training.models import TrainingRun, TrainingStatus
from opsloop.training.settings import TrainingSettings

_OCCASION = {
    TrainingStatus.DONE: "finished",
    TrainingStatus.SKIPPED: "skipped",
    TrainingStatus.FAILED: "failed",
    TrainingStatus.CANCELLED: "failed",
}
_MARKS = {"finished": "\N{WHITE HEAVY CHECK MARK}", "skipped": "\N{WHITE CIRCLE}", "failed": "\N{CROSS MARK}"}
_SHOWN = 6


def tell(uow: UnitOfWork, run: TrainingRun, declared: dict[str, Any]) -> None:
    """Ask for the notices of a run that is over; they go out once this is committed, each once."""
    channels = _channels(uow, declared)
    occasion = _OCCASION[run.status]
    if occasion not in channels.on:
        return
    kind, about = f"training.{occasion}", f"pipeline/{run.pipeline}"
    if channels.slack is not None:
        payload = {"text": sentence(run)}
        notices.deliver(uow, channels.slack, payload, kind=kind, about=about, id=f"{run.id}.slack")
    if channels.url is not None:
        notices.deliver(
            uow, channels.url, facts(run), secret=channels.secret, kind=kind, about=about, id=f"{run.id}.webhook"
        )


def sentence(run: TrainingRun) -> str:
    """What a chat channel reads: what happened, the figures, on which data."""
    occasion = _OCCASION[run.status]
    head = f"{_MARKS[occasion]} *{_escaped(run.pipeline)}*: training {occasion}"
    match run.status:
        case TrainingStatus.DONE:
            lines = [f"{head}, {_escaped(run.model or '')} is the challenger", figures(run)]
        case TrainingStatus.SKIPPED:
            lines = [f"{head}: {_escaped(run.reason)}"]
        case _:
            lines = [f"{head}: {_escaped(run.error or '')}"]
    rows = f" ({run.rows:,} rows)" if run.rows is not None else ""
    lines.append(f"Data: {_escaped(run.data or run.dataset)}{rows}; {run.trigger}; run {run.id}")
    if "model" in run.artifacts:
        lines.append(f"Model: {run.artifacts['model']}")
    return "\n".join(line for line in lines if line)


def figures(run: TrainingRun) -> str:
    """`accuracy 0.967, log_loss 0.12`: the first few."""
    return listed(run.metrics, _SHOWN)


def facts(run: TrainingRun) -> dict[str, Any]:
    """What a system reads."""
    return {
        "event": f"training.{_OCCASION[run.status]}",
        "run": run.id,
        "pipeline": run.pipeline,
        "pipeline_version": run.pipeline_version,
        "status": run.status,
        "trigger": run.trigger,
        "reason": run.reason,
        "endpoint": run.endpoint,
        "data": run.data,
        "rows": run.rows,
        "model": run.model,
        "metrics": dict(run.metrics),
        "artifacts": dict(run.artifacts),
        "error": run.error,
        "finished_at": run.finished_at.isoformat() if run.finished_at is not None else None,
    }


def _channels(uow: UnitOfWork, declared: dict[str, Any]) -> Notify:
    found = declaration.parse(declared).notify
    if found is not None:
        return found
    settings = uow.workspace.section(TrainingSettings)
    return Notify(settings.training_slack_webhook, settings.training_webhook, settings.training_webhook_secret)


def _escaped(text: str) -> str:
    """Slack's three: https://api.slack.com/reference/surfaces/formatting#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
