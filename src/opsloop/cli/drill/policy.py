"""What a drill's platform is: one endpoint, and a policy under which level 5 is earned after few successes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsloop.cli.drill.trouble import PLAYBOOK
from opsloop.cli.drill.wanted import DrillWanted
from opsloop.client.project import Project
from opsloop.remediation.credible import lower_bound
from opsloop.remediation.settings import RemediationSettings

ENVIRONMENT = "test"
USUAL_SUCCESSES: int = RemediationSettings.model_fields["remediation_successes"].default
USUAL_BOUND: float = RemediationSettings.model_fields["remediation_lower_bound"].default


def settings(successes: int) -> dict[str, Any]:
    """Settings in place of the project's own.

    Args:
        successes: verified ones in a row that the playbook needs for level 5.
    """
    return {
        "remediation_environment": ENVIRONMENT,
        "remediation_levels": {PLAYBOOK: 5},
        "remediation_successes": successes,
        "remediation_lower_bound": bound(successes),
        # The same endpoint breaks once a minute, and no other system tells anything that suspects would wait for.
        "remediation_cooldown_s": 0,
        "remediation_tick_s": 0.5,
        "incident_collect_s": 3,
    }


def bound(successes: int) -> float:
    """The largest bound, in hundredths, that so many successes without a failure reach; at most the usual one."""
    return min(USUAL_BOUND, math.floor(100 * lower_bound(successes, 0)) / 100)


def alone(wanted: DrillWanted) -> DrillWanted:
    """The endpoint as a drill has it: nothing renews it, and nobody outside is told of its drift."""
    config = {name: value for name, value in wanted.endpoint.config.items() if name != "renewal"}
    if isinstance(drift := config.get("drift"), Mapping):
        config["drift"] = {name: value for name, value in drift.items() if name != "webhook"}
    return replace(wanted, endpoint=replace(wanted.endpoint, strategy=None, config=config))


def narrowed(project: Project, wanted: DrillWanted) -> Project:
    """The endpoint of the drill and what it learns from; no channel, no collection, no other endpoint."""
    pipeline = wanted.endpoint.pipeline
    return Project(
        project.folder,
        project.name,
        settings=project.settings,
        datasets={wanted.dataset: project.datasets[wanted.dataset]},
        pipelines={pipeline: project.pipelines[pipeline]},
        model_endpoints={wanted.endpoint.name: wanted.endpoint},
        lines=project.lines,
    )
