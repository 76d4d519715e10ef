"""Commands that an admin allowed: their templates, what is typed read against them, and how one is run."""
