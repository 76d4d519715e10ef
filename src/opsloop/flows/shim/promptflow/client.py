"""`from promptflow.client import PFClient, load_flow, load_run`."""

from opsloop.flows.compat.client import PFClient
from opsloop.flows.compat.flow_objects import load_flow
from opsloop.flows.compat.run_entity import load_run

__all__ = ["PFClient", "load_flow", "load_run"]
