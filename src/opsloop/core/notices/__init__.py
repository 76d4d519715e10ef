"""Notices to the world outside: payloads that go to a URL by a durable job, signed, with retries."""
