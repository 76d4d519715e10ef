"""Prompt flow in Azure has no part that runs here."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotImplementedError(
        f"promptflow.azure.{name} runs flows in an Azure workspace, which this installation does not reach; "
        "run them here with promptflow.client.PFClient, or pip install promptflow-azure"
    )
