"""What people get to see at each level: questions, a checklist, commands, a script."""
