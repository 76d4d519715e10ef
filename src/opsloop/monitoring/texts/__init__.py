"""Questions and answers of endpoints that ask for them to be kept, without personal data, for some days."""
