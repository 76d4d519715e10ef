"""Screens: what looks for findings of one sort. Ours are one file each; installed packages bring more."""
