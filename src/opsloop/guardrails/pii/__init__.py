"""Personal data and secrets in texts: one file per detector, with checksums where a kind has one."""
