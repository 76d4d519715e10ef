"""Getting what a URL names when somebody else chose the URL, so that nothing inside is reached through this process."""
