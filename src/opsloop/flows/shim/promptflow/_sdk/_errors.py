"""`from promptflow._sdk._errors import InvalidRunStatusError`."""

from opsloop.flows.batch_run_folder import RunMissing as RunNotFoundError
from opsloop.flows.compat.run_operations import RunNotCompleted as InvalidRunStatusError
from opsloop.flows.connections.errors import ConnectionMissing as ConnectionNotFoundError

__all__ = ["ConnectionNotFoundError", "InvalidRunStatusError", "RunNotFoundError"]
