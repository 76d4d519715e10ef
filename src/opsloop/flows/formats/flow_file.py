"""Which of the formats lies at a path, and reading it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from opsloop.flows.errors import FlowInvalid, FlowMissing
from opsloop.flows.formats import dag, flex, prompty
from opsloop.flows.formats.yaml_file import read_mapping
from opsloop.flows.models import Flow

FLEX = ("flow.flex.yaml", "flow.flex.yml")
FILES = ("flow.dag.yaml", "flow.dag.yml", *FLEX)
# Names the flow's file where a folder was frozen in which it could be one of several.
POINTER = ".opsloop-flow"


def find(path: Path) -> Path:
    """The flow's file, given the folder it is alone in, or the file itself. Raises: FlowMissing, FlowInvalid."""
    if path.is_file():
        return path
    if (pointer := path / POINTER).is_file():
        return _pointed(path, pointer.read_bytes()[:300].decode("utf-8", "replace").strip())
    for name in FILES:
        if (path / name).is_file():
            return path / name
    prompties = sorted(path.glob("*.prompty")) if path.is_dir() else []
    if len(prompties) > 1:
        names = ", ".join(each.name for each in prompties)
        raise FlowInvalid(file=str(path), field="the folder", wanted=f"the path of one prompty in it ({names})")
    if prompties:
        return prompties[0]
    raise FlowMissing(path=str(path), noun="flow", name=str(path))


def _pointed(folder: Path, name: str) -> Path:
    place = folder / name
    if name != Path(name).name or "\0" in name or not place.is_file():
        raise FlowInvalid(file=POINTER, field="the file", value=name, wanted="the name of a file beside it")
    return place


def is_alone(folder: Path, file: str) -> bool:
    """Whether a folder by itself says that this file is its flow, without a pointer in it."""
    try:
        return find(folder).name == file and not (folder / POINTER).is_file()
    except (FlowMissing, FlowInvalid):
        return False


def read(path: Path, *, variants: Mapping[str, str] | None = None) -> Flow:
    """The flow at a path, as written; none of its Python is run.

    Args:
        path: the folder, or the flow's file.
        variants: node name to the id of the variant to use; the others use their default.
    Raises: FlowMissing, FlowInvalid.
    """
    file = find(path)
    reader = _reader(file)
    if reader is None:
        return dag.read(file, variants=variants)
    if variants:
        name, id = next(iter(variants.items()))
        raise FlowInvalid(file=file.name, field="variant", value=f"{name}.{id}", wanted="a DAG flow: this has no nodes")
    return reader(file)


def _reader(file: Path) -> Callable[[Path], Flow] | None:
    """What reads a file that is no DAG."""
    if file.suffix == ".prompty":
        return prompty.read
    if file.name in FILES[:2]:
        return None
    return flex.read if file.name in FILES[2:] or "entry" in read_mapping(file) else None
