"""The console: pages for people, on the same application as the API."""
