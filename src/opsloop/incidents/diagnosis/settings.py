"""What can be set about diagnoses."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class DiagnosisSettings(Section):
    diagnosis_generate: bool = Field(
        True,
        description="Whether the model that is set words diagnoses from the lines that the rules found, true or false.",
    )
    diagnosis_generate_timeout_s: float = Field(
        30.0, gt=0, le=600, description="Longest time for a model's answer, in seconds; then the rules' answer stands."
    )
    diagnosis_generate_tokens: int = Field(
        16_000,
        ge=2_000,
        le=1_000_000,
        description="Most tokens of one call for a diagnosis, question and answer together, as a number of tokens.",
    )
    diagnosis_generate_day_tokens: int = Field(
        1_000_000,
        ge=0,
        description="Most tokens that diagnoses of a platform take of models in a day of UTC, as a number; a call that "
        "could go beyond is not made, and the rules answer.",
    )
    diagnosis_keep: bool = Field(
        True,
        description="Whether diagnoses are kept, without their logs, so that the next one can say what is like it, "
        "true or false.",
    )
    diagnosis_kept_days: float = Field(400, gt=0, description="Time that diagnoses are kept, as a number of days.")
    diagnosis_kept_count: int = Field(
        10_000, ge=1, le=1_000_000, description="Most diagnoses that are kept, the newest, as a number of them."
    )
    diagnosis_generate_usd: float | None = Field(
        None, gt=0, description="Most that one such call may cost, in US dollars as a number; unset: no such limit."
    )
