"""An error as a caller may hear it.

What a node of a flow says when it fails is for those who run the flow: it may hold an address, a key, another user's
words. Callers hear which node it was and under which request to ask; the words are in the log at level debug. What a
node raises as `UserErrorException` its author wrote for them: they hear it as it is.
"""

from __future__ import annotations

from opsloop.core.errors import OpsloopError
from opsloop.flows.errors import NodeFailed, NodeUnavailable


def spoken(error: OpsloopError, request_id: str) -> OpsloopError:
    """The error itself, or in its place one of its kind that says no more than a caller may know."""
    if isinstance(error, NodeFailed | NodeUnavailable):
        node = error.facts["node"]
        what = "failed" if isinstance(error, NodeFailed) else "cannot run for now"
        return type(error)(f"node {node!r} {what}; whoever runs it finds it under request {request_id}", node=node)
    return error
