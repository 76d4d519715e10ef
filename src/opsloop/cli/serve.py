"""`opsloop serve`: a project's endpoints with several processes, or one model as a service."""

from __future__ import annotations

from pathlib import Path

import click

from opsloop.core.loading import load

# By name: the command line is above the server and starts without it.
SERVE = "opsloop.server.model_service:serve"
SERVE_SEVERAL = "opsloop.server.workers.serving:serve_several"
FOUND = "opsloop.server.model_source:found"
LOGGING = "opsloop.core.telemetry.logging:configure"
KEY = "OPSLOOP_SERVE_KEY"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--model",
    envvar="MODEL_PATH",
    show_envvar=True,
    help="NAME[@VERSION] of the registry, folder of an exported model, or an .onnx file: serve it alone.",
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
@click.option("--key", envvar=KEY, show_envvar=True, help="What callers must show, as a bearer token.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that serve the project's endpoints on the one port; not with --model.",
)
@click.option("--project", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder of the project.")
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
    key: str | None,
    workers: int,
    folder: Path | None,
    log_share: float | None,
) -> None:
    """Serve a project's endpoints with several processes; or, with --model, one model without a database.

    Without --model these are gateways on one port beside `opsloop up`, which has the console and does the other work.
    One that dies is replaced, SIGHUP replaces them one after the other, SIGTERM lets all finish what is under way.
    With --model it is one model in a container of its own: /predict, /v2, /health, /ready, /metrics.

    \b
    Example:
      opsloop serve --workers 4 --port 8000
      opsloop serve --model models/iris --port 8000
      curl -s http://127.0.0.1:8000/predict -d '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'
    """
    from opsloop.client import local  # what is imported here is not needed for --help
    from opsloop.client import project as projects
    from opsloop.core.errors import InvalidInput

    if model is None:
        if key is not None:
            wanted = "none without --model: a project's endpoints take API keys (opsloop token create)"
            raise InvalidInput(f"--key ({KEY}) is given; wanted {wanted}", field="--key")
        _serve_project(folder, host=host, port=port, workers=workers)
        return
    if workers > 1:
        wanted = "1 with --model: what a model's rows say of drift is gathered in one process; start more beside it"
        raise InvalidInput(field="--workers", value=workers, wanted=wanted)
    if require_webhook and not drift_webhook:
        raise InvalidInput("REQUIRE_WEBHOOK is set and DRIFT_WEBHOOK is not; set it to the URL that hears of drift")
    settings = local.core_settings(projects.nearest(folder)).model_copy(update={"host": host, "port": port})
    load(LOGGING)(level=settings.log_level, form=settings.log_format)
    found = load(FOUND)(model, settings, baseline=baseline, expectations=expectations)
    options = load("opsloop.monitoring.drift.options:DriftOptions").parse(drift)
    hooks = load("opsloop.monitoring.drift.hooks:parse")
    told = {"url": drift_webhook, "secret": drift_webhook_secret} if drift_webhook else None
    hook = next(iter(hooks(told, "DRIFT_WEBHOOK")), None)

    def ready(url: str) -> None:
        click.echo(f"serving {found.serves} on {url}/predict; Ctrl-C stops it", err=True)

    load(SERVE)(
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


def _serve_project(folder: Path | None, *, host: str, port: int, workers: int) -> None:
    from opsloop.client import local  # see above
    from opsloop.client import project as projects

    project = projects.nearest(folder)
    settings = local.core_settings(project).model_copy(update={"host": host, "port": port})
    processes = "1 process" if workers == 1 else f"{workers} processes"

    def ready(url: str) -> None:
        click.echo(f"serving the endpoints of {project.name} on {url} with {processes}; Ctrl-C stops them", err=True)

    load(SERVE_SEVERAL)(settings, project, count=workers, ready=ready)
