"""Iceberg tables through a catalog, such as a REST catalog of Polaris, Databricks Unity Catalog or Lakekeeper.

How a catalog is reached is PyIceberg's own configuration: `PYICEBERG_CATALOG__PROD__URI` and the like in the
environment of the process that runs jobs, or `.pyiceberg.yaml`. Nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsloop.core.errors import ExtraNeeded
from opsloop.datasets.connectors import arrow
from opsloop.datasets.connectors.address import Address, PlaceKind
from opsloop.datasets.connectors.errors import (
    AddressInvalid,
    NotOurs,
    SourceAway,
    SourceDenied,
    SourceMissing,
    SourceUnusable,
    WrittenMeanwhile,
)
from opsloop.datasets.connectors.port import Landed, Publication, Published
from opsloop.datasets.connectors.reach import Reach
from opsloop.datasets.connectors.registry import register

_OURS = "opsloop.dataset"
_DIGEST = "opsloop.digest"
EMPTY = 0  # the snapshot of a table that nobody has written to


class IcebergTables:
    def pin(self, address: Address, reach: Reach) -> Address:
        with _told(address):
            snapshot = _snapshot(_table(address), address)
        return address.pinned("snapshot", EMPTY if snapshot is None else snapshot.snapshot_id)

    def land(self, pinned: Address, reach: Reach, folder: Path) -> Landed:
        file = folder / f"{pinned.place.rpartition('.')[2]}.parquet"
        with _told(pinned):
            table = _table(pinned)
            arrow.write(_rows(table, pinned), pinned, file)
        return Landed(file, pinned)

    def publish(self, address: Address, reach: Reach, publication: Publication) -> Published:
        if address.options:
            raise AddressInvalid(field="to", value=str(address), wanted="the table alone, without a state of it")
        with _told(address), arrow.rows_of(publication) as rows:
            table = _made(address, rows.schema, publication)
            last = table.current_snapshot()
            if last is not None and _summary(last).get(_DIGEST) == publication.digest:
                return Published(address.pinned("snapshot", last.snapshot_id), is_new=False)
            if _OURS not in table.properties and not publication.replace:
                raise NotOurs(where=address.bare)
            _write(table, rows, publication)
            # A delete and an append can make two snapshots: the newest holds the rows.
            written = table.current_snapshot()
            assert written is not None
            return Published(address.pinned("snapshot", written.snapshot_id), is_new=True)


def _catalog(address: Address) -> Any:
    try:
        from pyiceberg.catalog import load_catalog  # an extra, 0.3 s to load
        from pyiceberg.utils.config import Config
    except ImportError as error:
        raise ExtraNeeded(what="a table of an Iceberg catalog", extra="lakehouse") from error
    arrow.arrow()
    name = address.place.partition("/")[0]
    # Read now: PyIceberg keeps what it saw of the environment when it was loaded.
    found = Config().get_catalog_config(name)
    if not found:
        variable = f"PYICEBERG_CATALOG__{name.upper().replace('-', '_')}__URI"
        raise AddressInvalid(
            f"catalog {name!r} is not configured where jobs run; set {variable} there, and its _TOKEN or _CREDENTIAL",
            field="catalog",
        )
    properties = {key: str(value) for key, value in found.items()}
    if "credential" in properties and "uri" in properties:  # where the specification has it, and PyIceberg warns of
        properties.setdefault("oauth2-server-uri", f"{properties['uri'].rstrip('/')}/v1/oauth/tokens")
    return load_catalog(name, **properties)


def _table(address: Address) -> Any:
    return _catalog(address).load_table(_identifier(address))


def _identifier(address: Address) -> tuple[str, ...]:
    return tuple(address.place.partition("/")[2].split("."))


def _snapshot(table: Any, address: Address) -> Any:
    """The snapshot that the address asks for; None of a table without one. Raises: AddressInvalid."""
    if (number := address.number("snapshot")) is not None:
        found = table.snapshot_by_id(number) if number != EMPTY else None
        wanted = "the id of a snapshot that the table still has"
    elif (moment := address.as_of) is not None:
        found = table.snapshot_as_of_timestamp(round(moment.timestamp() * 1_000))
        wanted = "a moment at which the table had a snapshot that it still has"
    elif (ref := address.options.get("ref")) is not None:
        found = table.snapshot_by_name(ref)
        wanted = f"a branch or tag of the table ({', '.join(table.metadata.refs)})"
    else:
        return table.current_snapshot()
    if found is None and number != EMPTY:
        field = next(name for name in ("snapshot", "as_of", "ref") if name in address.options)
        raise AddressInvalid(field=f"{field} of {address.bare}", value=address.options[field], wanted=wanted)
    return found


def _rows(table: Any, address: Address) -> Any:
    """The rows of a snapshot, one data file in memory at a time."""
    import pyarrow
    from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow

    snapshot = _snapshot(table, address)
    scan = table.scan(snapshot_id=snapshot.snapshot_id if snapshot is not None else None)
    # Columns that the filter reads are read too.
    if address.columns and address.filter is None:
        _check_columns(address, [field.name for field in scan.projection().fields])
        scan = scan.select(*address.columns).with_case_sensitive(False)
    wanted = scan.projection()
    reading = ArrowScan(table.metadata, table.io, wanted, scan.row_filter, scan.case_sensitive)
    schema = schema_to_pyarrow(wanted, include_field_ids=False)

    def batches() -> Iterator[Any]:
        # All tasks in one call would be read at once, by as many threads as there are files.
        for task in scan.plan_files():
            for batch in reading.to_record_batches([task]):
                yield batch.cast(schema)

    return pyarrow.RecordBatchReader.from_batches(schema, batches())


def _check_columns(address: Address, names: list[str]) -> None:
    folded = {name.casefold() for name in names}
    for name in address.columns:
        if name.casefold() not in folded:
            wanted = f"columns of {address.bare}: {', '.join(names[:20])}"
            raise AddressInvalid(field="columns", value=name, wanted=wanted)


def _made(address: Address, schema: Any, publication: Publication) -> Any:
    from pyiceberg.exceptions import NoSuchTableError

    catalog = _catalog(address)
    try:
        return catalog.load_table(_identifier(address))
    except NoSuchTableError:
        return catalog.create_table(_identifier(address), schema, properties={_OURS: publication.dataset})


def _write(table: Any, rows: Any, publication: Publication) -> None:
    """One commit that makes the table hold these rows and these columns."""
    with table.transaction() as transaction:
        with transaction.update_schema(allow_incompatible_changes=True) as schema:
            schema.union_by_name(rows.schema)
            for name in set(table.schema().column_names) - set(rows.schema.names):
                schema.delete_column(name)
        transaction.set_properties({_OURS: publication.dataset})
        if _is_empty(table):  # PyIceberg warns of a delete that finds nothing
            transaction.append(rows, snapshot_properties=publication.marks)
        else:
            transaction.overwrite(rows, snapshot_properties=publication.marks)


def _is_empty(table: Any) -> bool:
    last = table.current_snapshot()
    return last is None or _summary(last).get("total-records") == "0"


def _summary(snapshot: Any) -> Mapping[str, str]:
    found: Mapping[str, str] = snapshot.summary.additional_properties if snapshot.summary is not None else {}
    return found


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """PyIceberg's errors as ours."""
    try:
        from pyiceberg import exceptions
        from requests import exceptions as transport
    except ImportError as error:
        raise ExtraNeeded(what="a table of an Iceberg catalog", extra="lakehouse") from error
    where, name = address.bare, address.place.partition("/")[0].upper().replace("-", "_")
    try:
        yield
    except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError) as error:
        what = "the namespace" if isinstance(error, exceptions.NoSuchNamespaceError) else "the table"
        raise SourceMissing(where=where, what=what, todo="make it in the catalog, or look at the address") from error
    except (exceptions.UnauthorizedError, exceptions.ForbiddenError, exceptions.OAuthError) as error:
        todo = f"look at PYICEBERG_CATALOG__{name}__TOKEN or __CREDENTIAL where jobs run"
        raise SourceDenied(where=where, reason=_said(error), todo=todo) from error
    except (exceptions.ServiceUnavailableError, exceptions.ServerError, transport.RequestException) as error:
        todo = f"look at PYICEBERG_CATALOG__{name}__URI where jobs run"
        raise SourceAway(where=where, reason=_said(error), todo=todo) from error
    except exceptions.CommitFailedException as error:
        raise WrittenMeanwhile(where=where, reason=_said(error)) from error
    except (exceptions.RESTError, exceptions.ValidationError, OSError, ValueError, NotImplementedError) as error:
        raise SourceUnusable(where=where, reason=_said(error)) from error


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


register(PlaceKind.ICEBERG, IcebergTables())
