"""One file per page: what it shows, and the route that shows it."""
