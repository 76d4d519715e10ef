"""The state database: SQLite in WAL mode on a laptop, PostgreSQL by URL, the same code on both."""
