"""Addresses of places that rows come from and go to."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.datasets.connectors.address import Address, PlaceKind, from_mapping, is_address, parse
from opsloop.datasets.connectors.errors import AddressInvalid


@pytest.mark.parametrize(
    ("text", "kind", "place", "options"),
    [
        ("iceberg://prod/sales.orders", PlaceKind.ICEBERG, "prod/sales.orders", {}),
        ("iceberg://prod/a.b.orders?snapshot=12", PlaceKind.ICEBERG, "prod/a.b.orders", {"snapshot": "12"}),
        ("delta:lake/orders?version=3", PlaceKind.DELTA, "lake/orders", {"version": "3"}),
        ("delta:s3://lake/orders", PlaceKind.DELTA, "s3://lake/orders", {}),
        (
            "delta:abfss://c@account.dfs.core.windows.net/t",
            PlaceKind.DELTA,
            "abfss://c@account.dfs.core.windows.net/t",
            {},
        ),
        ("s3://bucket/a/*.jsonl", PlaceKind.OBJECTS, "s3://bucket/a/*.jsonl", {}),
        ("gs://bucket/a.csv", PlaceKind.OBJECTS, "gs://bucket/a.csv", {}),
        ("data/raw.csv", PlaceKind.FILES, "data/raw.csv", {}),
        ("file:data/raw.csv", PlaceKind.FILES, "data/raw.csv", {}),
        (
            "x.parquet?columns=a,b&filter=a%20%3E%201",
            PlaceKind.FILES,
            "x.parquet",
            {"columns": "a,b", "filter": "a > 1"},
        ),
    ],
)
def test_an_address_says_what_is_where(text: str, kind: PlaceKind, place: str, options: dict[str, str]) -> None:
    found = parse(text)
    assert (found.kind, found.place, dict(found.options)) == (kind, place, options)
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "printable characters"),
        ("iceberg://prod/orders", "wanted iceberg://CATALOG/NAMESPACE.TABLE"),
        ("iceberg:///a.b", "wanted iceberg://CATALOG/NAMESPACE.TABLE"),
        ("mysql://host/db", "an address of a known kind"),
        ("s3://key:secret@bucket/x.csv", "holds a credential"),
        ("iceberg://prod/a.b?token=abc", "wanted no credential in an address"),
        ("delta:lake/t?versoin=3", "versoin is not known of delta:lake/t; wanted version, as_of, columns, filter"),
        ("delta:lake/t?version=x", "version: is 'x'; wanted a whole number"),
        ("delta:lake/t?as_of=yesterday", "as_of: is 'yesterday'; wanted a moment with its zone"),
        ("delta:lake/t?as_of=2026-11-01T00:00:00", "a moment with its zone"),
        ("delta:lake/t?version=1&as_of=2026-11-01T00:00:00Z", "wanted one of them"),
        ("delta:lake/t?filter=", "filter: is ''; wanted a value"),
    ],
)
def test_an_address_that_is_wrong_says_what_is_wanted(text: str, said: str) -> None:
    with pytest.raises(AddressInvalid) as caught:
        parse(text)
    assert said in caught.value.sentence
    assert "secret" not in caught.value.sentence
    assert "abc" not in caught.value.sentence


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        (
            "iceberg",
            {"catalog": "prod", "table": "sales.orders", "snapshot": 12},
            "iceberg://prod/sales.orders?snapshot=12",
        ),
        ("delta", {"table": "lake/t", "columns": ["id", "total"]}, "delta:lake/t?columns=id,total"),
        ("files", {"url": "s3://b/x.parquet", "filter": "a > 1"}, "s3://b/x.parquet?filter=a%20%3E%201"),
    ],
)
def test_a_mapping_is_the_same_address(kind: str, values: dict[str, Any], text: str) -> None:
    assert str(from_mapping(kind, values)) == text


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        ("hive", {}, "wanted iceberg, delta or files"),
        ("iceberg", {"catalog": "prod"}, "iceberg.table: is None; wanted text"),
        ("delta", {"table": "t", "version": True}, "delta.version: is True"),
        ("iceberg", {"catalog": "prod", "table": "a.b", "credential": "x:y"}, "no credential"),
    ],
)
def test_a_mapping_that_is_wrong_says_what_is_wanted(kind: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(AddressInvalid, match=said):
        from_mapping(kind, values)


def test_a_state_takes_the_place_of_another() -> None:
    address = parse("delta:t?as_of=2026-11-01T00:00:00Z&columns=a")
    assert str(address.pinned("version", 4)) == "delta:t?columns=a&version=4"
    assert address == Address(PlaceKind.DELTA, "t", {"as_of": "2026-11-01T00:00:00Z", "columns": "a"})


def test_paths_are_no_addresses() -> None:
    assert [is_address(text) for text in ("s3://b/x", "delta:t", "data/x.csv", "c:data.csv")] == [
        True,
        True,
        False,
        False,
    ]
