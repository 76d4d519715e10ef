"""Comments on GitHub's pull requests, by its REST API, as a job of GitHub Actions may write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from opsloop.client.ci.comments import Api, CommentRefused, Put, needed
from opsloop.core.errors import InvalidInput

API = "https://api.github.com"
VERSION = "2022-11-28"
PAGE = 100
ACTIONS = "github-actions[bot]"
"""Who writes with a job's own token, which may not ask who it is."""
_HINT = "the job needs `permissions: pull-requests: write`, which pull requests of forks never get"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_REF = re.compile(r"refs/pull/(\d+)/")


class GitHub:
    """The pull request that a job runs for. Raises: InvalidInput when the environment does not say which."""

    def __init__(self, environment: Mapping[str, str], *, pull_request: int | None = None) -> None:
        token = environment.get("GITHUB_TOKEN") or needed(environment, "GH_TOKEN", "give the step `GITHUB_TOKEN`")
        repository = needed(environment, "GITHUB_REPOSITORY", "wanted owner/name of the repository")
        if not _REPOSITORY.fullmatch(repository):
            raise InvalidInput(field="GITHUB_REPOSITORY", value=repository, wanted="owner/name")
        self._repository = f"repos/{repository}"
        self._number = pull_request or _number(environment)
        headers = {
            "authorization": f"Bearer {token}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": VERSION,
        }
        self._api = Api("GitHub", environment.get("GITHUB_API_URL") or API, headers, _HINT)

    def put(self, mark: str, body: str) -> Put:
        me = self._login()
        for comment in self._comments():
            if str(comment.get("body", "")).startswith(mark) and comment.get("user", {}).get("login") == me:
                at = f"{self._repository}/issues/comments/{comment['id']}"
                return Put(str(self._api.send("PATCH", at, {"body": body}).get("html_url", "")), is_new=False)
        made = self._api.send("POST", f"{self._repository}/issues/{self._number}/comments", {"body": body})
        return Put(str(made.get("html_url", "")), is_new=True)

    def _comments(self) -> Iterator[dict[str, Any]]:
        at = f"{self._repository}/issues/{self._number}/comments"
        page = 1
        while found := self._api.send("GET", at, per_page=PAGE, page=page):
            yield from found
            if len(found) < PAGE:
                return
            page += 1

    def _login(self) -> str:
        try:
            return str(self._api.send("GET", "user")["login"])
        except CommentRefused as error:
            if error.facts["status"] not in (403, 404):
                raise
            return ACTIONS


def _number(environment: Mapping[str, str]) -> int:
    event = environment.get("GITHUB_EVENT_PATH")
    if event and Path(event).is_file():
        found = msgspec.json.decode(Path(event).read_bytes())
        number = found.get("pull_request", {}).get("number") or found.get("number")
        if isinstance(number, int):
            return number
    if match := _REF.match(environment.get("GITHUB_REF", "")):
        return int(match[1])
    raise InvalidInput("this job runs for no pull request; name one with --pull-request", field="pull request")
