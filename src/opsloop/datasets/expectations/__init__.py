"""Expectations: what must hold of a dataset's rows, declared by name and checked on the snapshot."""
