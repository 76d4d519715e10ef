"""Reports of a run, one file per form."""
