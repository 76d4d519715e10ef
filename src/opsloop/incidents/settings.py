"""Settings of incidents."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from opsloop.core.settings import Section


class IncidentSettings(Section):
    incident_least_severity: Literal["page", "ticket", "info"] = Field(
        "ticket", description="Least severity of a signal that opens an incident: page, ticket or info."
    )
    incident_after: dict[str, int] = Field(
        {},
        description="How often a signal is told before it opens an incident, as JSON: a pattern of names to a number.",
    )
    incident_window_s: float = Field(
        3_600, gt=0, description="Longest silence between two signals of one incident, as a number of seconds."
    )
    incident_flap_s: float = Field(
        1_800, ge=0, description="Time in which a signal that comes back is the same one, as a number of seconds."
    )
    incident_quiet_s: float = Field(
        7_200,
        gt=0,
        description="Time after which a failed job, rollback, CI run or an anomaly that is not told again is "
        "over, as a number of seconds.",
    )
    incident_collect_s: float = Field(
        20,
        ge=0,
        description="Time from the first signal until suspects are named, as a number of seconds.",
    )
    incident_topology: dict[str, list[str]] = Field(
        {}, description="Which service calls which, as JSON: a name to a list of names."
    )
    incident_topology_h: float = Field(
        168, gt=0, le=8_760, description="Time for which a call that traces showed is known, as a number of hours."
    )
    incident_kept_days: float = Field(
        400, gt=0, description="Time that closed incidents are kept, as a number of days."
    )
    hook_github_secret: str | None = Field(None, repr=False, description="Secret of GitHub's webhook; unset: API key.")
    hook_gitlab_token: str | None = Field(None, repr=False, description="Token of GitLab's webhook; unset: API key.")
    hook_azure_devops_password: str | None = Field(
        None, repr=False, description="Password of Azure DevOps' service hook (basic authentication); unset: API key."
    )
    hook_grafana_secret: str | None = Field(
        None, repr=False, description="Secret of Grafana's webhook (HMAC); unset: API key."
    )
    hook_cloudwatch_topics: list[str] = Field(
        [], description="SNS topics that may tell CloudWatch alarms, as a JSON list of ARNs; empty: none."
    )
