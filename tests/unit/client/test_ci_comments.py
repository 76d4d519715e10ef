"""Comments on pull requests, over real HTTP: found again, never somebody else's, refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsloop.client.ci import comments
from opsloop.client.ci.comments import CommentRefused, HostUnreachable, mark_of, put
from opsloop.client.ci.hosts.around import host_around
from opsloop.core.errors import InvalidInput
from tests.deploy.stand_in import MAY_READ, MAY_WRITE, Kept, served

Environment = Callable[..., dict[str, str]]


@pytest.fixture
def kept() -> Iterator[Kept]:
    with served() as found:
        yield found


def github(kept: Kept, **more: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_TOKEN": MAY_WRITE,
        "GITHUB_REPOSITORY": "acme/chatbot",
        "GITHUB_API_URL": kept.url,
        "GITHUB_REF": "refs/pull/7/merge",
        **more,
    }


def azure(kept: Kept, **more: str) -> dict[str, str]:
    return {
        "TF_BUILD": "True",
        "SYSTEM_ACCESSTOKEN": MAY_WRITE,
        "SYSTEM_COLLECTIONURI": f"{kept.url}/acme/",
        "SYSTEM_TEAMPROJECT": "Chat bot",
        "BUILD_REPOSITORY_ID": "repo-1",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        **more,
    }


@pytest.mark.parametrize("environment", [github, azure], ids=["github", "azure"])
def test_the_second_report_takes_the_place_of_the_first(kept: Kept, environment: Environment) -> None:
    kept.add(7, f"{mark_of('answers')}\nof somebody else", "mallory")
    for number in range(150):
        kept.add(7, f"comment {number}", "mallory")
    first = put(host_around(environment(kept)), "answers", "one")
    second = put(host_around(environment(kept)), "answers", "two")
    other = put(host_around(environment(kept)), "summaries", "three")
    assert (first.is_new, second.is_new, other.is_new) == (True, False, True)
    assert [body.splitlines()[-1] for body in kept.bodies(7)[-2:]] == ["two", "three"]
    assert kept.bodies(7)[0].endswith("of somebody else")


@pytest.mark.parametrize("environment", [github, azure], ids=["github", "azure"])
def test_a_token_that_may_not_write_is_told_what_it_lacks(kept: Kept, environment: Environment) -> None:
    names = {"GITHUB_TOKEN": MAY_READ, "SYSTEM_ACCESSTOKEN": MAY_READ}
    with pytest.raises(CommentRefused, match=r"refused the comment \(403\).*(pull-requests: write|contribute)"):
        put(host_around(environment(kept, **names)), "answers", "one")
    assert kept.comments == {}


def test_the_pull_request_is_that_of_the_event(kept: Kept, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    put(host_around(github(kept, GITHUB_EVENT_PATH=str(event))), "answers", "one")
    put(host_around(github(kept), pull_request=13), "answers", "two")
    assert sorted(kept.comments) == [12, 13]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "neither a job of GitHub Actions nor one of Azure Pipelines"),
        ({"GITHUB_ACTIONS": "true"}, "GH_TOKEN is not set"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "t"}, "GITHUB_REPOSITORY is not set"),
        ({"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "a/b/../c"}, "wanted owner/name"),
        ({"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "a/b", "GITHUB_REF": "refs/heads/main"}, "no pull request"),
        ({"TF_BUILD": "True"}, "SYSTEM_ACCESSTOKEN is not set"),
        (
            {
                "GITHUB_TOKEN": "t",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_REF": "refs/pull/1/merge",
                "GITHUB_API_URL": "http://api.example.com",
            },
            "wanted https, for a token is sent there",
        ),
    ],
)
def test_what_the_environment_lacks_is_named(environment: dict[str, str], expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected):
        host_around(environment)


def test_a_host_that_is_away_is_said(kept: Kept) -> None:
    environment = github(kept, GITHUB_API_URL="http://127.0.0.1:9")
    with pytest.raises(HostUnreachable, match="GitHub could not be reached"):
        put(host_around(environment), "answers", "one")


def test_a_mark_cannot_be_left_by_a_name_and_a_comment_is_cut(kept: Kept) -> None:
    assert "-->" not in mark_of("x-->y").removesuffix("-->")
    put(host_around(github(kept)), "answers", "x" * 100_000)
    assert len(kept.bodies(7)[0]) == comments.MOST_CHARS
