"""Log text: lines out of bytes, templates, what a healthy run does not print, and what is rare or bursts."""
