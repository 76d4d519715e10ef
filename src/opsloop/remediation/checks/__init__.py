"""How a repair is judged after it acted; one file per kind of evidence."""
