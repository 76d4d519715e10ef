"""Keys of workflows, and a key put in the place of another."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Any

# As nearly alike as a slip of the finger is: one letter of five.
ALIKE = 0.75

# Source: GitHub's "Workflow syntax for GitHub Actions".
WORKFLOW = ("name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs")
JOB = (
    *("name", "permissions", "needs", "if", "runs-on", "snapshot", "environment", "concurrency", "outputs", "env"),
    *("defaults", "steps", "timeout-minutes", "strategy", "continue-on-error", "container", "services", "uses"),
    *("with", "secrets"),
)
STEP = (
    *("id", "if", "name", "uses", "run", "working-directory", "shell", "with", "env", "continue-on-error"),
    "timeout-minutes",
)
STRATEGY = ("matrix", "fail-fast", "max-parallel")
# Source: Microsoft's "YAML schema reference for Azure Pipelines".
AZURE_PIPELINE = (
    *("name", "trigger", "pr", "schedules", "resources", "variables", "parameters", "pool", "stages", "jobs", "steps"),
    *("extends", "strategy", "appendCommitMessageToRunName", "lockBehavior", "container", "services", "workspace"),
)
AZURE_STAGE = (
    *("stage", "displayName", "dependsOn", "condition", "variables", "jobs", "pool", "lockBehavior", "trigger"),
    *("isSkippable", "templateContext", "template", "parameters", "group"),
)
AZURE_JOB = (
    *("job", "deployment", "displayName", "dependsOn", "condition", "continueOnError", "timeoutInMinutes"),
    *("cancelTimeoutInMinutes", "variables", "strategy", "pool", "container", "services", "workspace", "uses"),
    *("steps", "environment", "templateContext", "template", "parameters"),
)
AZURE_STEP = (
    *("task", "script", "bash", "pwsh", "powershell", "checkout", "download", "downloadBuild", "getPackage"),
    *("publish", "template", "reviewApp", "displayName", "name", "condition", "continueOnError", "enabled"),
    *("env", "inputs", "workingDirectory", "failOnStderr", "errorActionPreference", "ignoreLASTEXITCODE"),
    *("target", "timeoutInMinutes", "retryCountOnTaskFailure", "parameters", "clean", "fetchDepth", "fetchTags"),
    *("lfs", "submodules", "path", "persistCredentials", "artifact", "patterns", "informationPreference"),
)


def nearest(key: str, known: Collection[str], *, taken: Collection[object] = ()) -> str | None:
    """The known key that `key` is a slip of; None when none is near or it is there already."""
    plain = {each.lower().replace("-", "").replace("_", ""): each for each in known}
    same = plain.get(key.lower().replace("-", "").replace("_", ""))
    near = [same] if same else difflib.get_close_matches(key, known, n=1, cutoff=ALIKE)
    found = near[0] if near else None
    return None if found is None or found == key or found in taken else found


def rename(mapping: Any, old: str, new: str) -> None:
    """In the same place, with the comment that stands beside it."""
    place = list(mapping).index(old)
    value = mapping.pop(old)
    comment = mapping.ca.items.pop(old, None)
    mapping.insert(place, new, value)
    if comment is not None:
        mapping.ca.items[new] = comment
