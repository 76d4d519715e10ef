"""Root cause: suspects ranked from metrics, traces, logs and changes on one timeline, or a plain "not known"."""
