"""The support queue: conversations that a person is to answer."""
