"""What a server remembers of failures that were diagnosed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from opsloop.client.connection import Connection
from opsloop.incidents.diagnosis.history.models import Remembered, Told

# How CI systems name what runs, and at which commit.
_JOBS = (
    ("GITHUB_REPOSITORY", "GITHUB_WORKFLOW"),
    ("CI_PROJECT_PATH", "CI_JOB_NAME"),
    ("BUILD_REPOSITORY_NAME", "BUILD_DEFINITIONNAME"),
    ("JOB_NAME",),
)
_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "GIT_COMMIT")


class Diagnoses:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, told: Told) -> Remembered:
        """What is like it; the server keeps it too. Of the log only the cause goes there, and fingerprints of lines."""
        body = {name: value for name, value in asdict(told).items() if name != "incident"}
        return self._connection.post("/api/diagnoses", Remembered, body=body)


def job_around(environment: Mapping[str, str]) -> str:
    """What runs here as its CI system names it, `shop/test`; empty where none does."""
    for names in _JOBS:
        if environment.get(names[0]):
            return "/".join(environment[name] for name in names if environment.get(name))
    return ""


def commit_around(environment: Mapping[str, str]) -> str:
    return next((environment[name] for name in _COMMITS if environment.get(name)), "")
