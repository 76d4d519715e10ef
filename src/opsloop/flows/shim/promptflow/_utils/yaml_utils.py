"""`from promptflow._utils.yaml_utils import load_yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from ruamel.yaml import YAML


def load_yaml(source: str | Path | IO[str]) -> Any:
    """What a YAML file, or an open one, holds."""
    yaml = YAML(typ="safe", pure=True)
    return yaml.load(Path(source) if isinstance(source, str) else source)


def load_yaml_string(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)
