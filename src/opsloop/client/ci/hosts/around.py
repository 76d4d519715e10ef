"""Which host this process runs for, as its environment says."""

from __future__ import annotations

from collections.abc import Mapping

from opsloop.client.ci.comments import CommentHost
from opsloop.client.ci.hosts.azure_devops import AzureDevOps
from opsloop.client.ci.hosts.github import GitHub
from opsloop.core.errors import InvalidInput


def host_around(environment: Mapping[str, str], *, pull_request: int | None = None) -> CommentHost:
    """Raises: InvalidInput when it is neither, or does not name a pull request."""
    if environment.get("TF_BUILD"):
        return AzureDevOps(environment, pull_request=pull_request)
    if environment.get("GITHUB_ACTIONS") or environment.get("GITHUB_REPOSITORY"):
        return GitHub(environment, pull_request=pull_request)
    raise InvalidInput("this is neither a job of GitHub Actions nor one of Azure Pipelines", field="environment")
