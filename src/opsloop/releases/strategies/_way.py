"""Options that every strategy has: who has to say yes, and when the candidate may be given traffic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator

from opsloop.releases.plan import ApprovalPlan, BakePlan, OnTrigger, Plan
from opsloop.releases.strategies._options import Options
from opsloop.releases.windows import DAY_MINUTES, DAYS, Window

_DAY_FORM = "days such as mon, fri or mon-fri"
_CLOCK_FORM = "a time of day such as '09:00'"


class ApprovalOptions(Options):
    """`when` alone may be given for the whole."""

    when: Literal["never", "before", "each"] = "never"
    four_eyes: bool = ApprovalPlan().four_eyes
    expires_s: float = Field(ApprovalPlan().expires_s, ge=60.0, le=30 * 86_400.0)


class WindowOptions(Options):
    """A cron expression alone may be given for the whole."""

    days: list[str] = Field(["mon-sun"], min_length=1)
    start: str | int = Field("00:00", alias="from")
    end: str | int = Field("24:00", alias="to")
    timezone: str = "UTC"
    cron: str | None = None

    @field_validator("days", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("days")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for each in value:
            _days(each)
        return value

    @field_validator("start", "end")
    @classmethod
    def _time(cls, value: str | int) -> str | int:
        _minutes(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # OSError: the name of a folder of the database
            raise ValueError("the name of a time zone such as Europe/Berlin") from None
        return value

    @field_validator("cron")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        if value is not None:
            _check_cron(value)
        return value

    @model_validator(mode="after")
    def _either(self) -> WindowOptions:
        if self.cron is not None and {"days", "start", "end"} & self.model_fields_set:
            raise ValueError("cron, or days with from and to")
        if self.cron is None and _minutes(self.start) == _minutes(self.end):
            raise ValueError("from and to that differ")
        return self

    def as_window(self) -> Window:
        days = sorted({day for each in self.days for day in _days(each)})
        return Window(self.timezone, tuple(days), _minutes(self.start), _minutes(self.end), self.cron)


class LimitOptions(Options):
    """Rates that are tolerated; unset: it is not looked at."""

    error: float | None = Field(None, gt=0.0, lt=1.0)
    slow: float | None = Field(None, gt=0.0, lt=1.0)
    dissatisfied: float | None = Field(None, gt=0.0, lt=1.0)
    guarded: float | None = Field(None, gt=0.0, lt=1.0)


class BakeOptions(Options):
    bake_s: float = Field(3_600.0, ge=0.0, le=90 * 86_400.0)
    on_trigger: OnTrigger = OnTrigger.TELL
    limits: LimitOptions = LimitOptions()
    slow_ms: float = Field(BakePlan().slow_ms, gt=0.0)
    alpha: float = Field(BakePlan().alpha, gt=0.0, lt=1.0)

    def as_bake(self) -> BakePlan:
        limits = self.limits.model_dump(exclude_none=True)
        return BakePlan(self.bake_s, self.on_trigger, limits, self.slow_ms, self.alpha)


class WayOptions(Options):
    bake: BakeOptions = BakeOptions(bake_s=0.0)
    approval: ApprovalOptions = ApprovalOptions()
    windows: list[WindowOptions] = Field(default=[], max_length=20)

    @field_validator("approval", mode="before")
    @classmethod
    def _when(cls, value: object) -> object:
        return {"when": value} if isinstance(value, str) else value

    @field_validator("windows", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        windows = value if isinstance(value, list) else [value]
        return [{"cron": each} if isinstance(each, str) else each for each in windows]


def on_its_way(plan: Plan, options: WayOptions, *, marked: Iterable[int] = ()) -> Plan:
    """A plan with what these options ask for.

    Args:
        marked: places of which a step itself says that it is to be approved.
    """
    asked: dict[str, Iterable[int]] = {
        "never": (),
        "before": (plan.first_place,),
        "each": range(plan.first_place, plan.last_place + 1),
    }
    approval = ApprovalPlan(
        places=tuple(sorted({*marked, *asked[options.approval.when]})),
        four_eyes=options.approval.four_eyes,
        expires_s=options.approval.expires_s,
    )
    bake = options.bake.as_bake()
    return replace(plan, approval=approval, bake=bake, windows=tuple(each.as_window() for each in options.windows))


def _days(text: str) -> list[int]:
    first, _, last = text.strip().lower().partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise ValueError(_DAY_FORM)
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _minutes(given: str | int) -> int:
    """Minutes of the day. YAML 1.1 reads 17:00 without quotes as the number of its minutes."""
    minutes: Any = given
    if isinstance(given, str):
        hour, colon, minute = given.partition(":")
        is_clock = colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and int(minute) < 60
        minutes = 60 * int(hour) + int(minute) if is_clock else None
    if not isinstance(minutes, int) or not 0 <= minutes <= DAY_MINUTES:
        raise ValueError(_CLOCK_FORM)
    return minutes


def _check_cron(cron: str) -> None:
    try:
        next(CronSim(cron, datetime(2027, 1, 1)))  # noqa: DTZ001 (wall time has no zone)
    except (CronSimError, StopIteration):
        raise ValueError("five cron fields that name open minutes, e.g. '* 9-16 * * 1-5'") from None
