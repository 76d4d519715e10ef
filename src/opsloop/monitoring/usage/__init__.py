"""What was used: requests, calls to models, tokens and money, by key, endpoint, model and day."""
