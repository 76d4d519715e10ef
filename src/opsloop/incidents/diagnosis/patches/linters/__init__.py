"""The linters that a patch must pass: one file for each, with `fits` for a file of its kind and `passes`."""
