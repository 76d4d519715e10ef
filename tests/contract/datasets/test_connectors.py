"""What every kind of place does: rows are read in the state that is meant, and versions are published once."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import duckdb
import httpx
import obstore
import pyarrow
import pyarrow.parquet as parquet
import pytest
from deltalake import DeltaTable, write_deltalake
from obstore.store import S3Store

from opsloop.core.errors import Denied, ExtraNeeded, InvalidInput, NotFound, OpsloopError, Unavailable
from opsloop.datasets.connectors import registry
from opsloop.datasets.connectors.address import Address, PlaceKind, parse
from opsloop.datasets.connectors.errors import AddressInvalid, NotOurs, SourceMissing
from opsloop.datasets.connectors.port import Connector, Landed, Publication
from opsloop.datasets.connectors.reach import Reach, SourceSettings, reach_of
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.models import Column, ColumnType
from opsloop.datasets.staging import staging
from tests.iceberg_rest import CREDENTIAL, RestCatalog
from tests.object_store import BUCKET, s3_running

ROWS = [{"id": n, "question": f"question {n}", "score": n / 4, "ok": n % 2 == 0} for n in range(50)]
COLUMNS = tuple(
    Column(name, kind)
    for name, kind in (
        ("id", ColumnType.INTEGER),
        ("question", ColumnType.TEXT),
        ("score", ColumnType.NUMBER),
        ("ok", ColumnType.BOOLEAN),
        ("tags", ColumnType.JSON),
        ("none", ColumnType.EMPTY),
    )
)


class Place(Protocol):
    """A real place, and how a program that is not Opsloop writes to it."""

    address: str
    keeps_states: bool

    def write(self, table: Any) -> None: ...

    def rows(self) -> list[dict[str, Any]]:
        """What such a program reads there."""
        ...


class DeltaPlace:
    keeps_states = True

    def __init__(self, project: Path) -> None:
        self.address = "delta:tables/orders"
        self._folder = project / "tables" / "orders"

    def write(self, table: Any) -> None:
        write_deltalake(self._folder, table, mode="overwrite", schema_mode="overwrite")

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = DeltaTable(self._folder).to_pyarrow_table().to_pylist()
        return found


class DeltaOnS3Place:
    keeps_states = True

    def __init__(self) -> None:
        self.address = f"delta:s3://{BUCKET}/tables/orders"
        self._options = {"aws_allow_http": "true"}

    def write(self, table: Any) -> None:
        url = self.address.removeprefix("delta:")
        write_deltalake(url, table, mode="overwrite", schema_mode="overwrite", storage_options=self._options)

    def rows(self) -> list[dict[str, Any]]:
        table = DeltaTable(self.address.removeprefix("delta:"), storage_options=self._options)
        found: list[dict[str, Any]] = table.to_pyarrow_table().to_pylist()
        return found


class IcebergPlace:
    keeps_states = True

    def __init__(self, catalog: RestCatalog) -> None:
        self.address = "iceberg://prod/sales.orders"
        self._catalog = catalog
        catalog.tables.create_namespace("sales")

    def write(self, table: Any) -> None:
        there = self._catalog.tables.create_table_if_not_exists("sales.orders", table.schema)
        with there.transaction() as transaction:
            with transaction.update_schema(allow_incompatible_changes=True) as schema:
                schema.union_by_name(table.schema)
            if there.current_snapshot() is None:
                transaction.append(table)
            else:
                transaction.overwrite(table)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._catalog.tables.load_table("sales.orders").scan().to_arrow().to_pylist()
        return found


class FilePlace:
    keeps_states = False

    def __init__(self, project: Path) -> None:
        self.address = "data/orders.parquet"
        self._file = project / self.address

    def write(self, table: Any) -> None:
        self._file.parent.mkdir(exist_ok=True)
        parquet.write_table(table, self._file)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = parquet.read_table(self._file).to_pylist()
        return found


class ObjectPlace:
    keeps_states = False

    def __init__(self) -> None:
        self.address = f"s3://{BUCKET}/data/orders.parquet"
        self._store = S3Store(BUCKET, client_options={"allow_http": True})

    def write(self, table: Any) -> None:
        out = pyarrow.BufferOutputStream()
        parquet.write_table(table, out)
        obstore.put(self._store, "data/orders.parquet", out.getvalue().to_pybytes())

    def rows(self) -> list[dict[str, Any]]:
        data = bytes(obstore.get(self._store, "data/orders.parquet").bytes())
        found: list[dict[str, Any]] = parquet.read_table(pyarrow.BufferReader(data)).to_pylist()
        return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".opsloop").mkdir(parents=True)
    return folder


@pytest.fixture
def reach(project: Path) -> Reach:
    return Reach(project, project / ".opsloop")


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with s3_running() as variables:
        yield variables


@pytest.fixture
def bucket(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    with httpx.Client(base_url=s3["AWS_ENDPOINT_URL"], trust_env=False) as http:
        http.put(f"/{BUCKET}").raise_for_status()
    store = S3Store(BUCKET, client_options={"allow_http": True})
    if there := [each["path"] for chunk in obstore.list(store) for each in chunk]:
        obstore.delete(store, there)
    return BUCKET


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestCatalog]:
    with RestCatalog(tmp_path / "catalog").running() as running:
        monkeypatch.setenv("PYICEBERG_CATALOG__PROD__URI", running.url)
        monkeypatch.setenv("PYICEBERG_CATALOG__PROD__CREDENTIAL", CREDENTIAL)
        yield running


@pytest.fixture(params=["delta", "delta on s3", "iceberg", "files", "objects"])
def place(request: pytest.FixtureRequest, project: Path) -> Place:
    match request.param:
        case "delta":
            return DeltaPlace(project)
        case "delta on s3":
            request.getfixturevalue("bucket")
            return DeltaOnS3Place()
        case "iceberg":
            return IcebergPlace(request.getfixturevalue("catalog"))
        case "files":
            return FilePlace(project)
        case _:
            request.getfixturevalue("bucket")
            return ObjectPlace()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def connector(address: Address) -> Connector:
    return registry.of(address)


def landed_file(text: str, reach: Reach, scratch: Path) -> Landed:
    address = parse(text)
    folder = scratch / str(len(list(scratch.iterdir())))
    folder.mkdir()
    return connector(address).land(connector(address).pin(address, reach), reach, folder)


def landed(text: str, reach: Reach, scratch: Path) -> tuple[str, list[dict[str, Any]]]:
    """The exact address that was read, and its rows."""
    found = landed_file(text, reach, scratch)
    return str(found.source), parquet.read_table(found.file).to_pylist()


def publication(project: Path, digest: str = "d1", *, replace: bool = False, rows: int = 3) -> Publication:
    file = project.parent / f"{digest}.parquet"
    with duckdb.connect() as duck:
        duck.execute(
            f"COPY (SELECT i AS id, 'q' || i AS question, i / 2 AS score, i = 1 AS ok, '[1]'::JSON AS tags, "
            f"NULL::VARCHAR AS none FROM range({rows}) t(i)) TO '{file}' (FORMAT parquet)"
        )
    return Publication("golden", "golden@1", digest, COLUMNS, rows, file, replace)


PUBLISHED = [
    {"id": n, "question": f"q{n}", "score": n / 2, "ok": n == 1, "tags": "[1]", "none": None} for n in range(3)
]


def test_rows_are_read_as_they_stand_there(place: Place, reach: Reach, scratch: Path) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    assert landed(place.address, reach, scratch)[1] == ROWS


def test_the_exact_source_reads_the_same_rows_again(place: Place, reach: Reach, scratch: Path) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    source, rows = landed(place.address, reach, scratch)
    assert source != place.address
    assert landed(source, reach, scratch) == (source, rows)


def test_nothing_new_is_seen_without_reading(place: Place, reach: Reach) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    address = parse(place.address)
    first = connector(address).pin(address, reach)
    assert connector(address).pin(address, reach) == first
    place.write(pyarrow.Table.from_pylist(ROWS[:10]))
    assert connector(address).pin(address, reach) != first


def test_an_earlier_state_is_read_where_the_place_keeps_it(place: Place, reach: Reach, scratch: Path) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    before, _ = landed(place.address, reach, scratch)
    place.write(pyarrow.Table.from_pylist(ROWS[:10]))
    if place.keeps_states:
        assert landed(before, reach, scratch)[1] == ROWS
    else:
        with pytest.raises(OpsloopError, match="has changed since it was looked at"):
            connector(parse(before)).land(parse(before), reach, scratch)


def test_columns_and_rows_can_be_chosen(place: Place, reach: Reach, scratch: Path) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    source, rows = landed(f"{place.address}?columns=QUESTION,id&filter=score%20%3E%2012", reach, scratch)
    assert rows == [{"question": f"question {n}", "id": n} for n in (49,)]
    assert "filter=score%20%3E%2012" in source
    assert landed(f"{place.address}?columns=id", reach, scratch)[1] == [{"id": row["id"]} for row in ROWS]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("columns=id,price", "columns: is 'price'; wanted columns of .*id, question"),
        ("filter=price%20%3E%201", "filter is 'price > 1'"),
        ("filter=id%20%3E", "filter"),
        ("filter=1%3D1)%3B%20DROP%20TABLE%20incoming%3B%20SELECT%20(1", "filter"),
        ("filter=id%20IN%20(SELECT%201%20FROM%20read_text('/etc/passwd'))", "Permission Error"),
    ],
)
def test_a_wrong_part_is_told(place: Place, reach: Reach, scratch: Path, part: str, said: str) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    with pytest.raises(InvalidInput, match=said):
        landed(f"{place.address}?{part}", reach, scratch)


def test_types_become_ours(place: Place, reach: Reach, scratch: Path) -> None:
    import datetime
    from decimal import Decimal

    moment = datetime.datetime(2026, 11, 1, 12, 30, tzinfo=datetime.UTC)
    table = pyarrow.table(
        {
            "short": pyarrow.array([Decimal("12.50")], pyarrow.decimal128(10, 2)),
            "long": pyarrow.array([Decimal("1234567890123456789.5")], pyarrow.decimal128(30, 1)),
            "at": pyarrow.array([moment], pyarrow.timestamp("us", "UTC")),
            "nested": pyarrow.array([{"a": [1, 2]}], pyarrow.struct([("a", pyarrow.list_(pyarrow.int64()))])),
        }
    )
    place.write(table)
    found = landed_file(place.address, reach, scratch).file
    with staging(found.name) as at:
        staged = formats.staged(at, found)
        assert {each.name: each.type.value for each in staged.columns} == {
            "short": "number",
            "long": "text",
            "at": "text",
            "nested": "json",
        }
        [row] = at.duck.execute(staged.query).fetchall()
    assert row == (12.5, "1234567890123456789.5", "2026-11-01 12:30:00+00", '{"a":[1,2]}')


def test_bytes_are_refused_with_the_column(place: Place, reach: Reach, scratch: Path) -> None:
    place.write(pyarrow.table({"id": [1], "image": [b"\x89PNG"]}))
    with pytest.raises(FileBroken, match="column 'image': is 'bytes'"):
        landed(f"{place.address}?columns=id,image", reach, scratch)
    assert landed(f"{place.address}?columns=id", reach, scratch)[1] == [{"id": 1}]


def test_what_is_not_there_is_named(place: Place, reach: Reach) -> None:
    address = parse(place.address)
    with pytest.raises(SourceMissing, match="is not there"):
        connector(address).pin(address, reach)


def test_a_version_is_published_for_others_to_read(place: Place, reach: Reach, project: Path) -> None:
    address = parse(place.address)
    done = connector(address).publish(address, reach, publication(project))
    assert done.is_new
    assert place.rows() == PUBLISHED


def test_the_same_version_is_published_once(place: Place, reach: Reach, project: Path, scratch: Path) -> None:
    address = parse(place.address)
    first = connector(address).publish(address, reach, publication(project))
    again = connector(address).publish(address, reach, publication(project))
    assert (again.is_new, again.at) == (False, first.at)
    other = connector(address).publish(address, reach, publication(project, "d2", rows=2))
    assert other.is_new
    assert place.rows() == PUBLISHED[:2]
    if place.keeps_states:
        assert len(landed(str(first.at), reach, scratch)[1]) == 3


def test_what_opsloop_did_not_publish_is_left_alone(place: Place, reach: Reach, project: Path) -> None:
    place.write(pyarrow.Table.from_pylist(ROWS))
    address = parse(place.address)
    with pytest.raises(NotOurs, match="--replace"):
        connector(address).publish(address, reach, publication(project))
    assert place.rows() == ROWS
    assert connector(address).publish(address, reach, publication(project, replace=True)).is_new
    assert place.rows() == PUBLISHED


def test_a_place_that_somebody_else_wrote_to_is_published_again(place: Place, reach: Reach, project: Path) -> None:
    address = parse(place.address)
    connector(address).publish(address, reach, publication(project))
    place.write(pyarrow.Table.from_pylist(ROWS))
    assert connector(address).publish(address, reach, publication(project, replace=True)).is_new
    assert place.rows() == PUBLISHED


def test_every_kind_of_place_has_a_connector() -> None:
    assert set(registry.known()) == set(PlaceKind)


def test_a_catalog_that_is_not_configured_is_told_with_the_variable(reach: Reach) -> None:
    address = parse("iceberg://nowhere/sales.orders")
    with pytest.raises(AddressInvalid, match="PYICEBERG_CATALOG__NOWHERE__URI"):
        connector(address).pin(address, reach)


def test_a_wrong_credential_is_told(catalog: RestCatalog, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYICEBERG_CATALOG__PROD__CREDENTIAL", "opsloop:wrong")
    address = parse("iceberg://prod/sales.orders")
    with pytest.raises(Denied, match="PYICEBERG_CATALOG__PROD__TOKEN"):
        connector(address).pin(address, reach)


def test_a_catalog_that_is_away_is_told(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYICEBERG_CATALOG__AWAY__URI", "http://127.0.0.1:9/iceberg")
    address = parse("iceberg://away/sales.orders")
    with pytest.raises(Unavailable, match="PYICEBERG_CATALOG__AWAY__URI"):
        connector(address).pin(address, reach)


def test_a_missing_namespace_is_told(catalog: RestCatalog, reach: Reach, project: Path) -> None:
    address = parse("iceberg://prod/nowhere.orders")
    with pytest.raises(NotFound, match=r"nowhere\.orders: the namespace is not there"):
        connector(address).publish(address, reach, publication(project))


@pytest.mark.parametrize("root", ["data", f"s3://{BUCKET}/data"])
@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [("*.jsonl", "abc"), ("", "abcd"), ("**/*.jsonl", "abcd"), ("[ab].jsonl", None), ("b*", "b")],
)
def test_many_files_are_one_dataset(
    root: str, pattern: str, wanted: str | None, project: Path, bucket: str, reach: Reach, scratch: Path
) -> None:
    parts = {"a.jsonl": '{"x": "a"}', "b.jsonl": '{"x": "b"}\n', "c.jsonl": '{"x": "c"}', "deep/d.jsonl": '{"x": "d"}'}
    store = S3Store(bucket, client_options={"allow_http": True})
    for name, text in {**parts, "_SUCCESS": "", "_hidden.jsonl": "no"}.items():
        if root == "data":
            file = project / "data" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        elif name != "_hidden.jsonl" or pattern == "":
            obstore.put(store, f"data/{name}", text.encode())
    if root == "data" and pattern != "":
        (project / "data" / "_hidden.jsonl").unlink()
    address = parse(f"{root}/{pattern}")
    if wanted is None:
        with pytest.raises(SourceMissing):
            connector(address).pin(address, reach)
        return
    found = connector(address).land(connector(address).pin(address, reach), reach, scratch)
    rows = [line for line in found.file.read_text().splitlines() if line.strip()]
    assert rows == [f'{{"x": "{letter}"}}' for letter in wanted]


def test_csv_files_share_one_header(project: Path, reach: Reach, scratch: Path) -> None:
    (project / "a.csv").write_bytes(b"\xef\xbb\xbfq,a\r\n1,2\r\n")
    (project / "b.csv").write_text("q,a\n3,4")
    address = parse("*.csv")
    assert connector(address).land(address, reach, scratch).file.read_text() == "q,a\n1,2\n\n3,4\n"
    (project / "c.csv").write_text("q,b\n3,4")
    with pytest.raises(FileBroken, match=r"c\.csv, line 1: wanted the header of a\.csv \(q,a\)"):
        connector(address).land(address, reach, scratch / "again")


@pytest.mark.parametrize("path", ["../outside.csv", ".opsloop/keys/signing.csv", "/etc/hostname", "link.csv"])
def test_paths_outside_of_the_project_are_refused(path: str, project: Path, reach: Reach) -> None:
    (project.parent / "outside.csv").write_text("a\n1\n")
    (project / "link.csv").symlink_to(project.parent / "outside.csv")
    with pytest.raises(AddressInvalid, match="a path in the project's folder"):
        connector(parse(path)).pin(parse(path), reach)


@pytest.mark.parametrize(
    ("address", "module"),
    [("delta:lake", "deltalake"), ("iceberg://prod/a.b", "pyiceberg.catalog"), ("s3://lake/x.csv", "obstore")],
)
def test_a_missing_extra_is_named(address: str, module: str, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraNeeded, match=re.escape("pip install 'opsloop[lakehouse]'")):
        connector(parse(address)).pin(parse(address), reach)


def test_another_folder_can_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.csv").write_text("a\n1\n")
    reach = reach_of(tmp_path / "project" / ".opsloop", SourceSettings(source_folders=str(tmp_path / "shared")))
    address = parse(str(tmp_path / "shared" / "a.csv"))
    assert connector(address).pin(address, reach).place == address.place
