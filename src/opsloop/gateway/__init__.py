"""The data plane: plain ASGI in front of the releases that answer."""
