"""`from promptflow.contracts.multimedia import Image`."""

from opsloop.flows.images import Image

PFBytes = Image

__all__ = ["Image", "PFBytes"]
