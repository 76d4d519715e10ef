"""Prompt flow's command line, translated: its arguments read as `pf` reads them, its answers in the form it gives."""
