"""Connections: where a service is and what it takes to get in, by a name that flows use."""
