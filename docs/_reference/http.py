"""The page of every HTTP route and the OpenAPI document, from the control plane itself."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from docs._reference.markdown import GENERATED, table
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.server.control_plane import control_plane

INTRO = """
The whole description is [openapi.json](openapi.json), which a running platform serves at `/openapi.json`. Errors are
problem documents (RFC 9457): `detail` is the sentence, `type` is stable, `request_id` finds the log lines.
"""


@cache
def openapi() -> dict[str, Any]:
    """The OpenAPI document of a platform with default settings."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(CoreSettings.model_construct(data_dir=Path(folder)))
        try:
            return control_plane(workspace).openapi()
        finally:
            workspace.close()


def openapi_json() -> str:
    return json.dumps(openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def page() -> str:
    rows = [
        (f"`{method.upper()} {path}`", _meaning(operation))
        for path, operations in sorted(openapi()["paths"].items())
        for method, operation in operations.items()
    ]
    return "\n\n".join((GENERATED, "# HTTP", INTRO.strip(), table(("route", "answer"), rows))) + "\n"


def _meaning(operation: dict[str, Any]) -> str:
    """The first sentence of the route's docstring, or its name."""
    text: str = operation.get("description") or operation.get("summary", "")
    return text.strip().partition("\n\n")[0]
