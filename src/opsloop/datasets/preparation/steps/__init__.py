"""Steps of preparations, one file each."""
