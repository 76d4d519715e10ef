"""The demo of `opsloop up`: a project's loop turned once, told as it happens."""
