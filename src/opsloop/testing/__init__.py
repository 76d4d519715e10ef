"""What a user tests flows with: a model server on this machine that needs no key and answers the same every time."""
