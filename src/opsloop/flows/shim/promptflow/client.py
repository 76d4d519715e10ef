"""`from promptflow.client import PFClient, load_flow, load_run`."""

from opsloop.flows.compat.flow_objects import load_flow

__all__ = ["load_flow"]
