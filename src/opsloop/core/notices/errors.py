"""What can be wrong with a notice."""

from __future__ import annotations

from opsloop.core.errors import InvalidInput, NotFound


class AddressInvalid(InvalidInput):
    """A URL that nothing can be sent to; the sentence does not repeat it, as it may be a secret."""


class DeliveryMissing(NotFound):
    template = "no delivery of a notice has the id {name!r}"
