"""A drill: an endpoint is broken on purpose, and what the platform does about it is told as it happens."""
