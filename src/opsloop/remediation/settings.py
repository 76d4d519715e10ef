"""Settings of remediation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from opsloop.core.caller import Role
from opsloop.core.settings import Section


class SlackApprover(BaseModel):
    """Who somebody in Slack is here. `name`: as it stands in the record elsewhere, so that one person counts once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9@:._+-]+$")
    role: Role = Role.OPERATOR

    @field_validator("name")
    @classmethod
    def _is_a_person(cls, given: str) -> str:
        if given.startswith("system:"):
            raise ValueError("is a part of the platform; wanted a person's name as in the record, such as key:maria")
        return given


class RemediationSettings(Section):
    remediation_environment: str = Field(
        "default",
        min_length=1,
        max_length=63,
        description=(
            "Environment of what declares none, as a name; all but staging, test and development are production."
        ),
    )
    remediation_levels: dict[str, int] = Field(
        {},
        description="Highest level that playbooks may have, as JSON: a pattern of names to 1 to 5; unset: 4 for all.",
    )
    remediation_successes: int = Field(
        20, ge=1, description="Verified successes in a row that a playbook needs for level 5, as a number."
    )
    remediation_successes_outside: int = Field(
        3,
        ge=0,
        description="Verified successes in a row outside of production before level 5 in production, as a number.",
    )
    remediation_lower_bound: float = Field(
        0.8, ge=0, lt=1, description="Least lower bound of its chance of success for level 5, as a number from 0 to 1."
    )
    remediation_quiet_days: float = Field(
        90, ge=0, description="Time without a failure that a playbook needs for level 5, as a number of days."
    )
    remediation_approval_s: float = Field(
        900, gt=0, description="Time in which a proposed repair is approved or lapses, as a number of seconds."
    )
    remediation_four_eyes: list[str] = Field(
        [], description="Playbooks that need two people's yes, as a JSON list of patterns of names."
    )
    remediation_check_s: float = Field(
        600, gt=0, description="Longest time in which a repair has to show that it helped, as a number of seconds."
    )
    remediation_check_requests: int = Field(
        50, ge=1, description="Least requests after a repair of an endpoint before it counts as helped, as a number."
    )
    remediation_tick_s: float = Field(
        2, gt=0, description="Time between two looks at a repair that acted, as a number of seconds."
    )
    remediation_cooldown_s: float = Field(
        3_600,
        ge=0,
        description="Time in which nothing acts by itself on the same target again, as a number of seconds.",
    )
    remediation_most_per_hour: int = Field(
        4, ge=0, description="Most repairs in an hour that act by themselves, as a number."
    )
    remediation_most_endpoints: int = Field(
        1, ge=0, description="Most endpoints that a repair may touch by itself, as a number."
    )
    remediation_most_resources: int = Field(
        1, ge=0, description="Most other resources that a repair may touch by itself, as a number."
    )
    remediation_runbooks: str = Field(
        "", max_length=63, description="Collection of documents that the assistant reads as runbooks; empty: none."
    )
    remediation_slack_signing_secret: str | None = Field(
        None, repr=False, description="Signing secret of the Slack app whose buttons answer; unset: no buttons."
    )
    remediation_slack_token: str | None = Field(
        None,
        repr=False,
        description="Bot token of the Slack app (scope chat:write), which lets messages be rewritten; unset: they are "
        "posted by the webhooks of alert channels.",
    )
    remediation_slack_channel: str = Field(
        "",
        max_length=100,
        pattern=r"^[A-Z0-9]*$",
        description="Channel in which the bot asks, as Slack's id such as C024BE91L; empty: webhooks ask.",
    )
    remediation_slack_api: str = Field(
        "https://slack.com/api",
        pattern=r"^https?://[^\s]+$",
        description="Address of Slack's Web API, as a URL; another one for GovSlack.",
    )
    remediation_slack_approvers: dict[str, SlackApprover] = Field(
        {},
        description=(
            "Who may answer in Slack, as JSON: a Slack user id to {name, role}; the name is the one in the record."
        ),
    )
