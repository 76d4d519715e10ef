"""Comments on Azure DevOps' pull requests, by its REST API, as a pipeline's job may write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from opsloop.client.ci.comments import Api, Put, needed

VERSION = "7.1"
_HINT = "give the step SYSTEM_ACCESSTOKEN, and the build service the right to contribute to pull requests"
_CLOSED = 4
"""Status of the thread: the exit code holds the pull request back, an open thread would be a second lock."""
_TEXT = 1


@dataclass(frozen=True, slots=True)
class _Comment:
    thread: int
    id: int
    content: str
    author: str


class AzureDevOps:
    """The pull request that a pipeline runs for. Raises: InvalidInput when the environment does not say which."""

    def __init__(self, environment: Mapping[str, str], *, pull_request: int | None = None) -> None:
        why = "the step runs in no pipeline for a pull request"
        token = needed(environment, "SYSTEM_ACCESSTOKEN", "map `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` to the step")
        self._project = quote(needed(environment, "SYSTEM_TEAMPROJECT", why), safe="")
        repository = quote(needed(environment, "BUILD_REPOSITORY_ID", why), safe="")
        number = pull_request or int(needed(environment, "SYSTEM_PULLREQUEST_PULLREQUESTID", why))
        self._threads = f"{self._project}/_apis/git/repositories/{repository}/pullRequests/{number}/threads"
        collection = needed(environment, "SYSTEM_COLLECTIONURI", why)
        self._api = Api("Azure DevOps", collection, {"authorization": f"Bearer {token}"}, _HINT)

    def put(self, mark: str, body: str) -> Put:
        me = self._send("GET", "_apis/connectionData", version="7.1-preview")["authenticatedUser"]["id"]
        for found in self._comments():
            if found.content.startswith(mark) and found.author == me:
                at = f"{self._threads}/{found.thread}/comments/{found.id}"
                return Put(_address(self._send("PATCH", at, {"content": body})), is_new=False)
        comment = {"parentCommentId": 0, "content": body, "commentType": _TEXT}
        made = self._send("POST", self._threads, {"comments": [comment], "status": _CLOSED})
        return Put(_address(made), is_new=True)

    def _comments(self) -> Iterator[_Comment]:
        for thread in self._send("GET", self._threads).get("value", []):
            for each in thread.get("comments", []):
                if not each.get("isDeleted"):
                    author = str(each.get("author", {}).get("id", ""))
                    yield _Comment(thread["id"], each["id"], str(each.get("content", "")), author)

    def _send(self, method: str, at: str, body: object = None, *, version: str = VERSION) -> Any:
        return self._api.send(method, at, body, **{"api-version": version})


def _address(answer: Mapping[str, Any]) -> str:
    return str(answer.get("_links", {}).get("self", {}).get("href", ""))
