"""Preparations through their service, their job and their API, on both databases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput, NotFound
from opsloop.core.jobs import schedules
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.datasets.preparation import dropped, service
from opsloop.datasets.preparation.models import PreparationRun, PreparationStatus
from opsloop.server import background

RAW = """q,ground_truth,conversation,stars
 What   is covered? ,Everything,c1,5
What is covered?,Everything,c1,4
,Nothing,c2,3
Why,Because,c2,1
How do I apply?,By mail,c3,
Where do I apply?,At the office,c4,2
When is it open?,Always,c5,3
"""
CLEAN = [
    {"rename": {"q": "question"}},
    {"trim": ["question"]},
    {"drop_missing": ["question", "ground_truth"]},
    {"drop_duplicates": {"by": ["question"]}},
    {"filter": "length(question) > 3"},
]


@pytest.fixture
def project(workspace: Workspace) -> Path:
    assert background.KINDS
    folder = workspace.data_dir.parent
    (folder / "raw").mkdir()
    (folder / "raw" / "raw.csv").write_text(RAW)
    return folder


def declared(**parts: Any) -> dict[str, Any]:
    return {"read": {"source": "raw/raw.csv"}, "clean": CLEAN, "register": {"as": "golden"}, **parts}


def prepared(workspace: Workspace, by: Caller, values: dict[str, Any], name: str = "questions") -> PreparationRun:
    with workspace.writing(by) as uow:
        service.put(uow, name, values)
        run = service.start(uow, name)
    run_due(workspace, kind=service.KIND)
    with workspace.reading(by) as uow:
        return service.run(uow, run.id)


def rows_of(workspace: Workspace, by: Caller, ref: str) -> list[dict[str, Any]]:
    with workspace.reading(by) as uow:
        return list(datasets.rows(uow, datasets.get(uow, ref)))


def test_rows_are_read_cleaned_and_registered(workspace: Workspace, admin: Caller, project: Path) -> None:
    run = prepared(workspace, admin, declared(register={"as": "golden", "tags": ["golden"]}))
    assert (run.status, run.error) == (PreparationStatus.DONE, None)
    assert [(each.step, each.rows_in, each.rows_out, each.dropped) for each in run.steps] == [
        ("read", 7, 7, 0),
        ("rename", 7, 7, 0),
        ("trim", 7, 7, 0),
        ("drop_missing", 7, 6, 1),
        ("drop_duplicates", 6, 5, 1),
        ("filter", 5, 4, 1),
    ]
    assert [each.ref for each in run.versions] == ["golden@1"]
    assert rows_of(workspace, admin, "golden@golden") == [
        {"question": "What is covered?", "ground_truth": "Everything", "conversation": "c1", "stars": 5},
        {"question": "How do I apply?", "ground_truth": "By mail", "conversation": "c3", "stars": None},
        {"question": "Where do I apply?", "ground_truth": "At the office", "conversation": "c4", "stars": 2},
        {"question": "When is it open?", "ground_truth": "Always", "conversation": "c5", "stars": 3},
    ]


def test_what_a_version_was_made_from_is_on_record(workspace: Workspace, admin: Caller, project: Path) -> None:
    with workspace.writing(admin) as uow:
        datasets.register(uow, "raw", "raw.csv", RAW.encode())
    run = prepared(workspace, admin, declared(read={"dataset": "raw"}))
    assert run.sources == ("dataset:raw@1",)
    with workspace.reading(admin) as uow:
        golden = datasets.get(uow, "golden")
        assert golden.source == f"preparation:questions/{run.id}"
        made_from = lineage.of_version(uow, golden).made_from
        assert {(each.noun, each.target) for each in made_from} == {("dataset", "raw@1"), ("preparation", run.id)}
        assert [(each.dataset, each.noun, each.target) for each in lineage.uses(uow, "raw")] == [
            ("raw@1", "preparation", run.id)
        ]


def test_dropped_rows_can_be_looked_at(workspace: Workspace, admin: Caller, project: Path) -> None:
    run = prepared(workspace, admin, declared())
    with workspace.reading(admin) as uow:
        [missing] = dropped.rows(uow, run.id, 3)
        [twice] = dropped.rows(uow, run.id, 4)
        assert dropped.rows(uow, run.id, 1) == []
        with pytest.raises(InvalidInput, match="a step of the run, from 0 to 5"):
            dropped.rows(uow, run.id, 6)
    assert (missing.row, missing.values["ground_truth"]) == (3, "Nothing")
    assert (twice.row, twice.values["stars"]) == (2, 4)


def test_nothing_new_makes_no_new_version(workspace: Workspace, admin: Caller, project: Path) -> None:
    first = prepared(workspace, admin, declared())
    again = prepared(workspace, admin, declared())
    assert again.same_as == first.id
    assert [(each.ref, each.is_new) for each in again.versions] == [("golden@1", False)]

    (project / "raw" / "raw.csv").write_text(RAW + "What is covered?,Everything,c9,1\n")  # dropped: it is there twice
    other = prepared(workspace, admin, declared())
    assert other.same_as is None
    assert [(each.ref, each.is_new) for each in other.versions] == [("golden@1", False)]

    (project / "raw" / "raw.csv").write_text(RAW + "Who pays?,You,c9,1\n")
    assert [(each.ref, each.is_new) for each in prepared(workspace, admin, declared()).versions] == [("golden@2", True)]


def test_a_split_keeps_groups_together_and_rows_in_their_part(
    workspace: Workspace, admin: Caller, project: Path
) -> None:
    def parts(count: int) -> dict[str, set[tuple[int, str]]]:
        rows = "\n".join(f"{n},c{n // 3}" for n in range(count))
        (project / "raw" / "raw.csv").write_text(f"n,conversation\n{rows}\n")
        split = {"train": 0.7, "test": 0.3, "by": "conversation", "seed": 7}
        run = prepared(workspace, admin, declared(clean=[], split=split, register={"as": "golden-{split}"}))
        assert [(each.ref.partition("@")[0], each.split) for each in run.versions] == [
            ("golden-test", "test"),
            ("golden-train", "train"),
        ]
        return {
            each.split: {(row["n"], row["conversation"]) for row in rows_of(workspace, admin, each.ref)}
            for each in run.versions
        }

    before, after = parts(300), parts(450)
    assert len(before["train"]) + len(before["test"]) == 300
    assert not {group for _, group in before["train"]} & {group for _, group in before["test"]}
    assert before["train"] <= after["train"]
    assert before["test"] <= after["test"]
    assert 0.6 < len(after["train"]) / 450 < 0.8


def test_a_holdout_keeps_the_rest_for_work(workspace: Workspace, admin: Caller, project: Path) -> None:
    (project / "raw" / "raw.csv").write_text("n\n" + "\n".join(map(str, range(100))))
    run = prepared(workspace, admin, declared(clean=[], split={"holdout": 0.2}, register={"as": "{split}-set"}))
    assert [each.ref for each in run.versions] == ["dev-set@1", "holdout-set@1"]
    assert run.steps[-1].says == f"dev {run.versions[0].rows}, holdout {run.versions[1].rows}"


def test_one_preparation_can_make_several_datasets(workspace: Workspace, admin: Caller, project: Path) -> None:
    run = prepared(workspace, admin, declared(register={"as": ["pull-request", "nightly"]}))
    assert [each.ref for each in run.versions] == ["pull-request@1", "nightly@1"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("SELECT q FROM rows WHERE stars > 3", [" What   is covered? ", "What is covered?"]),
        ("SELECT q FROM rows ORDER BY stars DESC NULLS LAST, q LIMIT 1;", [" What   is covered? "]),
        ("SELECT conversation, sum(stars) AS q FROM rows GROUP BY conversation", [9, 4, None, 2, 3]),
        ("WITH best AS (SELECT max(stars) AS q FROM rows) SELECT * FROM best", [5]),
    ],
)
def test_sql_makes_other_rows(
    workspace: Workspace, admin: Caller, project: Path, query: str, wanted: list[object]
) -> None:
    run = prepared(workspace, admin, declared(clean=[{"sql": query}]))
    assert run.error is None
    assert [row["q"] for row in rows_of(workspace, admin, "golden")] == wanted


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"sql": "SELECT * FROM read_text('/etc/passwd')"}, r"clean\[0\]\.sql: Permission Error"),
        ({"sql": "DROP TABLE rows"}, r"clean\[0\]\.sql: is 'DROP TABLE rows'; wanted one SELECT"),
        ({"sql": "SELECT 1; SELECT 2"}, r"clean\[0\]\.sql: .* wanted one SELECT"),
        ({"sql": "SELECT price FROM rows"}, r"clean\[0\]\.sql: Binder Error: .*price"),
        ({"filter": "stars > 'x'"}, r"clean\[0\]\.filter: Conversion Error"),
        ({"filter": "1=1) ; DROP TABLE rows_1; SELECT (1"}, r"clean\[0\]\.filter"),
        ({"filter": "stars > 9"}, r"clean\[0\]\.filter: no row is left"),
        ({"trim": ["stars"]}, r"clean\[0\]\.trim: is 'stars'; wanted columns of text"),
        ({"drop_missing": ["question"]}, r"clean\[0\]\.drop_missing: is 'question'; wanted columns of these rows: q,"),
        ({"rename": {"q": "Stars"}}, r"clean\[0\]\.rename: is 'Stars'; wanted a name that no other column has"),
    ],
)
def test_a_step_that_cannot_be_taken_is_told(
    workspace: Workspace, admin: Caller, project: Path, step: dict[str, Any], said: str
) -> None:
    run = prepared(workspace, admin, declared(clean=[step]))
    assert run.status is PreparationStatus.FAILED
    assert run.error is not None
    assert re.search(said, run.error), run.error
    with workspace.reading(admin) as uow:
        assert datasets.listed(uow) == []


def test_a_function_of_the_project_makes_other_rows(workspace: Workspace, admin: Caller, project: Path) -> None:
    code = (
        "def clean(rows):\n"
        "    for row in rows:\n"
        "        if row['stars']:\n"
        "            yield {'q': row['q'], 'tags': ['x'] * row['stars'], 'more': {'n': 1.5}}\n"
    )
    step = {"python": {"entry": "prepare.py:clean", "code": code}}
    run = prepared(workspace, admin, declared(clean=[step, {"filter": "more.n > 1"}]))
    assert run.error is None
    assert rows_of(workspace, admin, "golden")[0] == {
        "q": " What   is covered? ",
        "tags": ["x"] * 5,
        "more": {"n": 1.5},
    }
    assert run.steps[1].rows_out == 6


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def clean(rows:", "prepare.py cannot be loaded: SyntaxError"),
        ("def other(rows): return rows", "wanted a function that prepare.py defines"),
        (
            "def clean(rows):\n    for row in rows:\n        yield row['price']",
            "KeyError: 'price' at line 3 of prepare.py",
        ),
        ("def clean(rows): return [1]", "row 1 is int; wanted a dict with text as keys"),
        ("def clean(rows): return []", "clean gave no rows back"),
        ("def clean(rows): return 7", "'int' object is not iterable"),
    ],
)
def test_a_function_that_fails_is_told(
    workspace: Workspace, admin: Caller, project: Path, code: str, said: str
) -> None:
    run = prepared(workspace, admin, declared(clean=[{"python": {"entry": "prepare.py:clean", "code": code}}]))
    assert run.error is not None
    assert said in run.error


def test_a_part_without_rows_is_told(workspace: Workspace, admin: Caller, project: Path) -> None:
    run = prepared(workspace, admin, declared(split={"a": 0.999999, "b": 0.000001}, register={"as": "x-{split}"}))
    assert run.error == "split: part 'b' got none of 4 rows; give it a larger share, or another seed"


def test_a_schedule_runs_it(workspace: Workspace, admin: Caller, clock: FakeClock, project: Path) -> None:
    with workspace.writing(admin) as uow:
        kept = service.put(uow, "questions", declared(schedule="0 2 * * *"))
    assert kept.next_at is not None
    clock.advance(24 * 3600)
    assert schedules.fire_due(workspace) == 1
    run_due(workspace, kind=service.KIND)
    with workspace.writing(admin) as uow:
        [run] = service.runs(uow, preparation="questions")
        assert run.status is PreparationStatus.DONE
        service.put(uow, "questions", declared())
        assert schedules.listed(uow) == []


def test_a_run_that_was_cut_off_begins_again(workspace: Workspace, admin: Caller, project: Path) -> None:
    with workspace.writing(admin) as uow:
        service.put(uow, "questions", declared())
        run = service.start(uow, "questions")
        service.row_of(uow, run.id).status = PreparationStatus.RUNNING
    left = workspace.data_dir / "preparations" / run.id
    left.mkdir(parents=True)
    (left / "work.duckdb").write_bytes(b"torn")
    run_due(workspace, kind=service.KIND)
    with workspace.reading(admin) as uow:
        assert service.run(uow, run.id).status is PreparationStatus.DONE
    assert not left.exists()


def test_viewers_may_look_and_not_run(workspace: Workspace, admin: Caller, project: Path) -> None:
    viewer = Caller("test:viewer", Role.VIEWER)
    prepared(workspace, admin, declared())
    with workspace.writing(viewer) as uow:
        assert len(service.runs(uow)) == 1
        with pytest.raises(Denied):
            service.start(uow, "questions")
        with pytest.raises(NotFound, match="did you mean 'questions'"):
            service.get(uow, "question")
