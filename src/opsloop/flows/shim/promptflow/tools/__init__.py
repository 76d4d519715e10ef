"""Prompt flow's own tools, as functions and classes."""

from promptflow.tools import aoai, openai

__all__ = ["aoai", "openai"]
