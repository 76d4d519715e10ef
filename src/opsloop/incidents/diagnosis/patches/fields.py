"""Fields of Kubernetes' common objects, from `fields.toml`, and those of a manifest that are none."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """Args:
    path: as the API server tells it, without the places in lists: `spec.template.spec.containers.imag`.
    known: what its mapping may have.
    """

    path: str
    key: str
    mapping: Any
    known: tuple[str, ...]


@functools.cache
def table() -> Mapping[str, Mapping[str, str]]:
    """Of each type its fields, each with the type of what it holds; empty for one that is not looked into."""
    text = Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
    return {
        name: {field: kind for field, _, kind in (each.partition(":") for each in " ".join(said["fields"]).split())}
        for name, said in tomllib.loads(text).items()
    }


def fits(document: Any) -> bool:
    """Whether it is a manifest of a kind in the table."""
    return isinstance(document, dict) and "apiVersion" in document and str(document.get("kind")) in table()


def unknown(document: Any) -> Iterator[Unknown]:
    if fits(document):
        yield from _unknown(document, str(document["kind"]), "")


def _unknown(node: Any, kind: str, path: str) -> Iterator[Unknown]:
    if isinstance(node, list):
        for each in node:
            yield from _unknown(each, kind, path)
    elif isinstance(node, dict):
        known = table()[kind]
        for key, each in node.items():
            at = f"{path}.{key}" if path else str(key)
            if key not in known:
                yield Unknown(at, str(key), node, tuple(known))
            elif known[key]:
                yield from _unknown(each, known[key], at)
