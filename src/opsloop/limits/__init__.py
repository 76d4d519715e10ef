"""What a key, or an endpoint, may use: requests, tokens, requests at a time, money; held before it is used."""
