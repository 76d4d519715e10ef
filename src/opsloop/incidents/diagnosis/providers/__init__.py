"""How each CI system tells steps and exit codes apart; one file each, found by name."""
