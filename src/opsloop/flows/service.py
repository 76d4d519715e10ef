"""What can be asked of flows besides running them: checking, drawing, freezing, bringing back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.flows import graph, package
from opsloop.flows.formats import flow_file
from opsloop.flows.loaded import LoadedFlow, load
from opsloop.flows.models import Flow
from opsloop.flows.package import FlowPackage

CACHE = "flows"


def read(path: Path, *, variants: Mapping[str, str] | None = None) -> Flow:
    """A flow as written, without loading its Python. Raises: FlowMissing, FlowInvalid."""
    flow = flow_file.read(path, variants=variants)
    graph.in_order(flow)
    return flow


def validate(path: Path) -> tuple[str, ...]:
    """Check a flow and everything its nodes need; the warnings.

    Raises: FlowMissing, FlowInvalid, TemplateFailed.
    """
    return load(path).flow.warnings


def draw(path: Path) -> str:
    """The flow's graph in Mermaid. Raises: FlowMissing, FlowInvalid."""
    return graph.mermaid(read(path))


def freeze(uow: UnitOfWork, path: Path) -> FlowPackage:
    """Store a flow as it is now, after checking that it can be read.

    Raises: FlowMissing, FlowInvalid, FlowTooLarge.
    """
    flow = read(path)
    return package.freeze(flow.folder, uow.artifacts, flow.additional_includes, flow.file)


def materialise(workspace: Workspace, digest: str) -> Path:
    """A frozen flow as a folder of this installation. Raises: ArtifactMissing, PackageDamaged."""
    return package.materialise(digest, workspace.artifacts, workspace.data_dir / CACHE)


def load_frozen(workspace: Workspace, digest: str) -> LoadedFlow:
    """A frozen flow, ready to run; loaded once in a process. Raises: as `materialise` and `load`."""
    return load(materialise(workspace, digest))
