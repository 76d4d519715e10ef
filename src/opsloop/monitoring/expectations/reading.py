"""Read a bundle's expectations: our own form, or a suite of Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsloop.datasets.expectations import declared, great_expectations
from opsloop.datasets.expectations.models import Expectation


@dataclass(frozen=True, slots=True)
class Read:
    """Args: skipped: what of a suite is not known here, by type and place."""

    expectations: tuple[Expectation, ...]
    skipped: tuple[str, ...] = ()


def read(document: object) -> Read:
    """A list of expectations, a mapping that has one under `expectations`, a suite, or nothing at all.

    Raises: ExpectationInvalid naming the place, the value and the wanted form.
    """
    if document is None or document in ({}, []):
        return Read(())
    if isinstance(document, Mapping) and great_expectations.is_suite(document):
        suite = great_expectations.read(document, skip_unknown=True)
        return Read(suite.expectations, suite.skipped)
    values = document.get("expectations", document) if isinstance(document, Mapping) else document
    return Read(declared.parse(values))
