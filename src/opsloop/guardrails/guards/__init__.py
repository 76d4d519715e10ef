"""Screens: what looks through a text for kinds that a policy can name, one file each."""
