"""What no patch may do, and what the linters of its kind say; only what passes is shown."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

from opsloop.incidents.diagnosis.patches import linters

_SECRET = re.compile(r"secrets\.\w+|secrets\[")
_PIPED = re.compile(r"(?:curl|wget)[^\n|]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b")
_HASH = re.compile(r"@[0-9a-f]{40}$")
# GitHub's own actions stay named by a release where the workflow names them so; what is new is named by commit.
_OWN_ACTION = re.compile(r"^actions/[\w-]+@v\d+$")


def faults(before: list[Any], after: list[Any], text: str, mended: str) -> list[str]:
    """Why a patch may not be shown; empty when it may."""
    found = []
    if [_triggers(each) for each in before] != [_triggers(each) for each in after]:
        found.append("it changes what starts the workflow")
    if sorted(_SECRET.findall(text)) != sorted(_SECRET.findall(mended)):
        found.append("it changes which secrets are used")
    if len(_PIPED.findall(mended)) > len(_PIPED.findall(text)):
        found.append("it runs a script from the network")
    new = set(_uses(after)) - set(_uses(before))
    had = {each.split("@")[0] for each in _uses(before)}
    found += [f"it adds {each}, not pinned" for each in new if not (_HASH.search(each) or _follows(each, had))]
    return found or list(_outside(after, mended))


def grants(documents: list[Any]) -> list[Any]:
    """What the documents' jobs may do and where they run: no model's edit changes it."""
    names = ("permissions", "runs-on", "pool", "environment", "secrets", "serviceAccountName", "securityContext")
    return [each for document in documents for each in _values(document, names)]


def _values(node: Any, names: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, each in node.items():
            if key in names:
                yield key, each
            yield from _values(each, names)
    elif isinstance(node, list):
        for each in node:
            yield from _values(each, names)


def _follows(used: str, had: set[str]) -> bool:
    return _OWN_ACTION.match(used) is not None and used.split("@")[0] in had


def _triggers(document: Any) -> Any:
    return (
        {key: document.get(key) for key in ("on", True, "trigger", "pr", "schedules")}
        if isinstance(document, dict)
        else None
    )


def _uses(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("uses"), str):
            yield node["uses"]
        for each in node.values():
            yield from _uses(each)
    elif isinstance(node, list):
        for each in node:
            yield from _uses(each)


def _outside(after: list[Any], mended: str) -> Iterator[str]:
    """What the linters of its kind find in the mended file, where they are installed."""
    for each in pkgutil.iter_modules(linters.__path__):
        linter: Any = importlib.import_module(f"{linters.__name__}.{each.name}")
        if hasattr(linter, "NAME") and any(map(linter.fits, after)) and not linter.passes(after, mended):
            yield f"{linter.NAME} finds a fault in it"
