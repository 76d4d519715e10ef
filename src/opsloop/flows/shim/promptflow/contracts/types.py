"""`from promptflow.contracts.types import Secret, FilePath, PromptTemplate`."""

from opsloop.flows.compat.tool_marks import FilePath, PromptTemplate, Secret

__all__ = ["FilePath", "PromptTemplate", "Secret"]
