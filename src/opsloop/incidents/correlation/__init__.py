"""Which signals belong together: by time, by topology, by text."""
