"""A published Parquet file: its rows, and in its footer which version they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsloop.datasets.connectors.address import Address
from opsloop.datasets.connectors.arrow import arrow, rows_of
from opsloop.datasets.connectors.errors import AddressInvalid
from opsloop.datasets.connectors.port import Publication


def check_target(address: Address) -> None:
    """Raises: AddressInvalid."""
    if address.options or "*" in address.place or not address.place.endswith(".parquet"):
        wanted = "one Parquet file or object, such as s3://bucket/golden.parquet; or a table"
        raise AddressInvalid(field="to", value=str(address), wanted=wanted)


def write(publication: Publication, file: Path) -> None:
    """The same version gives the same bytes. Raises: ExtraNeeded."""
    arrow()
    import pyarrow.parquet as parquet

    with rows_of(publication) as rows:
        schema = rows.schema.with_metadata(publication.marks)
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(batch.cast(schema))


def marks_of_file(file: Path) -> dict[str, str]:
    """What `write` put beside the rows; nothing of a file that is no Parquet."""
    with file.open("rb") as data:
        return marks_of(data)


def marks_of(data: Any) -> dict[str, str]:
    pyarrow = arrow()
    import pyarrow.parquet as parquet

    try:
        found = parquet.read_schema(data).metadata or {}
    except pyarrow.ArrowException:
        return {}
    return {key.decode(): value.decode() for key, value in found.items() if key.startswith(b"opsloop.")}
