"""Which kinds of webhooks there are."""

from __future__ import annotations

from opsloop.incidents.intake import azure_devops, cloudwatch, github, gitlab, grafana
from opsloop.incidents.intake.message import Source

SOURCES: dict[str, Source] = {
    each.SOURCE.name: each.SOURCE for each in (github, gitlab, azure_devops, grafana, cloudwatch)
}
