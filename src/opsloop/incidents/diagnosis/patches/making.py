"""A patch of a workflow or manifest: made on the loaded document, applied to a copy and checked before anybody sees it.

A file whose layout the YAML library would change elsewhere gets no patch:
a patch touches what it mends alone.
"""

from __future__ import annotations

import difflib
import importlib
import io
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis import patches
from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches import linting
from opsloop.incidents.diagnosis.redaction import without_secrets
from opsloop.incidents.diagnosis.scanning import Scan

BYTES = 1_000_000
# Aliases make a bomb; a workflow with more than these is none that a person wrote.
ALIASES = 50
DEPTH = 60
NODES = 200_000
_ALIAS = re.compile(r"(?:^|[\s\[{,:])\*[\w-]+", re.MULTILINE)
# Lines around a change: fewer where a secret stands near. `git apply` needs one.
CONTEXT = (3, 2, 1)
# What the library raises on a file that is none; some, such as a merge of a map into itself, it does not foresee.
_UNREADABLE = (YAMLError, ValueError, RecursionError, AttributeError, TypeError, LookupError, AssertionError)
# How people indent sequences: (mapping, sequence, offset) for ruamel.
LAYOUTS = ((2, 4, 2), (2, 2, 0), (4, 4, 2), (4, 4, 0), (4, 6, 4))


class Repair(Protocol):
    """A module of this package: `KIND`, and `mend`, which changes the document or answers False."""

    KIND: str

    def mend(self, document: Any, match: Match, scan: Scan) -> bool: ...


def read(text: str) -> list[Any]:
    """The documents of a file. Raises: InvalidInput when it is no YAML, too large, or a bomb."""
    if len(text) > BYTES:
        raise InvalidInput(field="workflow", wanted=f"a file of at most {BYTES:,} characters, not {len(text):,}")
    if len(_ALIAS.findall(text)) > ALIASES:
        raise InvalidInput(field="workflow", wanted=f"a file with at most {ALIASES} aliases")
    if _deepest(text) > DEPTH:
        raise InvalidInput(field="workflow", wanted=f"a file of at most {DEPTH} levels")
    try:
        documents = list(_yaml().load_all(text))
    except _UNREADABLE as error:
        said = " ".join(str(error).split())[:200]
        raise InvalidInput(f"workflow: not YAML: {said}", field="workflow") from error
    if _nodes(documents, {}) > NODES:
        raise InvalidInput(field="workflow", wanted=f"a file of at most {NODES:,} values when its aliases are followed")
    return documents


def make(text: str, match: Match, scan: Scan, *, name: str = "workflow.yml") -> str | None:
    """A unified diff that mends the cause, or None when no repair fits or what it makes does not pass.

    Raises: InvalidInput when the text is no YAML.
    """
    before = read(text)
    layout = next((each for each in LAYOUTS if _written(before, each) == text), None)
    if layout is None:
        return None
    for repair in _repairs(match.signature.patch):
        after = read(text)
        mends = [repair.mend(each, match, scan) for each in after if isinstance(each, dict)]
        if any(mends) and (diff := checked(text, _written(after, layout), name=name)) is not None:
            return diff
    return None


def checked(text: str, mended: str, *, name: str) -> str | None:
    """The change as a unified diff; None where it does not apply, or may not be shown: see `linting.faults`.

    Raises: InvalidInput when one of the texts is no YAML.
    """
    if text == mended or linting.faults(read(text), read(mended), text, mended):
        return None
    before, after = text.splitlines(keepends=True), mended.splitlines(keepends=True)
    for around in CONTEXT:
        diff = "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=around))
        if without_secrets(diff) == diff:
            return diff if applied(text, diff) == mended else None
    return None


def applied(text: str, diff: str) -> str | None:
    """The text with a unified diff of one file applied; None where the diff does not fit."""
    source, made, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1].split(",")[0].lstrip("-")) - 1
            made += source[at : max(start, 0)]
            at = max(start, 0)
        elif line[0] in " -":
            if at >= len(source) or source[at] != line[1:]:
                return None
            made += [line[1:]] if line[0] == " " else []
            at += 1
        else:
            made.append(line[1:])
    return "".join([*made, *source[at:]])


def _repairs(kind: str | None) -> Iterator[Repair]:
    """The repairs of a kind, by the names of their files; several may be tried for one cause."""
    for each in pkgutil.iter_modules(patches.__path__):
        module: Any = importlib.import_module(f"{patches.__name__}.{each.name}")
        if kind is not None and getattr(module, "KIND", None) == kind:
            yield module


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 100_000
    yaml.allow_duplicate_keys = False
    yaml.composer.warn_double_anchors = False
    return yaml


def _written(documents: list[Any], layout: tuple[int, int, int]) -> str:
    yaml, out = _yaml(), io.StringIO()
    mapping, sequence, offset = layout
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    yaml.dump_all(documents, out)
    return out.getvalue()


def _deepest(text: str) -> int:
    """How deep brackets and indentation go at most; counts those in texts too, which errs on the safe side."""
    deep = level = 0
    for letter in text:
        if letter in "[{":
            level += 1
            deep = max(deep, level)
        elif letter in "]}":
            level = max(0, level - 1)
    indents = max((len(line) - len(line.lstrip(" ")) for line in text.splitlines()), default=0)
    dashes = max((len(found[0]) // 2 for found in re.finditer(r"^\s*(?:- ){3,}", text, re.MULTILINE)), default=0)
    return max(deep, dashes, indents // 8 if indents > 400 else 0)


def _nodes(node: Any, known: dict[int, int]) -> int:
    """How many values there are when every alias is followed; too many for one that holds itself."""
    if not isinstance(node, dict | list):
        return 1
    if id(node) not in known:
        known[id(node)] = NODES + 1  # met again below itself
        below = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_nodes(each, known) for each in below)
    return known[id(node)]
