"""Where the rows of a batch run: in this process, or spread over workers such as those of Ray."""
