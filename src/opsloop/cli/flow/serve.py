"""`opsloop flow serve`: one flow as a service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from opsloop.cli.flow.arguments import folder, init_option, init_values, variants_option
from opsloop.cli.flow.loading import loaded_flow
from opsloop.cli.flow.noun import flow
from opsloop.cli.session import Session
from opsloop.cli.verbs import verb
from opsloop.core.loading import load

# By name: the command line is above the server and starts without it.
SERVE = "opsloop.server.flow_service:serve"
KEY = "OPSLOOP_FLOW_KEY"


@verb(
    flow,
    "serve",
    example="""opsloop flow serve flows/answer --port 8080
    curl -s http://127.0.0.1:8080/score -H 'Content-Type: application/json' -d '{"question": "Is dental covered?"}'""",
)
@folder
@click.option("--host", default="127.0.0.1", show_default=True, help=f"Address to listen on; others' need {KEY}.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port to listen on.")
@click.option("--key", envvar=KEY, show_envvar=True, help="What callers must show, as a bearer token.")
@init_option
@variants_option
def serve(
    session: Session,
    path: Path,
    host: str,
    port: int,
    key: str | None,
    init: Sequence[str],
    variants: Sequence[str],
) -> None:
    """Serve the flow in DIR over HTTP with Prompt flow's routes: /score, /health, /swagger.json.

    For one flow in a container of its own. Endpoints with releases, gates and rollouts are what `opsloop up` serves.
    """
    from opsloop.core.ids import RandomIds
    from opsloop.core.settings import CoreSettings, read

    settings = read(CoreSettings).model_copy(update={"host": host, "port": port})

    def ready(url: str) -> None:
        session.answer({"url": url}, f"serving on {url}/score; Ctrl-C stops it")
        session.out.flush()

    with loaded_flow(session, path, variants, init_values(init)) as loaded:
        load(SERVE)(loaded, settings, key=key, ids=RandomIds(), ready=ready)
