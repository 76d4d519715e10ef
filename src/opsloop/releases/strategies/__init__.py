"""The ways from one release to the next, one file each. A new way is a new file here that registers itself."""
