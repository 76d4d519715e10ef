"""Evaluators of the genaiops template that are no flows but a folder of Python with functions `eval_…`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsloop.client.http import Client
from opsloop.evaluation import whole_run
from opsloop.flows.package import IGNORED

# Not code: what a use case brings beside it may be large.
_LEFT_OUT = shutil.ignore_patterns(*IGNORED, ".*", "data", "reports", "*.pyc")
FLOW = "entry: whole_run:WholeRun\n"


def modules_in(place: Path) -> list[Path]:
    """The files that hold such functions."""
    return sorted(place.glob("eval_*.py")) if place.is_dir() else []


def registered(client: Client, use_case: Path, place: Path, flow: str, name: str) -> dict[str, Any]:
    """Keep the code of a use case as an evaluation flow; what the evaluator then says of itself.

    The functions import by the path from the folder around the use case, as they do in the template.

    Args:
        place: the evaluator's folder in the use case.
        flow: path of the flow that is evaluated, whose modules the functions import too.
    """
    root = use_case.resolve()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / place.name
        shutil.copytree(root, target / root.name, ignore=_LEFT_OUT)
        shutil.copyfile(whole_run.__file__, target / "whole_run.py")
        (target / "flow.flex.yaml").write_text(FLOW)
        version = client.flows.register(target)
    inside = place.resolve().relative_to(root).parts
    modules = [".".join((root.name, *inside, each.stem)) for each in modules_in(place)]
    return {"flow": version.ref, "init": {"modules": modules, "beside": [f"{root.name}/{flow}"], "name": name}}


def rows_passed(mappings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Mappings under which the flow gets the rows, and the functions the mappings that were written."""
    return {"row": "${data}", "mappings": dict(mappings or {})}
