"""What the assistant may quote; one file per kind of record."""
