"""Artifacts: bytes under a content address or a chosen key, in a folder here and in an object store on a cluster."""
