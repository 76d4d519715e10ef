"""Settings of the parts that ask models."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TypeVar

from pydantic import Field, field_validator

from opsloop.core.context import current_workspace
from opsloop.core.settings import CoreSettings, Section, read
from opsloop.llm.pacing import MOST_IN_FLIGHT
from opsloop.llm.recording import Mode

S = TypeVar("S", bound=Section)


class ModelSettings(Section):
    llm_recording: Path | None = Field(
        None, description="File or folder in which calls to models are recorded and from which replayed, as a path."
    )
    llm_recording_mode: Mode = Field(
        Mode.AUTO,
        description="record: ask, and keep each answer; replay: never ask; auto: ask for what is not recorded yet.",
    )
    llm_calls_at_once: int = Field(
        MOST_IN_FLIGHT,
        ge=1,
        le=10_000,
        description="Most calls under way to one model of one server, a number of calls.",
    )
    llm_answer_limit_bytes: int = Field(
        8_000_000,
        ge=10_000,
        le=1_000_000_000,
        description="Longest answer of a model to one call; a server that sends more is cut off, in bytes.",
    )
    llm_prices: Path | None = Field(
        None, description="File of prices of models, as a path; read over the prices that Opsloop brings."
    )

    llm_fallbacks: str = Field(
        "",
        description="Model servers asked when that of OPSLOOP_LLM_BASE_URL cannot answer, as JSON: "
        '[{"base_url": "https://…/v1", "api_key": "…", "model": "…"}, "offline"].',
        repr=False,
    )
    llm_failover_after_s: float = Field(
        20.0, gt=0, le=600, description="Longest wait for a server to begin before the next is asked, in seconds."
    )

    @field_validator("llm_recording", "llm_prices")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.absolute()  # a flow that runs may change the folder


def here() -> ModelSettings:
    """Those of the current workspace; without one, those of the environment."""
    workspace = current_workspace.get(None)
    return _of_environment(ModelSettings) if workspace is None else workspace.section(ModelSettings)


def core_here() -> CoreSettings:
    """As `here`, for the model server."""
    workspace = current_workspace.get(None)
    return _of_environment(CoreSettings) if workspace is None else workspace.settings


def _of_environment(section: type[S]) -> S:
    found = _read(section, tuple(map(os.environ.get, _names(section))))
    assert isinstance(found, section)
    return found


@functools.cache
def _names(section: type[Section]) -> tuple[str, ...]:
    return tuple(f"OPSLOOP_{name}".upper() for name in section.model_fields)


@functools.lru_cache(maxsize=16)
def _read(section: type[Section], values: tuple[str | None, ...]) -> Section:
    """Once for the same values in the environment: a flow asks several times in each of its runs."""
    return read(section)
