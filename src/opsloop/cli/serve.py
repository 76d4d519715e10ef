"""`opsloop serve`: one model as a service."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name

import click

# By name: the command line is above the server and starts without it.
SERVE = "opsloop.server.model_service:serve"
FOUND = "opsloop.server.model_source:found"
LOGGING = "opsloop.core.telemetry.logging:configure"
KEY = "OPSLOOP_SERVE_KEY"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--model",
    required=True,
    envvar="MODEL_PATH",
    show_envvar=True,
    help="NAME[@VERSION] of the registry, folder of an exported model, or an .onnx file.",
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
    "--log-share",
    type=click.FloatRange(0, 1),
    envvar="OPSLOOP_PREDICT_LOG",
    show_envvar=True,
    help="Share of answers that get a line on stdout.  [1]",
)
def serve(
    model: str,
    baseline: Path | None,
    expectations: Path | None,
    drift_webhook: str | None,
    drift_webhook_secret: str | None,
    require_webhook: bool,
    drift: str,
    host: str,
    port: int,
    key: str | None,
    log_share: float | None,
) -> None:
    """Serve one model over HTTP, without a database: /predict, /v2, /health, /ready, /metrics.

    For one model in a container of its own. Endpoints with releases, gates and rollouts are what `opsloop up` serves.

    \b
    Example:
      opsloop serve --model models/iris --port 8000
      curl -s http://127.0.0.1:8000/predict -d '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'
    """
    from opsloop.client import local  # what is imported here is not needed for --help
    from opsloop.client import project as projects
    from opsloop.core.errors import InvalidInput

    if require_webhook and not drift_webhook:
        raise InvalidInput("REQUIRE_WEBHOOK is set and DRIFT_WEBHOOK is not; set it to the URL that hears of drift")
    settings = local.core_settings(projects.nearest(None)).model_copy(update={"host": host, "port": port})
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
