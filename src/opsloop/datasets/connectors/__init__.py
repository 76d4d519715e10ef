"""Connectors: tables and files that live elsewhere, read as rows and published to. One file each."""
