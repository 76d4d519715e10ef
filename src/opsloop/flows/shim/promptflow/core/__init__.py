"""`from promptflow.core import tool, log_metric, Prompty, AzureOpenAIModelConfiguration`."""

from __future__ import annotations

from opsloop.flows.compat.flow_objects import AsyncFlow, Flow
from opsloop.flows.compat.model_configurations import (
    AzureOpenAIModelConfiguration,
    ModelConfiguration,
    OpenAIModelConfiguration,
)
from opsloop.flows.compat.prompties import AsyncPrompty, Prompty
from opsloop.flows.compat.tool_marks import ToolProvider, tool
from opsloop.flows.metrics import log_metric

__all__ = [
    "AsyncFlow",
    "AsyncPrompty",
    "AzureOpenAIModelConfiguration",
    "Flow",
    "ModelConfiguration",
    "OpenAIModelConfiguration",
    "Prompty",
    "ToolProvider",
    "log_metric",
    "tool",
]
