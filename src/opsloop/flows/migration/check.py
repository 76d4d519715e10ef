"""Whether a flow runs here, found out from its files alone: neither it nor what it imports is run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows import graph
from opsloop.flows.connections.lookup import Connections
from opsloop.flows.formats import flow_file
from opsloop.flows.formats.yaml_file import read_mapping
from opsloop.flows.migration import shim_modules
from opsloop.flows.migration.connection_names import MODEL, named
from opsloop.flows.migration.distributions import has_distribution, is_installed, package_of, plain, required
from opsloop.flows.migration.findings import ConnectionNeed, FlowFinding, PackageNeed
from opsloop.flows.migration.python_files import Imports, imports_of
from opsloop.flows.migration.tree import flow_files
from opsloop.flows.models import Flow, FlowFormat, FlowInput, Node
from opsloop.flows.nodes.registry import written_types

REQUIREMENTS = "requirements.txt"
_CSHARP = ("csharp", "c#", "dotnet")
# Prompt flow's own packages: the shim stands in for them.
_REPLACED = ("promptflow", "promptflow-azure", "promptflow-core", "promptflow-devkit", "promptflow-tools",
             "promptflow-tracing", "promptflow-recording")  # fmt: skip


def check(root: Path, connections: Connections) -> list[FlowFinding]:
    """A finding for each flow at or below a path.

    Args:
        connections: those that are known here.
    """
    base = root if root.is_dir() else root.parent
    return [_finding(file, base, connections) for file in flow_files(root)]


def _finding(file: Path, base: Path, connections: Connections) -> FlowFinding:
    path = str(file.relative_to(base))
    format = _format(file)
    try:
        if (reason := _csharp(file)) is not None:
            return FlowFinding(path, format, reasons=(reason,))
        flow = flow_file.read(file)
        graph.in_order(flow)
    except OpsloopError as error:
        return FlowFinding(path, format, reasons=(error.sentence,))
    includes = tuple((flow.folder / each) for each in flow.additional_includes)
    imports = imports_of(flow.folder, _sources(flow, includes), includes)
    listed = required(flow.folder / (flow.python_requirements or REQUIREMENTS))
    packages = [*_packages(imports, listed), *_tool_packages(flow, listed)]
    return FlowFinding(
        path=path,
        format=format,
        packages=tuple({each.package or each.module: each for each in packages}.values()),
        connections=tuple(_connections(flow, connections)),
        reasons=(
            *_missing_files(flow, includes),
            *_types(flow),
            *_azure(flow, imports),
            *_without_counterpart(flow, imports),
            *_broken(imports),
        ),
        notes=(*_notes(listed, packages), *flow.warnings),
    )


def _format(file: Path) -> str:
    if file.suffix == ".prompty":
        return FlowFormat.PROMPTY.value
    return FlowFormat.FLEX.value if ".flex." in file.name else FlowFormat.DAG.value


def _csharp(file: Path) -> str | None:
    if file.suffix == ".prompty":
        return None
    data = read_mapping(file)
    is_csharp = str(data.get("language") or "").lower() in _CSHARP or str(data.get("entry") or "").startswith("(")
    nodes: list[Any] = data["nodes"] if isinstance(data.get("nodes"), list) else []
    is_csharp = is_csharp or any(isinstance(each, dict) and str(each.get("type")) == "csharp" for each in nodes)
    return f"{file.name}: it is written in C#, and Opsloop runs Python" if is_csharp else None


def _sources(flow: Flow, includes: Iterable[Path]) -> Iterator[Path]:
    """The files whose code runs first."""
    if flow.entry is not None:
        base = flow.folder.joinpath(*flow.entry.module.split("."))
        yield from (base.with_suffix(".py"), base / "__init__.py")
    for node in _nodes(flow):
        if node.source.path and node.source.path.endswith(".py"):
            yield from _places(flow, includes, node.source.path)


def _nodes(flow: Flow) -> Iterator[Node]:
    """Those of all variants, be they chosen or not."""
    yield from (node for node in flow.nodes if node.name not in flow.variants)
    for several in flow.variants.values():
        yield from several.variants.values()


def _places(flow: Flow, includes: Iterable[Path], path: str) -> list[Path]:
    """Where a file of a flow may be: in its folder, or brought in under that name."""
    first, _, rest = path.partition("/")
    brought = [each / rest if rest else each for each in includes if each.name == first]
    return [place for place in (flow.folder / path, *brought) if place.is_file()]


def _packages(imports: Imports, listed: list[str]) -> Iterator[PackageNeed]:
    for module, files in imports.modules.items():
        top = module.partition(".")[0]
        if top == "promptflow":
            is_there = shim_modules.is_there(module) or shim_modules.is_azure(module)
        else:
            is_there = top == "opsloop" or is_installed(module)
        package = package_of(module, listed)
        if not is_there and (package is not None or top != "promptflow"):
            yield PackageNeed(package, module, tuple(files))


def _tool_packages(flow: Flow, listed: list[str]) -> Iterator[PackageNeed]:
    """The packages of tools that nodes name, where they are not installed."""
    for node in _nodes(flow):
        module = node.module if node.type == "custom_llm" or node.source.type != "code" else None
        tool = module or (node.source.tool or "").rpartition(".")[0]
        if not tool or node.source.type == "code" or tool.startswith("promptflow."):
            continue
        if not is_installed(tool):
            top = tool.partition(".")[0]
            yield PackageNeed(package_of(top, listed), tool, (f"node {node.name}",))


def _connections(flow: Flow, known: Connections) -> Iterator[ConnectionNeed]:
    found: dict[str, ConnectionNeed] = {}
    names = set(known.names())
    for each in named(flow):
        if each.name in names:
            continue
        before = found.get(each.name)
        found[each.name] = ConnectionNeed(
            name=each.name,
            type=_narrower(before.type if before is not None else None, each.type),
            nodes=tuple(dict.fromkeys((*(before.nodes if before is not None else ()), each.by))),
            is_for_model=each.is_for_model and (before is None or before.is_for_model),
        )
    yield from found.values()


def _narrower(one: str | None, other: str | None) -> str | None:
    return other if one in (None, MODEL) and other is not None else one


def _missing_files(flow: Flow, includes: tuple[Path, ...]) -> Iterator[str]:
    for written, place in zip(flow.additional_includes, includes, strict=True):
        if not place.exists():
            yield f"{flow.file}: additional_includes has {written}, which is not there"
    is_here = flow.entry is None or any(file.is_file() for file in _sources(flow, includes))
    if flow.entry is not None and not is_here and not is_installed(flow.entry.module):
        yield f"{flow.file}: entry {flow.entry} wants {flow.entry.module.replace('.', '/')}.py, which is not there"
    if flow.format is not FlowFormat.DAG:
        return
    for node in _nodes(flow):
        path = node.source.path
        if path and not _places(flow, includes, path):
            yield f"{flow.file}: node {node.name} wants {path}, which is not there"


def _types(flow: Flow) -> Iterator[str]:
    if flow.format is not FlowFormat.DAG:
        return
    for node in _nodes(flow):
        if node.type not in written_types():
            known = ", ".join(sorted(written_types()))
            yield f"{flow.file}: node {node.name} is of type {node.type}; known are {known}"


def _azure(flow: Flow, imports: Imports) -> Iterator[str]:
    for module, files in imports.modules.items():
        if shim_modules.is_azure(module) and not is_installed(module):
            yield f"{', '.join(files)} imports {module}, which works in an Azure workspace only"
    for name in _azure_data(flow.inputs.values()):
        yield f"{flow.file}: input {name} reads data that is in Azure only; export it to a file"


def _without_counterpart(flow: Flow, imports: Imports) -> Iterator[str]:
    """What is used of Prompt flow that Opsloop does not have."""
    for module, files in imports.modules.items():
        is_known = module.partition(".")[0] != "promptflow" or shim_modules.is_azure(module)
        if not is_known and not shim_modules.is_there(module) and package_of(module, ()) is None:
            yield f"{', '.join(files)} imports {module}, which has no counterpart here"
    for dotted, files in imports.of_promptflow.items():
        module, _, name = dotted.rpartition(".")
        if shim_modules.is_there(module) and not shim_modules.is_azure(dotted) and not shim_modules.has(module, name):
            yield f"{', '.join(files)} imports {name} of {module}, which has no counterpart here"
    for node in _nodes(flow):
        tool = node.source.tool or ""
        if tool.startswith("promptflow.") and not shim_modules.has_tool(tool):
            yield f"node {node.name} uses {tool}, which has no counterpart here; write it as a Python node"


def _azure_data(inputs: Iterable[FlowInput]) -> Iterator[str]:
    for each in inputs:
        if "azureml:" in json.dumps(each.default, default=str):
            yield each.name


def _broken(imports: Imports) -> Iterator[str]:
    for file, reason in imports.broken.items():
        yield f"{file} is no Python of this version ({reason})"


def _notes(listed: list[str], packages: list[PackageNeed]) -> Iterator[str]:
    """What the requirements list and no import shows: it may be needed all the same."""
    told = {plain(each.package) for each in packages if each.package is not None} | set(_REPLACED)
    others = [each for each in listed if plain(each) not in told and not has_distribution(each)]
    if others:
        yield f"{REQUIREMENTS} also lists {', '.join(others)}, not installed; no import shows that it is needed"
