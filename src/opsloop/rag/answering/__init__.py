"""Answers whose every sentence is a quotation, or is proved by one."""
