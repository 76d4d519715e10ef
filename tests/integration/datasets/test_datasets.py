"""Datasets through their service and API, on both databases."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.datasets import diff, lineage, service
from opsloop.datasets.errors import DatasetMissing
from opsloop.datasets.models import ColumnType, DatasetVersion, TopValue


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def register(
    workspace: Workspace, by: Caller, data: bytes, *tags: str, name: str = "golden", filename: str = "rows.jsonl"
) -> DatasetVersion:
    with workspace.writing(by) as uow:
        return service.register(uow, name, filename, data, tags=tags)


def rows_of(workspace: Workspace, by: Caller, version: DatasetVersion) -> list[dict[str, Any]]:
    with workspace.reading(by) as uow:
        return list(service.rows(uow, version))


ROWS: list[dict[str, Any]] = [
    {"id": "a", "n": 1, "score": 0.5, "ok": True, "meta": {"pages": [1, 2], "x": None}},
    {"id": "b", "n": None, "score": 2.0, "ok": False},
    {"id": "c\u2028\n\0\"'", "n": -(2**63), "score": 1e-300, "ok": None, "meta": ["é", 10**30]},
]


def test_rows_come_back_exactly_as_they_went_in(workspace: Workspace, admin: Caller) -> None:
    version = register(workspace, admin, lines(*ROWS))
    assert rows_of(workspace, admin, version) == ROWS
    assert version.rows == 3
    assert [column.type for column in version.schema] == [
        ColumnType.TEXT,
        ColumnType.INTEGER,
        ColumnType.NUMBER,
        ColumnType.BOOLEAN,
        ColumnType.JSON,
    ]


def test_equal_rows_are_the_same_version_whatever_file_they_come_from(workspace: Workspace, admin: Caller) -> None:
    first = register(workspace, admin, b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n')
    again = register(workspace, admin, b"b,a\nx,1\ny,2\n", filename="rows.csv")
    other = register(workspace, admin, b'{"a": 1, "b": "x"}\n')
    assert (first.ref, again.ref, other.ref) == ("golden@1", "golden@1", "golden@2")
    assert first.digest == again.digest != other.digest


def test_a_missing_key_is_not_null(workspace: Workspace, admin: Caller) -> None:
    missing = register(workspace, admin, lines({"a": 1, "b": None}, {"a": 2}))
    null = register(workspace, admin, lines({"a": 1, "b": None}, {"a": 2, "b": None}))
    assert missing.digest != null.digest
    assert rows_of(workspace, admin, missing) == [{"a": 1, "b": None}, {"a": 2}]
    assert missing.profile[1].nulls == 2
    assert missing.profile[1].missing == 1


def test_names_tags_and_numbers_find_a_version(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, lines({"a": 1}), "frozen")
    register(workspace, admin, lines({"a": 2}), "frozen", "golden")
    register(workspace, admin, lines({"a": 1}), "again")
    with workspace.reading(admin) as uow:
        assert service.get(uow, "golden").version == 1
        assert service.get(uow, "golden@latest").version == 1
        assert service.get(uow, "golden@2").version == 2
        assert service.get(uow, "golden@frozen").version == 2
        assert service.get(uow, "golden@again").tags == ("again", "frozen")
        assert [each.version for each in service.listed(uow, name="golden")] == [2, 1]
        assert [each.ref for each in service.listed(uow)] == ["golden@1"]


def test_what_is_not_there_is_named_with_the_nearest_one(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, lines({"a": 1}))
    with workspace.reading(admin) as uow:
        with pytest.raises(DatasetMissing, match="did you mean 'golden'"):
            service.get(uow, "goldn")
        for ref in ("golden@9", "golden@silver", "golden@99999999999999999999"):
            with pytest.raises(DatasetMissing, match=ref):
                service.get(uow, ref)


def test_the_profile_counts_and_measures_every_column(sqlite_workspace: Workspace, admin: Caller) -> None:
    version = register(
        sqlite_workspace, admin, lines({"n": 1, "t": "ab", "b": True}, {"n": 4, "t": "abcd", "b": False}, {"n": None})
    )
    n, t, b = version.profile
    assert (n.nulls, n.distinct, n.minimum, n.maximum, n.mean) == (1, 2, 1.0, 4.0, 2.5)
    assert (t.nulls, t.missing, t.shortest, t.longest, t.mean_length) == (1, 1, 2, 4, 3.0)
    assert b.mean == 0.5


def test_the_profile_says_how_values_are_spread(sqlite_workspace: Workspace, admin: Caller) -> None:
    rows = [{"n": number, "topic": "ab"[number % 2], "id": f"row {number}"} for number in range(101)]
    n, topic, id = register(sqlite_workspace, admin, lines(*rows)).profile
    assert n.quantiles == tuple(map(float, range(0, 101, 5)))
    assert topic.top == (TopValue("a", 51), TopValue("b", 50))
    assert id.top == ()


def test_registrations_at_the_same_time_get_different_numbers(workspace: Workspace, admin: Caller) -> None:
    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda n: register(workspace, admin, lines({"a": n})), range(6)))
    assert sorted(each.version for each in made) == [1, 2, 3, 4, 5, 6]


def test_a_bad_file_leaves_nothing_behind(workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="line 2"):
        register(workspace, admin, b'{"a": 1}\n{"a": ')
    with workspace.reading(admin) as uow:
        assert service.listed(uow) == []
    assert list(workspace.artifacts.keys("datasets")) == []


def test_viewers_may_read_and_not_register(sqlite_workspace: Workspace, admin: Caller) -> None:
    version = register(sqlite_workspace, admin, lines({"a": 1}))
    viewer = Caller("test:viewer", Role.VIEWER)
    assert rows_of(sqlite_workspace, viewer, version) == [{"a": 1}]
    with pytest.raises(Denied):
        register(sqlite_workspace, viewer, lines({"a": 2}))


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 81, "a@b"])
def test_a_name_that_could_be_a_path_is_refused(sqlite_workspace: Workspace, admin: Caller, name: str) -> None:
    with pytest.raises(InvalidInput, match="dataset name"):
        register(sqlite_workspace, admin, lines({"a": 1}), name=name)


def test_a_number_is_no_tag(sqlite_workspace: Workspace, admin: Caller) -> None:
    for tag in ("3", "latest", "a b"):
        with pytest.raises(InvalidInput, match="tag"):
            register(sqlite_workspace, admin, lines({"a": 1}), tag)


def test_a_diff_tells_added_removed_and_changed_rows_by_key(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, lines({"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 3, "v": "c"}))
    register(workspace, admin, lines({"id": 3, "v": "C", "w": 1}, {"id": 1, "v": "a"}, {"id": 4, "v": "d"}))
    with workspace.reading(admin) as uow:
        found = diff.diff(uow, "golden@1", "golden@2", key=["id"])
        with pytest.raises(InvalidInput, match="columns of golden@1: id, v"):
            diff.diff(uow, "golden@1", "golden@2", key=["nope"])
    assert (found.added, found.removed, found.changed, found.unchanged) == (1, 1, 1, 1)
    assert found.added_rows == ({"id": 4, "v": "d"},)
    assert found.changed_rows[0].columns == ("v", "w")
    assert found.added_columns == ("w",)


def test_a_key_that_names_two_rows_is_refused(sqlite_workspace: Workspace, admin: Caller) -> None:
    register(sqlite_workspace, admin, lines({"id": 1, "v": "a"}, {"id": 1, "v": "b"}))
    with sqlite_workspace.reading(admin) as uow, pytest.raises(InvalidInput, match=r"\[1\] is there twice"):
        diff.diff(uow, "golden", "golden", key=["id"])


def test_lineage_says_who_used_which_version(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    version = register(workspace, admin, lines({"a": 1}))
    for _ in range(2):
        with workspace.writing(admin) as uow:
            lineage.note_use(uow, version, "evaluation", "run_1")
        clock.advance(1)
    with workspace.reading(admin) as uow:
        assert [(use.dataset, use.noun, use.target) for use in lineage.uses(uow, "golden")] == [
            ("golden@1", "evaluation", "run_1")
        ]


scalars = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.none())
nested = st.recursive(
    st.one_of(scalars, st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)),
    max_leaves=8,
)
row = st.fixed_dictionaries(
    {},
    optional={
        "text": scalars,
        "whole": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
        "flag": st.booleans() | st.none(),
        "nested": st.lists(nested, max_size=3) | st.dictionaries(st.text("ab", max_size=2), nested, max_size=3),
        "odd \"name'": st.integers(),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(row, min_size=1, max_size=6).filter(any))
def test_any_json_rows_come_back_equal(sqlite_workspace: Workspace, admin: Caller, rows: list[dict[str, Any]]) -> None:
    version = register(sqlite_workspace, admin, lines(*rows))
    back = rows_of(sqlite_workspace, admin, version)
    assert back == rows
    # Equality takes 1 for true; the types must be the same too, but for whole numbers in a column of broken ones.
    for before, after in zip(rows, back, strict=True):
        assert {key: type(before[key]) for key in before if key != "number"} == {
            key: type(after[key]) for key in after if key != "number"
        }
    assert register(sqlite_workspace, admin, lines(*back)).ref == version.ref


KILLED = """
import sys
from pathlib import Path
from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.datasets import service

workspace = open_workspace(CoreSettings(data_dir=Path(sys.argv[1])))
by = Caller("test:admin", Role.ADMIN)
with workspace.writing(by) as uow:
    service.register(uow, "golden", "rows.csv", b"a\\n1\\n")
put = workspace.artifacts.put_file
def put_and_stop(key, path):
    if sys.argv[2] == "after":
        put(key, path)
    print("here", flush=True)
    sys.stdin.read()
workspace.artifacts.put_file = put_and_stop
with workspace.writing(by) as uow:
    service.register(uow, "golden", "rows.csv", b"a\\n2\\n")
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_during_registration_leaves_the_old_version_and_no_half_one(
    tmp_path: Path, admin: Caller, moment: str
) -> None:
    from opsloop.core.opening import open_workspace
    from opsloop.core.settings import CoreSettings

    command = [sys.executable, "-c", KILLED, str(tmp_path / "data"), moment]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    with workspace.reading(admin) as uow:
        assert [each.ref for each in service.listed(uow, name="golden")] == ["golden@1"]
        assert list(service.rows(uow, service.get(uow, "golden"))) == [{"a": 1}]
    assert register(workspace, admin, b"a\n2\n", filename="rows.csv").ref == "golden@2"
    workspace.close()


@pytest.fixture
def http(workspace: Workspace, admin: Caller) -> TestClient:
    from opsloop.datasets.api import router

    app = FastAPI()
    app.state.workspace = workspace
    app.router.routes.extend(router.routes)

    async def with_caller(scope: Any, receive: Any, send: Any) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    return TestClient(with_caller)


def test_a_file_is_registered_and_read_over_http(http: TestClient) -> None:
    sent = http.post(
        "/api/datasets/golden/versions?filename=rows.jsonl&tags=golden,small",
        content=b'{"a": 1}\n{"a": 2}\n',
        headers={"content-type": "application/json"},
    )
    assert sent.status_code == 201, sent.text
    assert sent.json()["schema"] == [{"name": "a", "type": "integer"}]
    assert sent.json()["tags"] == ["golden", "small"]
    page = http.get("/api/datasets/golden/versions/small/rows?limit=1").json()
    assert page == {"items": [{"a": 1}], "next": 1}
    assert http.get("/api/datasets/golden/versions/1/rows?offset=1").json() == {"items": [{"a": 2}], "next": None}
    assert http.get("/api/datasets").json()["items"][0]["rows"] == 2
    assert http.get("/api/datasets/golden").json()["current"]["version"] == 1


def test_two_versions_are_compared_over_http(http: TestClient) -> None:
    for data in (b"id,v\n1,a\n", b"id,v\n1,b\n"):
        assert http.post("/api/datasets/golden/versions?filename=r.csv", content=data).status_code == 201
    found = http.get("/api/datasets/golden/diff?before=1&after=2&key=id").json()
    assert (found["changed"], found["added"], found["removed"]) == (1, 0, 0)
