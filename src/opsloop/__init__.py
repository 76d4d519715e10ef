"""Opsloop takes AI applications from a dataset to production and keeps them healthy there.

The names a script or a flow's Python node needs are exported here; everything else is imported from the module that
defines it. They load on first use, so that `import opsloop` costs nothing.
"""

from typing import TYPE_CHECKING, Any

from opsloop._version import __version__

if TYPE_CHECKING:
    from opsloop.client.http import Client
    from opsloop.datasets.runtime import read_dataset
    from opsloop.rag.runtime import answer, read_document, search

__all__ = ["Client", "__version__", "answer", "read_dataset", "read_document", "search"]

_HOMES = {
    "Client": "opsloop.client.http",
    "answer": "opsloop.rag.runtime",
    "read_dataset": "opsloop.datasets.runtime",
    "read_document": "opsloop.rag.runtime",
    "search": "opsloop.rag.runtime",
}


def __getattr__(name: str) -> Any:
    """Load an exported name on first use: the server's libraries must not load for the command line's sake."""
    if name not in _HOMES:
        raise AttributeError(f"module 'opsloop' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
