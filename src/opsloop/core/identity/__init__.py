"""Who calls: callers, their roles, and the keys that prove them."""
