"""Settings: environment over file over default, read once at start and frozen.

The file is the `settings:` section of `opsloop.yaml`. A variable that is set to nothing counts as unset. A slice brings
its own small model and reads it with `Workspace.section(Model)`; nothing reads `os.environ` later.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from opsloop.core.errors import InvalidInput


class Section(BaseSettings):
    """A frozen settings model; every field has a default that works on a laptop, a unit and a description."""

    model_config = SettingsConfigDict(
        env_prefix="OPSLOOP_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


class CoreSettings(Section):
    """What every process reads."""

    data_dir: Path = Field(Path(".opsloop"), description="Folder of everything this installation keeps, as a path.")
    database_url: str | None = Field(
        None, description="State database, as a SQLAlchemy URL; unset: SQLite in the data folder."
    )
    artifacts_url: str | None = Field(None, description="Artifact store, as a URL; unset: a folder in the data folder.")
    host: str = Field("127.0.0.1", description="Address to listen on, as a host name or IP address.")
    port: int = Field(8700, ge=1, le=65535, description="Port to listen on.")
    body_limit_bytes: int = Field(16_000_000, gt=0, description="Largest request body that is read, in bytes.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Form of log lines on stderr; auto: text on a terminal, JSON elsewhere."
    )
    llm_base_url: str | None = Field(None, description="OpenAI-compatible server, as a URL; unset: the offline engine.")
    llm_api_key: str | None = Field(None, description="Key for that server.", repr=False)
    llm_model: str = Field("gpt-4o-mini", description="Model to ask that server for; of Azure OpenAI the deployment.")
    llm_api_type: Literal["openai", "azure"] = Field(
        "openai", description="How that server is addressed; azure: the deployment in the path, as Azure OpenAI wants."
    )
    llm_api_version: str | None = Field(
        None, description="Version of Azure OpenAI's API, as a date such as 2024-10-21; unset: that one."
    )
    llm_calls_per_minute: int | None = Field(
        None, gt=0, description="Most calls to that server to begin in a minute; unset: as many as it takes."
    )


T = TypeVar("T", bound=Section)


def read(model: type[T], file_values: Mapping[str, Any] | None = None) -> T:
    """One section from the environment, the file's values and the defaults.

    Raises: InvalidInput naming the key, the value and the wanted form.
    """
    known = {key: value for key, value in (file_values or {}).items() if key in model.model_fields}
    try:
        return model(**known)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        field = model.model_fields.get(str(first["loc"][0]))
        if field is not None and "key" in key:
            raise InvalidInput(f"setting {key}: {first['msg']}", field=key) from None
        wanted = _lower_first(first["msg"])
        raise InvalidInput(field=f"setting {key}", value=first.get("input"), wanted=wanted) from None


def sections() -> list[type[Section]]:
    """Every section of the parts that this process has loaded."""
    return _below(Section)


def check(file_values: Mapping[str, Any] | None = None) -> None:
    """Read every section once: a wrong value is told at the start. Raises: InvalidInput naming the setting."""
    for model in sections():
        read(model, file_values)


def _below(section: type[Section]) -> list[type[Section]]:
    return [found for each in section.__subclasses__() for found in (each, *_below(each))]


def _lower_first(text: str) -> str:
    text = text.removeprefix("Input should be ")
    return text[:1].lower() + text[1:]
