"""Several gateway processes on one port: a parent that keeps them alive, and what each of them is."""
