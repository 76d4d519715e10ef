"""`from promptflow.tools.embedding import embedding`."""

from __future__ import annotations

from typing import Any

from opsloop.flows.compat.tool_marks import tool
from opsloop.flows.compat.tools import embed


@tool
def embedding(connection: Any, input: str, deployment_name: str = "", model: str = "text-embedding-ada-002") -> Any:
    """The vector of a text."""
    return embed(connection, input, deployment_name or model)
