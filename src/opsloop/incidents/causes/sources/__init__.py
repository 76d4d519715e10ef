"""What root causes are read from: one file for each source, all on the time of one incident."""
