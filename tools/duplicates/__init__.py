"""Duplicates among people whose truth is known: what is found, what is not, and what it costs."""
