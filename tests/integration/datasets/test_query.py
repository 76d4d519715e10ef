"""Queries over datasets: what they see, and what they never see."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets import diff, holdouts, query, service
from opsloop.datasets.models import QueryAnswer
from opsloop.datasets.query import QueryTooSlow, TableUnknown
from opsloop.datasets.sql import QueryRefused

VIEWER = Caller("test:viewer", Role.VIEWER)


@pytest.fixture
def filled(sqlite_workspace: Workspace, admin: Caller) -> Workspace:
    files = (
        ("golden", b'{"id": 1, "topic": "a", "meta": {"x": [1]}}\n{"id": 2, "topic": "b"}\n'),
        ("golden", b'{"id": 1, "topic": "a"}\n{"id": 2, "topic": "c"}\n{"id": 3, "topic": null}\n'),
        ("other-set", b'{"id": 3}\n'),
    )
    for name, data in files:
        with sqlite_workspace.writing(admin) as uow:
            service.register(uow, name, "rows.jsonl", data)
    return sqlite_workspace


def ask(workspace: Workspace, sql: str, limit: int | None = None) -> QueryAnswer:
    return query.ask(workspace, VIEWER, sql, limit=limit)


def test_names_and_versions_of_datasets_are_tables(filled: Workspace) -> None:
    found = ask(filled, 'SELECT n.id, o.topic AS was, n.topic FROM "golden@1" o JOIN golden n USING (id) ORDER BY 1;')
    assert found.rows == ((1, "a", "a"), (2, "b", "c"))
    assert [column.name for column in found.columns] == ["id", "was", "topic"]
    assert found.tables == {"golden@1": "golden@1", "golden": "golden@2"}


def test_nested_values_are_json_and_can_be_reached_into(filled: Workspace) -> None:
    found = ask(filled, """SELECT meta, meta->'x'->>0 AS first FROM "golden@1" ORDER BY id""")
    assert found.rows == (({"x": [1]}, "1"), (None, None))


def test_parts_of_a_query_may_have_names_of_their_own(filled: Workspace) -> None:
    found = ask(filled, "WITH golden AS (SELECT 7 AS n), mine AS (FROM golden) SELECT n FROM mine")
    assert found.rows == ((7,),)


def test_values_that_json_does_not_have_are_text(filled: Workspace) -> None:
    sql = "SELECT DATE '2027-01-02', 1.5::DECIMAL(3, 1), 'nan'::DOUBLE, '\\xAB'::BLOB, {'a': [1, NULL]}, 10::HUGEINT"
    assert ask(filled, sql).rows == (("2027-01-02", 1.5, "nan", "ab", {"a": [1, None]}, 10),)


def test_rows_over_the_limit_are_left_out_and_said(filled: Workspace) -> None:
    found = ask(filled, "SELECT * FROM range(5)", limit=2)
    assert (len(found.rows), found.is_cut) == (2, True)
    assert not ask(filled, "SELECT * FROM range(2)", limit=2).is_cut


def test_an_unknown_table_gets_the_names_there_are(filled: Workspace) -> None:
    with pytest.raises(TableUnknown, match=r"did you mean 'golden'.* may name golden, \"other-set\", or a version"):
        ask(filled, "SELECT * FROM goldn")
    with pytest.raises(TableUnknown, match="'golden@9', which is no dataset"):
        ask(filled, 'SELECT * FROM "golden@9"')


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "wanted a SELECT"),
        ("SELEC 1", "line 1, column 1: syntax error"),
        ("SELECT id\nFROM golden-questions", "line 2, column 12.*double quotes"),
        ("SELECT nope FROM golden", "nope"),
        ("SELECT 1; SELECT 2", "not several statements"),
        ("DROP TABLE golden", "nothing is written"),
        ("COPY golden TO '/tmp/x.csv'", "nothing is written"),
        ("SET threads = 99", "nothing is written"),
        ("ATTACH '/tmp/x.db'", "nothing is written"),
        ("INSTALL httpfs", "nothing is written"),
        ("PRAGMA database_list", "nothing is written"),
        ("SELECT * FROM read_csv('/etc/passwd')", r"not read_csv\(…\)"),
        ("SELECT * FROM golden, LATERAL (SELECT * FROM read_text('/etc/passwd'))", r"not read_text\(…\)"),
        ("SELECT * FROM glob('/*')", r"not glob\(…\)"),
        ("SELECT * FROM duckdb_settings()", r"not duckdb_settings\(…\)"),
        ("SELECT * FROM query('SELECT 1')", r"not query\(…\)"),
        ("SELECT current_setting('temp_directory')", r"may not call current_setting"),
        ("SELECT getenv('HOME')", r"may not call getenv"),
        ("SELECT * FROM information_schema.tables", "there are no schemas"),
        ("SELECT * FROM main.golden", "there are no schemas"),
    ],
)
def test_what_is_no_question_to_datasets_is_refused_with_the_reason(filled: Workspace, sql: str, said: str) -> None:
    with pytest.raises(QueryRefused, match=said):
        ask(filled, sql)


@pytest.mark.parametrize("path", ["/etc/passwd", "https://example.com/x.parquet", "*.csv", "workspace", "s3://b/x.csv"])
def test_a_path_or_a_variable_is_no_table(filled: Workspace, path: str) -> None:
    with pytest.raises(TableUnknown, match="no dataset"):
        ask(filled, f"SELECT * FROM '{path}'")


def test_the_engine_itself_opens_no_other_file(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsloop.datasets.sql._TABLE_FUNCTIONS", {"read_csv", "read_parquet", "glob"})
    for sql in ("FROM read_csv('/etc/passwd')", "FROM read_parquet('/tmp/*.parquet')", "FROM glob('/*')"):
        with pytest.raises(QueryRefused, match="disabled by configuration"):
            ask(filled, sql)


def test_an_error_of_the_engine_does_not_tell_where_files_are(filled: Workspace) -> None:
    with pytest.raises(QueryRefused) as caught:
        ask(filled, "SELECT topic::INTEGER FROM golden")
    assert str(filled.data_dir) not in caught.value.sentence
    assert "'a'" in caught.value.sentence


def test_a_query_that_takes_too_long_is_stopped(tmp_path: Any) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path), file_values={"dataset_query_timeout_s": 0.2})
    with pytest.raises(QueryTooSlow, match=r"over 0\.2 s"):
        ask(workspace, "SELECT count(*) FROM range(100_000_000) a, range(1_000_000) b WHERE a.range * b.range = 7")
    workspace.close()


def test_a_query_that_needs_too_much_memory_is_refused(tmp_path: Any) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path), file_values={"dataset_memory_bytes": 100_000_000})
    with pytest.raises(QueryRefused, match="more memory than it may have"):
        ask(workspace, "SELECT length(list(range)::VARCHAR) FROM range(60_000_000)")
    workspace.close()


def test_a_part_of_a_golden_set_is_a_table_of_its_own_rows(sqlite_workspace: Workspace, admin: Caller) -> None:
    rows = b"id,v\n" + b"".join(b"%d,x\n" % number for number in range(40))
    with sqlite_workspace.writing(admin) as uow:
        version = service.register(uow, "golden", "rows.csv", rows)
        holdouts.freeze(uow, version, 0.3, seed=1, by=None, reason=None)
    with sqlite_workspace.reading(admin) as uow:
        held = {row["id"] for row in service.rows(uow, service.get(uow, "golden/holdout"))}
        found = diff.diff(uow, "golden/dev", "golden", key=["id"], shown=40)
    assert 0 < len(held) < 40
    answer = ask(sqlite_workspace, 'SELECT h.id FROM "golden/holdout" h ORDER BY id')
    assert [id for (id,) in answer.rows] == sorted(held)
    assert answer.tables == {"golden/holdout": "golden@1/holdout"}
    assert {row["id"] for row in found.added_rows} == held
    assert (found.changed, found.removed) == (0, 0)
