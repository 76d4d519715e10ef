"""Delta tables, by the URL or path of their folder; credentials are those of the environment (`AWS_…`, `AZURE_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsloop.core.errors import ExtraNeeded
from opsloop.datasets.connectors import arrow
from opsloop.datasets.connectors.address import Address, PlaceKind
from opsloop.datasets.connectors.environment import allows_http
from opsloop.datasets.connectors.errors import AddressInvalid, NotOurs, SourceMissing, SourceUnusable, WrittenMeanwhile
from opsloop.datasets.connectors.port import Landed, Publication, Published
from opsloop.datasets.connectors.reach import Reach
from opsloop.datasets.connectors.registry import register

_OURS = "opsloop"


class DeltaTables:
    def pin(self, address: Address, reach: Reach) -> Address:
        return address.pinned("version", _opened(address, reach).version())

    def land(self, pinned: Address, reach: Reach, folder: Path) -> Landed:
        table = _opened(pinned, reach)
        file = folder / f"{pinned.place.rstrip('/').rpartition('/')[2]}.parquet"
        arrow.write(_rows(table, pinned), pinned, file)
        return Landed(file, pinned)

    def publish(self, address: Address, reach: Reach, publication: Publication) -> Published:
        deltalake = _library()
        if address.options:
            raise AddressInvalid(field="to", value=str(address), wanted="the table alone, without a state of it")
        table = _opened_if_there(address, reach)
        if table is not None:
            if _holds(table, publication.digest):
                return Published(address.pinned("version", table.version()), is_new=False)
            if not _is_ours(table) and not publication.replace:
                raise NotOurs(where=address.bare)
        try:
            with arrow.rows_of(publication) as rows:
                deltalake.write_deltalake(
                    table if table is not None else _url(address, reach),
                    rows,
                    mode="overwrite" if table is not None else "error",
                    schema_mode="overwrite" if table is not None else None,
                    name=publication.dataset,
                    storage_options=allows_http(address.place),
                    commit_properties=_commit(publication, 0 if table is None else table.version() + 1),
                )
        except deltalake.exceptions.CommitFailedError as error:
            raise WrittenMeanwhile(where=address.bare, reason=_said(error)) from error
        except (deltalake.exceptions.DeltaError, OSError) as error:
            raise SourceUnusable(where=address.bare, reason=_said(error)) from error
        return Published(address.pinned("version", _opened(address, reach).version()), is_new=True)


def _library() -> Any:
    try:
        import deltalake  # an extra
    except ImportError as error:
        raise ExtraNeeded(what="a Delta table", extra="lakehouse") from error
    return deltalake


def _opened(address: Address, reach: Reach) -> Any:
    """The table in the state that the address asks for. Raises: SourceMissing, SourceUnusable, AddressInvalid."""
    table = _opened_if_there(address, reach)
    if table is None:
        raise SourceMissing(where=address.bare, what="a Delta table", todo="look at the address and its credentials")
    deltalake = _library()
    state = address.number("version") if "version" in address.options else address.as_of
    if state is None:
        return table
    try:
        table.load_as_version(state)
    except (deltalake.exceptions.DeltaError, OSError) as error:
        field = "version" if "version" in address.options else "as_of"
        wanted = f"a state of {address.bare}, which is at version {table.version()} ({_said(error)})"
        raise AddressInvalid(field=field, value=address.options[field], wanted=wanted) from error
    return table


def _opened_if_there(address: Address, reach: Reach) -> Any:
    deltalake = _library()
    arrow.arrow()
    try:
        return deltalake.DeltaTable(_url(address, reach), storage_options=allows_http(address.place))
    except deltalake.exceptions.TableNotFoundError:
        return None
    except (deltalake.exceptions.DeltaError, OSError, ValueError) as error:
        raise SourceUnusable(where=address.bare, reason=_said(error)) from error


def _url(address: Address, reach: Reach) -> str:
    return address.place if "://" in address.place else str(reach.path(address.place))


def _rows(table: Any, address: Address) -> Any:
    deltalake = _library()
    # Columns that the filter reads are read too; those that are not wanted fall away afterwards.
    columns = None if address.filter is not None or not address.columns else list(address.columns)
    try:
        dataset = table.to_pyarrow_dataset()
    except deltalake.exceptions.DeltaProtocolError:
        return table.scan()  # deletion vectors and column mapping; its rows come in no certain order
    folded = {name.casefold(): name for name in dataset.schema.names}
    if columns is not None and all(name.casefold() in folded for name in columns):
        columns = [folded[name.casefold()] for name in columns]
    else:
        columns = None
    return dataset.scanner(
        columns=columns, batch_size=arrow.BATCH_ROWS, batch_readahead=2, fragment_readahead=1
    ).to_reader()


def _is_ours(table: Any) -> bool:
    """Whether Opsloop made the table, or was let replace what was in it."""
    return table.transaction_version(_OURS) is not None


def _holds(table: Any, digest: str) -> bool:
    """Whether the newest commit published these rows. The history tells too, but holds up all threads."""
    return bool(table.transaction_version(f"{_OURS}.{digest}") == table.version())


def _commit(publication: Publication, version: int) -> Any:
    """What stands in the commit: who made it, and which rows at which version of the table."""
    deltalake = _library()
    ids = (_OURS, f"{_OURS}.{publication.digest}")
    return deltalake.CommitProperties(
        custom_metadata=publication.marks,
        max_commit_retries=0,  # a try again would be at another version
        app_transactions=[deltalake.Transaction(each, version) for each in ids],
    )


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


register(PlaceKind.DELTA, DeltaTables())
