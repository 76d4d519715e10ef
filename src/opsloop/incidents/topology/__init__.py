"""Which part calls which: as traces show it and as settings declare it."""
