"""News between slices: typed events in an outbox, written in the transaction that made them true."""
