"""Where some flows import `Prompty` from."""

from promptflow.core import AsyncFlow, AsyncPrompty, Flow, Prompty

__all__ = ["AsyncFlow", "AsyncPrompty", "Flow", "Prompty"]
