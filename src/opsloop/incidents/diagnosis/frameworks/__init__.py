"""Lines that tell why a tool failed; one file each, found by name."""
