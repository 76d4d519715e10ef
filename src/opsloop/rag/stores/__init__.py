"""Where a collection's passages are searched: in memory, or in a database that keeps a copy other programs can read."""
