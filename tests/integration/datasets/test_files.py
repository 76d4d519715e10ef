"""Files of datasets over HTTP and through the client: in and out as streams, folders of documents, the limit."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from opsloop.client.connection import Connection
from opsloop.client.datasets import Datasets
from opsloop.client.in_process import InProcess
from opsloop.core.errors import InvalidInput, NotFound, OpsloopError
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.datasets import documents
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from tests.integration.server.test_entrance import NoDataPlane

LIMIT_BYTES = 3_000_000


@pytest.fixture
def connection(migrated_folder: Path) -> Iterator[Connection]:
    limits = {"dataset_limit_bytes": LIMIT_BYTES}
    workspace = open_workspace(CoreSettings(data_dir=migrated_folder, body_limit_bytes=1_000), file_values=limits)
    entrance = Entrance(workspace, NoDataPlane(), control_plane(workspace))
    found = Connection("http://localhost", timeout_s=60, transport=InProcess(entrance))
    yield found
    found.close()
    workspace.close()


@pytest.fixture
def datasets(connection: Connection) -> Datasets:
    return Datasets(connection)


def test_a_file_over_the_limit_of_bodies_is_registered(datasets: Datasets, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,text\n" + "".join(f"{number},{'x' * 100}\n" for number in range(20_000)))
    version = datasets.register("big", file, tags=["first"])
    assert (version.ref, version.rows, version.tags, version.source) == ("big@1", 20_000, ("first",), "rows.csv")


def test_a_file_over_its_own_limit_is_refused_with_the_setting_to_raise(datasets: Datasets, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b"a\n" + b"x" * LIMIT_BYTES)
    with pytest.raises(OpsloopError, match=r"over the limit of 3000000 bytes.* raise OPSLOOP_DATASET_LIMIT_BYTES"):
        datasets.register("big", file)
    assert datasets.listed() == []


def test_a_file_that_does_not_say_its_length_is_stopped_at_the_limit(connection: Connection) -> None:
    chunks = (b"x" * 100_000 for _ in range(40))
    answer = connection._http.post("/api/datasets/big/versions?filename=a.csv", content=chunks)
    assert answer.status_code == 413
    assert next(chunks, None) is not None, "the rest was not read"


def test_a_wrong_name_or_ending_is_told_before_the_file_is_read(connection: Connection) -> None:
    for at in ("/api/datasets/golden/versions?filename=a.xlsx", "/api/datasets/a%20b/versions?filename=a.csv"):
        chunks = (b"x" * 100_000 for _ in range(20))
        answer = connection._http.post(at, content=chunks)
        assert answer.status_code == 422, answer.text
        assert len(list(chunks)) > 15


def test_rows_come_out_as_json_lines_csv_and_parquet(datasets: Datasets, tmp_path: Path) -> None:
    rows = [{"id": 1, "t": 'a "b",\nc', "m": {"x": [1]}}, {"id": 2, "m": None}, {"id": 3, "t": "é", "m": []}]
    given = tmp_path / "rows.jsonl"
    given.write_text("\n".join(map(json.dumps, rows)))
    version = datasets.register("golden", given)
    files = {ending: tmp_path / f"out.{ending}" for ending in ("jsonl", "csv", "parquet")}
    for file in files.values():
        datasets.export("golden@1", file)
    assert [json.loads(line) for line in files["jsonl"].read_text().splitlines()] == rows
    with files["csv"].open(newline="") as text:
        assert list(csv.reader(text)) == [
            ["id", "t", "m"],
            ["1", 'a "b",\nc', '{"x":[1]}'],
            ["2", "", ""],
            ["3", "é", "[]"],
        ]
    assert datasets.register("again", files["jsonl"]).digest == version.digest
    assert list(datasets.rows(datasets.register("parquet", files["parquet"]).ref))[1] == {"id": 2, "t": None, "m": None}


def test_an_export_that_cannot_be_leaves_no_file(datasets: Datasets, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"\.jsonl, \.ndjson, \.csv, \.parquet"):
        datasets.export("golden", tmp_path / "out.xlsx")
    with pytest.raises(NotFound, match="no dataset"):
        datasets.export("golden", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == []


def test_a_folder_gives_a_row_for_each_document(datasets: Datasets, tmp_path: Path) -> None:
    folder = tmp_path / "manual"
    (folder / "sub").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("hidden")
    (folder / "b.md").write_text("# Bé\n")
    (folder / "sub" / "a.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    version = datasets.register("manual", folder)
    assert version.source == "manual.jsonl"
    assert list(datasets.rows("manual")) == [
        {
            "path": "b.md",
            "media_type": "text/markdown",
            "size_bytes": 6,
            "sha256": hashlib.sha256("# Bé\n".encode()).hexdigest(),
            "text": "# Bé\n",
        },
        {
            "path": "sub/a.png",
            "media_type": "image/png",
            "size_bytes": 5,
            "sha256": hashlib.sha256(b"\x89PNG\0").hexdigest(),
            "text": None,
        },
    ]


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no files"):
        documents.write_lines(tmp_path, tmp_path.parent / "rows.jsonl")


def test_queries_tags_and_lineage_travel_over_http(datasets: Datasets, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    for value in (1, 2):
        file.write_text(f"id,v\n1,{value}\n")
        datasets.register("golden", file)
    found = datasets.query('SELECT a.v, b.v FROM "golden@1" a JOIN golden b USING (id)')
    assert (found.rows, found.tables) == (((1, 2),), {"golden@1": "golden@1", "golden": "golden@2"})
    assert datasets.tag("golden@1", add=["old"]).tags == ("old",)
    assert datasets.diff("golden", "old", "golden@2", key=["id"]).changed == 1
    assert datasets.lineage("golden@old").used_by == ()
    with pytest.raises(InvalidInput, match="query: "):
        datasets.query("DROP TABLE golden")


def test_curl_may_ask_a_query_without_a_content_type(connection: Connection) -> None:
    answer: httpx.Response = connection._http.post(
        "/api/datasets/query",
        content=b'{"sql": "SELECT 1 AS one"}',
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["rows"] == [[1]]
