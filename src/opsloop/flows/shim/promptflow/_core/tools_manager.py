"""What packages of tools register themselves with; here a tool is found by its place."""

from __future__ import annotations

from typing import Any


def register_builtins(*_: Any, **__: Any) -> None:
    """Does nothing."""


register_apis = register_builtins
