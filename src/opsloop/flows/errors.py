"""What can be wrong with a flow, and with running it.

FlowInvalid        invalid      the flow's own files are wrong: file, key, value, wanted form
FlowMissing        missing      there is no flow at that path
InputInvalid       invalid      the caller's inputs are wrong
FlowRunError       failed       a run ended without outputs; carries the traces so far
├── NodeFailed     failed       a node raised
├── NodeRefused    invalid      a node raised a UserErrorException: its words are for the caller
├── NodeTimedOut   timed_out    a node did not end within its time
└── NodeUnavailable unavailable a node needs something that is away for now
ModelAnswerInvalid failed       a model's answer is not in the form that was asked for
FlowTooLarge       too_large    a flow's folder is over the limit
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from opsloop.core.errors import Failed, InvalidInput, Kind, NotFound, OpsloopError, TooLarge, shown
from opsloop.flows.results import FlowResult


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, or None when none does."""
    found = difflib.get_close_matches(str(name), [str(each) for each in known], n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'question'?` or nothing."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near is not None else ""


class FlowMissing(NotFound):
    template = (
        "no flow at {path}: wanted a folder with flow.dag.yaml, flow.flex.yaml or one .prompty, "
        "or the path of such a file"
    )


class FlowInvalid(InvalidInput):
    """A flow's file is wrong at `field`, a key path such as `nodes[2].inputs.question`."""

    def __init__(self, *, file: str, field: str, wanted: str, known: Iterable[str] = (), **facts: Any) -> None:
        got = f" is {shown(facts['value'])};" if "value" in facts else ":"
        near = suggestion(facts.get("value"), known) if "value" in facts else ""
        super().__init__(f"{file}: {field}{got} wanted {wanted}{near}", file=file, field=field, wanted=wanted, **facts)


class InputInvalid(InvalidInput):
    """An input given to a flow is wrong or missing."""


class ModelAnswerInvalid(Failed):
    template = "the model's answer to prompty {flow!r} is not in the wanted form: {reason}"


class FlowTooLarge(TooLarge):
    template = "flow folder {folder} holds {what}, the limit is {limit}; move data out of it"


class PackageDamaged(OpsloopError):
    kind = Kind.FAILED
    template = "flow package {digest} is damaged: {reason}; freeze the flow again"


class FlowRunError(OpsloopError):
    """A run that gave no outputs. `result` holds the traces up to then."""

    result: FlowResult | None = None


class NodeFailed(FlowRunError):
    template = "node {node!r} of flow {flow!r} failed: {reason}{where}"


class NodeRefused(FlowRunError):
    """What a caller sent cannot be used, as the flow's author says it to them: `UserErrorException` of a node."""

    kind = Kind.INVALID
    template = "{reason}"


class NodeTimedOut(FlowRunError):
    kind = Kind.TIMED_OUT
    template = "node {node!r} of flow {flow!r} did not end within {timeout_s:g} s; raise its timeout or make it faster"


class NodeUnavailable(FlowRunError):
    kind = Kind.UNAVAILABLE
    template = "node {node!r} of flow {flow!r} cannot run for now: {reason}"
