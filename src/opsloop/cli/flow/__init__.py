"""`opsloop flow`: prompt flows in a folder, run and checked here; their versions on the platform."""
