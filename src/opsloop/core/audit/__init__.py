"""The record of who did what: hash-chained, signed, verifiable with nothing but the public key."""
