"""What an experiment evaluates where that is no flow: a registered model, a function, an endpoint, a service.

The last three are kept as a flow version.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput
from opsloop.evaluation import http_target
from opsloop.evaluation.models import Experiment, Speaks, Target
from opsloop.flows.package import IGNORED

_LEFT_OUT = shutil.ignore_patterns(*IGNORED, ".*", "data", "reports", "*.pyc")
TOKEN = "OPSLOOP_TOKEN"  # noqa: S105  the name of a variable


def registered(client: Client, target: Target, experiment: Experiment, folder: Path) -> str:
    """The version that stands for a target.

    Args:
        folder: of the experiment.
    Raises: InvalidInput, NotFound, and what registering raises.
    """
    if target.version is not None:
        return f"model:{target.version}"
    if target.function is not None:
        return _function(client, target.function, folder)
    if target.endpoint is not None:
        return _endpoint(client, target.endpoint, target, experiment)
    assert target.url is not None
    name = target.url.partition("://")[2].strip("/").replace("/", "-").replace(":", "-")
    outputs = target.outputs or (("answer",) if target.speaks is Speaks.OPENAI else ("output",))
    return _service(client, f"service-{name}", target, target.url, _inputs(experiment), outputs, target.key_variable)


def _function(client: Client, function: str, folder: Path) -> str:
    module, _, name = function.partition(":")
    file = folder.joinpath(*module.split(".")).with_suffix(".py")
    if not file.is_file():
        raise InvalidInput(
            field="target.function", value=function, wanted=f"a function of a file here, as {file} would be"
        )
    with tempfile.TemporaryDirectory() as place:
        flow = Path(place) / f"function-{name}"
        shutil.copytree(folder, flow, ignore=_LEFT_OUT)
        _write(flow, {"entry": function})
        return client.flows.register(flow).ref


def _endpoint(client: Client, name: str, target: Target, experiment: Experiment) -> str:
    """An endpoint is asked through the gateway, with the inputs and outputs of the flow that is stable there."""
    if client.connection.is_in_this_process:
        wanted = "a platform that runs, for an endpoint is asked over the network: `opsloop up`, then OPSLOOP_URL"
        raise InvalidInput(field="target", value=f"endpoint:{name}", wanted=wanted)
    stable = client.endpoints.get(name).stable
    if stable is None:
        raise InvalidInput(field="target", value=f"endpoint:{name}", wanted="an endpoint with a release")
    if stable.kind == "model":
        return f"model:{stable.serves}"  # the model itself: many rows at a time say the same as one by one
    flow, _, version = stable.serves.partition("@")
    summary = client.flows.get(flow, version)
    inputs = {**{each.name: each.has_default for each in summary.inputs}, **_inputs(experiment)}
    outputs = target.outputs or tuple(each.name for each in summary.outputs)
    url = f"{client.connection.url}/endpoints/{name}/invoke"
    return _service(client, f"endpoint-{name}", target, url, inputs, outputs, target.key_variable or TOKEN)


def _service(
    client: Client,
    name: str,
    target: Target,
    url: str,
    inputs: Mapping[str, bool],
    outputs: Iterable[str],
    key_variable: str | None,
) -> str:
    """Args:
    inputs: by name whether it may be left out.
    """
    with tempfile.TemporaryDirectory() as place:
        flow = Path(place) / name[:80]
        flow.mkdir()
        shutil.copyfile(http_target.__file__, flow / "http_target.py")
        _write(
            flow,
            {
                "entry": "http_target:HttpTarget",
                "inputs": {each: {"type": "any", **({"default": None} if may else {})} for each, may in inputs.items()},
                "outputs": {each: {"type": "any"} for each in outputs},
            },
        )
        init = {
            "url": url,
            "speaks": target.speaks.value,
            "model": target.model or "",
            "key_variable": key_variable or "",
            "needs_key": target.key_variable is not None,
            "timeout_s": target.timeout_s,
        }
        (flow / "init.json").write_text(json.dumps(init))
        return client.flows.register(flow).ref


def _inputs(experiment: Experiment) -> dict[str, bool]:
    """What rows are sent as: what the mappings of the datasets feed."""
    return {name: False for dataset in experiment.datasets for name in dataset.mappings}


def _write(flow: Path, values: dict[str, Any]) -> None:
    (flow / "flow.flex.yaml").write_text(json.dumps(values))  # JSON is YAML
