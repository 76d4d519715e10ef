"""What jobs work for, so that the next one for the same is known: one file for each kind of job that needs it."""
