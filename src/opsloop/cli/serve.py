"""`opsloop serve`: the endpoints in processes of their own, or one model as a service."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from opsloop.client.project import Project
    from opsloop.core.settings import CoreSettings

# By name: the command line is above the server and starts without it.
SERVE = "opsloop.server.model_service:serve"
FOUND = "opsloop.server.model_source:found"
LOGGING = "opsloop.core.telemetry.logging:configure"
REPLICA = "opsloop.server.replica:serve"
KEY = "OPSLOOP_SERVE_KEY"
# Read by prometheus_client when it is loaded: where the processes of one port count together.
COUNTS = "PROMETHEUS_MULTIPROC_DIR"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--model",
    envvar="MODEL_PATH",
    show_envvar=True,
    help="Serve this one: NAME[@VERSION] of the registry, folder of an exported model, or an .onnx file.",
)
@click.option(
    "--baseline",
    type=_FILE,
    envvar="BASELINE_PATH",
    show_envvar=True,
    help="Rows of training as .npy, to tell drift by; in place of the model's own.",
)
@click.option(
    "--expectations",
    type=_FILE,
    envvar="EXPECTATIONS_PATH",
    show_envvar=True,
    help="Rules that rows are held against, also a suite of Great Expectations; in place of the model's own.",
)
@click.option("--drift-webhook", envvar="DRIFT_WEBHOOK", show_envvar=True, help="Where drift is told, as a URL.")
@click.option(
    "--drift-webhook-secret", envvar="OPSLOOP_DRIFT_WEBHOOK_SECRET", show_envvar=True, help="Signs what is sent there."
)
@click.option(
    "--require-webhook", is_flag=True, envvar="REQUIRE_WEBHOOK", show_envvar=True, help="Refuse to start without one."
)
@click.option(
    "--drift",
    type=click.Choice(["sequential", "z_score", "none"]),
    default="sequential",
    show_default=True,
    help="How drift is found.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help=f"Address to listen on; others' need {KEY}.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes that answer on the port; one for each core is a good number. Without --model.  [1]",
)
@click.option("--project", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder of the project.")
@click.option("--key", envvar=KEY, show_envvar=True, help="What callers of --model must show, as a bearer token.")
@click.option(
    "--log-share",
    type=click.FloatRange(0, 1),
    envvar="OPSLOOP_PREDICT_LOG",
    show_envvar=True,
    help="Share of answers that get a line on stdout.  [1]",
)
def serve(
    model: str | None,
    baseline: Path | None,
    expectations: Path | None,
    drift_webhook: str | None,
    drift_webhook_secret: str | None,
    require_webhook: bool,
    drift: str,
    host: str,
    port: int,
    workers: int | None,
    folder: Path | None,
    key: str | None,
    log_share: float | None,
) -> None:
    """The endpoints in processes of their own, or one model, over HTTP.

    Without --model this is the gateway of a platform that runs elsewhere on the same database, in one process or
    several: /v1/chat/completions, /predict, /query, /feedback and the other routes of callers. A process that dies is
    replaced; SIGHUP replaces all of them one after the other, and SIGTERM lets each finish what is under way.

    With --model it is one model in a container of its own, without a database.

    \b
    Example:
      opsloop serve --workers 4 --port 8000
      opsloop serve --model models/iris --port 8000
      curl -s http://127.0.0.1:8000/predict -d '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'
    """
    from opsloop.client import local  # what is imported here is not needed for --help
    from opsloop.client import project as projects
    from opsloop.core.errors import InvalidInput

    project = projects.nearest(folder)
    settings = local.core_settings(project).model_copy(update={"host": host, "port": port})
    if model is None:
        for name, value in (("--baseline", baseline), ("--expectations", expectations), ("--key", key)):
            if value is not None:
                raise InvalidInput(f"{name} belongs to --model; endpoints have their own", field=name)
        raise SystemExit(_serve_endpoints(project, settings, workers or 1))
    if workers is not None and workers > 1:
        raise InvalidInput("--workers serves endpoints; a model is served by one process: start more containers of it")
    if require_webhook and not drift_webhook:
        raise InvalidInput("REQUIRE_WEBHOOK is set and DRIFT_WEBHOOK is not; set it to the URL that hears of drift")
    resolve_name(LOGGING)(level=settings.log_level, form=settings.log_format)
    found = resolve_name(FOUND)(model, settings, baseline=baseline, expectations=expectations)
    options = resolve_name("opsloop.monitoring.drift.options:DriftOptions").parse(drift)
    hooks = resolve_name("opsloop.monitoring.drift.hooks:parse")
    told = {"url": drift_webhook, "secret": drift_webhook_secret} if drift_webhook else None
    hook = next(iter(hooks(told, "DRIFT_WEBHOOK")), None)

    def ready(url: str) -> None:
        click.echo(f"serving {found.serves} on {url}/predict; Ctrl-C stops it", err=True)

    resolve_name(SERVE)(
        found.model,
        settings,
        name=found.name,
        serves=found.serves,
        drift=options,
        hook=hook,
        key=key,
        log_share=log_share,
        ready=ready,
    )


def _serve_endpoints(project: Project, settings: CoreSettings, workers: int) -> int:
    from opsloop.client import local

    def ready(url: str) -> None:
        by = "1 process" if workers == 1 else f"{workers} processes"
        click.echo(f"serving the endpoints on {url} with {by}; Ctrl-C stops them", err=True)

    with tempfile.TemporaryDirectory(prefix="opsloop-metrics-") as counts:
        if workers > 1:
            os.environ[COUNTS] = counts
        serve_endpoints = resolve_name(REPLICA)
        local.refuse_unknown_settings(project)
        code: int = serve_endpoints(settings, file_values=project.settings, processes=workers, when_ready=ready)
        return code
