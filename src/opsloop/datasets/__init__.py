"""Datasets: files registered as immutable versions, with a content hash, a schema, a profile, tags and lineage."""
